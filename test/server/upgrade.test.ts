import { afterEach, describe, expect, it } from 'vitest'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { originRule } from '../../server/origins.ts'
import { type Harness, type HarnessOptions, startFrontEnd, tokenOf } from './front-end-harness.ts'

let server: Harness
afterEach(() => server.close())

async function start(options: HarnessOptions = {}): Promise<void> {
  server = await startFrontEnd(options)
}

describe('the origin of an upgrade', () => {
  it('is not required, because other clients than browsers send none', async () => {
    await start()
    await server.connected('ana')
  })

  it('may be the server’s own origin', async () => {
    await start()
    await server.connected('ana', { headers: { origin: `http://127.0.0.1:${server.port}` } })
  })

  // TRN-3
  it('is refused with 403 if it is another origin', async () => {
    await start()
    const client = server.client({ token: await tokenOf('ana'), headers: { origin: 'https://evil.example' } })
    expect(await client.refused()).toMatchObject({ status: 403 })
  })

  it('may be an origin in CORS_ORIGINS', async () => {
    await start({ corsOrigins: ['https://chat.example'] })
    await server.connected('ana', { headers: { origin: 'https://chat.example' } })
    const client = server.client({ headers: { origin: 'https://chat.example.evil.example' } })
    expect(await client.refused()).toMatchObject({ status: 403 })
  })
})

describe('the rule of origins', () => {
  it.each([
    [[], '', 'chat.example', true],
    [[], 'http://chat.example', 'chat.example', true],
    [[], 'https://Chat.example:8443', 'chat.example:8443', true],
    [[], 'http://chat.example:81', 'chat.example', false],
    [[], 'null', 'null', false],
    [['*'], 'null', 'chat.example', true],
    [['https://a.example'], 'https://A.example', 'chat.example', true],
    [['https://a.example'], 'http://a.example', 'chat.example', false],
    [['capacitor://localhost'], 'capacitor://localhost', 'chat.example', true],
    [[], 'https://chat.example', 'chat.example:443', true],
    [[], 'http://chat.example', 'chat.example:80', true],
    [[], 'http://chat.example', 'chat.example:443', false],
    [[], 'http://chat.example:8080', 'chat.example', false],
  ])('of %j: %s at %s is %s', (allowed, origin, host, expected) => {
    expect(originRule(allowed)(origin, host)).toBe(expected)
  })
})

describe('a full server', () => {
  // TRN-3
  it('refuses with 503 and Retry-After', async () => {
    await start({ maxConnections: 2 })
    const ana = await server.connected('ana')
    await server.client().up()
    const third = server.client({ token: await tokenOf('carla') })
    expect(await third.refused()).toEqual({ status: 503, retryAfter: '5' })
    ana.ws.close()
    await ana.closed()
    await server.connected('carla')
  })
})

describe('subprotocols', () => {
  // TRN-1, TRN-2
  it('default to msgpack', async () => {
    await start()
    const client = await server.connected('ana')
    expect(client.ws.protocol).toBe('')
  })

  // TRN-2
  it('are chosen in the client’s order', async () => {
    await start()
    const client = await server.connected('ana', { protocols: [subprotocols.json, subprotocols.msgpack] })
    expect(client.ws.protocol).toBe(subprotocols.json)
  })

  it('are refused with 400 if none is supported', async () => {
    await start()
    const client = server.client({ token: await tokenOf('ana'), protocols: ['mqtt'] })
    expect(await client.refused()).toMatchObject({ status: 400 })
  })
})

describe('the address of a client', () => {
  it('is the socket’s own, whatever a header contains', async () => {
    await start({ authFailureLimit: 1 })
    await server.client({ token: 'bad', headers: { 'x-forwarded-for': '10.0.0.1' } }).closed()
    const other = server.client({ token: 'bad', headers: { 'x-forwarded-for': '10.0.0.2' } })
    expect(await other.refused()).toMatchObject({ status: 429 })
  })

  it('is the last entry of X-Forwarded-For behind a trusted proxy', async () => {
    await start({ authFailureLimit: 1, trustProxy: true })
    await server.client({ token: 'bad', headers: { 'x-forwarded-for': '10.9.9.9, 10.0.0.1' } }).closed()
    await server.connected('ana', { headers: { 'x-forwarded-for': '10.0.0.1, 10.0.0.2' } })
    const same = server.client({ headers: { 'x-forwarded-for': '10.0.0.2, 10.0.0.1' } })
    expect(await same.refused()).toMatchObject({ status: 429 })
  })
})

describe('connections of one address', () => {
  // LIM-1, INP-2
  it('have a budget of their own, for all users together', async () => {
    await start({ rateLimit: 1, trustProxy: true })
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
    await server.connected('ana', from('10.0.0.1'))
    // All that is left of a minute's connections.
    server.limiter.charge('10.0.0.1', 'connect_address', 9_999)
    const refused = server.client({ token: await tokenOf('bruno'), ...from('10.0.0.1') })
    expect(await refused.refused()).toEqual({ status: 429, retryAfter: '1' })
    expect(server.fields).toContainEqual(
      expect.objectContaining({ address: '10.0.0.1', why: 'too many connections from this address' }),
    )
    await server.connected('clara', from('10.0.0.2'))
    server.advance(6)
    await server.connected('bruno', from('10.0.0.1'))
    // A refused upgrade costs nothing, and one that is accepted costs one.
    const next = server.client({ token: await tokenOf('dora'), ...from('10.0.0.1') })
    expect(await next.refused()).toMatchObject({ status: 429 })
  })
})
