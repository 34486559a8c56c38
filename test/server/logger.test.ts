import { describe, expect, it } from 'vitest'
import { createLog } from '../../server/logger.ts'
import { RefusalLog } from '../../server/refusal-log.ts'
import { tokenOf } from './front-end-harness.ts'

function aLog(level: Parameters<typeof createLog>[0] = 'trace') {
  const lines: string[] = []
  const logger = createLog(level, { write: (line) => void lines.push(line) })
  return { logger, lines }
}

describe('the log', () => {
  it('removes tokens and secrets, by field name and from any text', async () => {
    const token = await tokenOf('ana')
    const { logger, lines } = aLog()
    const places: object[] = [
      { token },
      { token: 'opaque-secret' },
      { settings: { jwtSecret: 'opaque-secret', secret: 'opaque-secret' } },
      { headers: { authorization: 'Bearer opaque-secret' } },
      { request: { headers: { authorization: 'Basic opaque-secret', cookie: 'opaque-secret' } } },
      { url: `/ws?token=${token}` },
      { err: new Error(`cannot check ${token}`, { cause: new Error(token) }) },
      { deep: { list: [{ protocols: `bearer.${token}` }] } },
    ]
    for (const fields of places) logger.error(fields, 'failed')
    logger.info({}, `a message with ${token}`)
    expect(lines).toHaveLength(places.length + 1)
    const [header = '', claims = '', signature = ''] = token.split('.')
    for (const line of lines) {
      expect(line).toContain('[removed]')
      for (const part of [header, claims, signature, 'opaque-secret']) expect(line).not.toContain(part)
      expect(() => JSON.parse(line)).not.toThrow()
    }
  })

  it('contains no lines below its level', () => {
    const { logger, lines } = aLog('info')
    logger.debug?.({}, 'small')
    logger.trace?.({}, 'smaller')
    logger.info({}, 'large')
    expect(lines).toHaveLength(1)
  })
})

describe('the log of refusals', () => {
  function aRefusalLog(maxEntries?: number) {
    const clock = { ms: 0 }
    const logged: object[] = []
    const log = (fields: object) => void logged.push(fields)
    const refusals = new RefusalLog({
      logger: { info: log, warn: log, error: log },
      now: () => clock.ms,
      ...(maxEntries !== undefined && { maxEntries }),
    })
    const note = (address: string, why = 'the token has expired') =>
      refusals.note({ kind: 'token', address, why })
    return { clock, logged, refusals, note }
  }
  const line = (address: string, count: number) => ({
    kind: 'token',
    address,
    why: 'the token has expired',
    count,
  })

  it('contains one line per address at once, and one with the count after a minute', () => {
    const { clock, logged, refusals, note } = aRefusalLog()
    for (let i = 0; i < 50; i++) note('10.0.0.1')
    note('10.0.0.2')
    expect(logged).toEqual([line('10.0.0.1', 1), line('10.0.0.2', 1)])
    clock.ms = 59_999
    refusals.sweep()
    expect(logged).toHaveLength(2)
    clock.ms = 60_000
    refusals.sweep()
    expect(logged.slice(2)).toEqual([line('10.0.0.1', 49)])
    clock.ms = 120_000
    refusals.sweep()
    note('10.0.0.1')
    expect(logged.slice(3)).toEqual([line('10.0.0.1', 1)])
  })

  it('is bounded, and counts further addresses in one sum', () => {
    const { clock, logged, refusals, note } = aRefusalLog(2)
    for (let i = 0; i < 10; i++) note(`10.0.0.${i}`)
    expect(logged).toHaveLength(2)
    clock.ms = 60_000
    refusals.sweep()
    expect(logged.slice(2)).toEqual([{ count: 8 }])
    note('10.0.0.9')
    expect(logged).toHaveLength(4)
  })
})
