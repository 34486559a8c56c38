import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { type Harness, startFrontEnd, tokenOf } from './front-end-harness.ts'

let server: Harness
beforeEach(async () => {
  server = await startFrontEnd({ authFailureLimit: 2 })
})
afterEach(() => server.close())

describe('a token', () => {
  it('may come in the Authorization header', async () => {
    const client = server.client({ token: await tokenOf('ana') })
    expect((await client.next('connected')).fields.userId).toBe('ana')
  })

  it('may come in the query', async () => {
    const client = server.client({ query: `?token=${await tokenOf('ana')}` })
    expect((await client.next('connected')).fields.userId).toBe('ana')
  })

  it('may come as a subprotocol entry besides the selected one', async () => {
    const bearer = subprotocols.bearerPrefix + (await tokenOf('ana'))
    const client = server.client({ protocols: [subprotocols.json, bearer] })
    expect((await client.next('connected')).fields.userId).toBe('ana')
    expect(client.ws.protocol).toBe(subprotocols.json)
  })

  it.each([
    ['msgpack', []],
    ['msgpack, asked for', [subprotocols.msgpack]],
    ['JSON', [subprotocols.json]],
  ])('may come as the first frame, and connected is its answer: %s', async (_, protocols) => {
    const client = await server.client({ protocols }).up()
    client.send('authenticate', 70_000, { token: await tokenOf('ana') })
    const connected = await client.next('connected')
    expect(connected).toMatchObject({
      ref: 70_000,
      fields: { userId: 'ana', serverVersion: 'fake', groups: [] },
    })
  })

  it('of the header takes precedence over the others', async () => {
    const client = server.client({ token: await tokenOf('ana'), query: `?token=${await tokenOf('bruno')}` })
    expect((await client.next('connected')).fields.userId).toBe('ana')
  })
})

describe('a connection without a valid token', () => {
  // AUT-1
  it('is closed with 4401 and the reason if the token is invalid', async () => {
    const client = server.client({ token: `${await tokenOf('ana')}x` })
    expect(await client.closed()).toEqual({ code: 4401, reason: 'the token’s signature is invalid' })
    expect(client.events).toEqual([])
    expect(server.gateway.sessions).toEqual([])
  })

  it('is closed with 4401 if the first frame is another', async () => {
    const client = await server.client().up()
    client.send('ping', 1, {})
    expect(await client.closed()).toEqual({
      code: 4401,
      reason: 'the first frame must be authenticate with a token',
    })
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no msgpack', Buffer.from([0xc1, 0xff])],
    ['text', 'authenticate'],
    ['authenticate without a token', encodeRequest('authenticate', 1, { token: '' })],
  ])('is closed with 4401 if the first frame is %s', async (_, frame) => {
    const client = await server.client().up()
    client.ws.send(frame)
    expect((await client.closed()).code).toBe(4401)
  })

  // AUT-1
  it('is closed with 4401 ten seconds after the upgrade', async () => {
    const client = await server.client().up()
    server.advance(9_999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    server.advance(1)
    expect(await client.closed()).toEqual({ code: 4401, reason: 'no valid token within 10 seconds' })
    expect(client.events).toEqual([])
  })
})

describe('frames before connected', () => {
  it('are held and processed in order', async () => {
    server.gateway.connectedIsSent = 'by hand'
    const client = await server.client({ token: await tokenOf('ana') }).up()
    for (let ref = 1; ref <= 32; ref++) client.send('ping', ref, { t: ref })
    while (server.gateway.sessions.length === 0) await new Promise(setImmediate)
    const session = server.gateway.session(0)
    // Everything sent before has arrived when a later WebSocket ping is answered.
    await new Promise<void>((resolve) => {
      client.ws.once('pong', () => resolve())
      client.ws.ping()
    })
    expect(session.requests).toEqual([])
    server.gateway.sendConnected(session)
    await client.next('connected')
    expect(session.requests.map(({ ref }) => ref)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1))
  })

  it('are also held after a first frame authenticate', async () => {
    const client = await server.client().up()
    client.send('authenticate', 1, { token: await tokenOf('ana') })
    client.send('ping', 2, {})
    const answered = new Promise<number>((resolve) => {
      server.gateway.onRequest = (_, { ref }) => resolve(ref)
    })
    expect(await answered).toBe(2)
  })

  it.each([
    ['more than 32 of them', 33, 1],
    ['more than 16 KiB of them', 2, 9_000],
  ])('close the connection with 4401: %s', async (_, frames, bytes) => {
    server.gateway.connectedIsSent = 'by hand'
    const client = await server.client({ token: await tokenOf('ana') }).up()
    for (let i = 0; i < frames; i++) client.ws.send(Buffer.alloc(bytes))
    expect(await client.closed()).toEqual({ code: 4401, reason: 'too many frames before connected' })
  })
})

describe('an address', () => {
  // TRN-3, AUT-2
  it('is refused with 429 after too many failed attempts, for at most a minute', async () => {
    for (let i = 0; i < 2; i++) await server.client({ token: 'bad' }).closed()
    expect(await server.client({ token: await tokenOf('ana') }).refused()).toEqual({
      status: 429,
      retryAfter: '60',
    })
    server.advance(60_000)
    await server.connected('ana')
  })

  it('is not refused for successful attempts', async () => {
    for (let i = 0; i < 10; i++) await server.connected(`user-${i}`)
  })
})

describe('an engine that opens no session', () => {
  it('closes with 1001, so that the client reconnects', async () => {
    server.gateway.open = () => {
      throw new ChatError('overloaded', undefined, { retryAfterMs: 100 })
    }
    const client = server.client({ token: await tokenOf('ana') })
    expect(await client.closed()).toEqual({ code: 1001, reason: 'no session can be opened now' })
  })
})
