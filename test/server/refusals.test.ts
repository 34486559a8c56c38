/**
 * Refusals: what the operator's log contains, and what the client receives.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { type Harness, type HarnessOptions, startFrontEnd, tokenOf } from './front-end-harness.ts'

let server: Harness
afterEach(() => server.close())

const start = async (options: HarnessOptions = {}) => {
  server = await startFrontEnd(options)
}
const logged = (kind: string) => server.fields.filter((fields) => 'kind' in fields && fields.kind === kind)
const address = '127.0.0.1'

describe('a refusal is logged', () => {
  it('of an origin, and the page receives advice', async () => {
    await start()
    const page = server.client({ headers: { origin: 'https://evil.example' } })
    const { code, message } = await page.refusalBody()
    expect(code).toBe('forbidden')
    expect(message).toContain('the origin https://evil.example is not allowed: add it to CORS_ORIGINS')
    expect(logged('origin')).toEqual([{ kind: 'origin', address, why: message, count: 1 }])
  })

  it('of a token, without it, and once a minute', async () => {
    await start()
    const token = `${await tokenOf('ana')}x`
    for (let i = 0; i < 3; i++) await server.client({ token }).closed()
    const line = { kind: 'unauthenticated', address, why: 'the token’s signature is invalid' }
    expect(logged('unauthenticated')).toEqual([{ ...line, count: 1 }])
    expect(JSON.stringify(server.fields)).not.toContain(token.slice(0, 20))
  })

  it('of requests over the rate limit', async () => {
    await start({ rateLimit: 2 })
    const client = await server.connected('ana')
    for (let ref = 1; ref <= 4; ref++) client.send('join_group', ref, { groupId: 'kitchen' })
    await client.next('error')
    const why = 'requests over the rate limit'
    expect(logged('rate_limited')).toEqual([{ kind: 'rate_limited', address, userId: 'ana', why, count: 1 }])
  })

  it('of malformed frames', async () => {
    await start()
    const client = await server.connected('ana')
    client.ws.send(Buffer.from([0xc1]))
    await client.next('error')
    expect(logged('malformed')).toMatchObject([{ address, userId: 'ana', count: 1 }])
  })

  it('of a slow reader', async () => {
    await start({ maxBackpressure: 65_536 })
    const client = await server.connected('ana')
    client.reading.stop()
    const { port } = server.gateway.session(0)
    // More than the kernels buffer on the way.
    const frame = new Uint8Array(60_000).fill(1)
    for (let i = 0; i < 1_000 && server.frontEnd.connections > 0 && logged('slow_reader').length === 0; i++) {
      port.send(frame)
    }
    expect(logged('slow_reader')).toMatchObject([{ address, userId: 'ana', count: 1 }])
  })

  it('of a session that was closed for another', async () => {
    await start({ maxSessionsPerUser: 1 })
    const first = await server.connected('ana')
    await server.connected('ana')
    await first.closed()
    expect(logged('too_many_sessions')).toMatchObject([{ userId: 'ana' }])
  })
})
