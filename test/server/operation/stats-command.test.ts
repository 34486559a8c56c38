import { describe, expect, it } from 'vitest'
import { runCli } from '../../../server/cli.ts'
import { connect, startServer } from './server.ts'

async function stats(args: readonly string[], env: Record<string, string> = {}) {
  const out: string[] = []
  const err: string[] = []
  const context = {
    env,
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
  }
  return { code: await runCli(['stats', ...args], context), out: out.join('\n'), err: err.join('\n') }
}

describe('tertulia stats', () => {
  it('prints the statistics as a table', async () => {
    const server = await startServer({ maxConnections: 7 })
    const ana = await connect(server, 'ana')
    ana.send('get_history', 1, { groupId: 'nowhere' })
    await ana.next('error')
    const { code, out, err } = await stats([server.url])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^connections +1 of 7, 1 opened so far$/m)
    expect(out).toMatch(/^users +1 connected, /m)
    expect(out).toMatch(/^errors +1, per second .*; \w+ 1$/m)
    expect(out).toMatch(/^latency +p50 .* ms, p90 .* max .* ms$/m)
    expect(out).toMatch(/^storage +accepts writes$/m)
    expect(out).toMatch(/^shard 0 +\d+ groups, \d+ users; inbox \d+, mail 0, held 0, uncommitted 0$/m)
  })

  it('sends METRICS_TOKEN, and reports if it is missing', async () => {
    const metricsToken = 'a-token-for-the-operators'
    const server = await startServer({ metricsToken })
    expect(await stats([server.url])).toMatchObject({
      code: 1,
      err: `tertulia: ${server.url} requires a token: set METRICS_TOKEN`,
    })
    expect((await stats([server.url], { METRICS_TOKEN: metricsToken })).code).toBe(0)
  })

  it('repeats with --watch until it is interrupted', async () => {
    const server = await startServer()
    const out: string[] = []
    const context = { env: {}, out: (line: string) => void out.push(line), err: () => {} }
    const code = runCli(['stats', server.url, '--watch'], context)
    await expect.poll(() => out.length, { timeout: 10_000 }).toBeGreaterThan(2)
    process.emit('SIGINT')
    expect(await code).toBe(0)
  })

  it('reports in one line that a server does not answer', async () => {
    const { code, err } = await stats(['http://127.0.0.1:1'])
    expect(code).toBe(1)
    expect(err).toContain('tertulia: http://127.0.0.1:1 cannot be reached: ')
    expect(err.split('\n')).toHaveLength(1)
  })
})
