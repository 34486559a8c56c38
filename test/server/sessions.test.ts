import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeEvent } from '../../protocol/codec.ts'
import { type Harness, START_MS, startFrontEnd, tokenOf } from './front-end-harness.ts'

let server: Harness
beforeEach(async () => {
  server = await startFrontEnd({ maxSessionsPerUser: 2 })
})
afterEach(() => server.close())

describe('sessions of one user', () => {
  // LIM-2
  it('above the limit are closed with 4409, the one that was silent for longest first', async () => {
    const first = await server.connected('ana')
    const second = await server.connected('ana')
    server.advance(1_000)
    first.send('ping', 1, {})
    await expect.poll(() => server.gateway.session(0).requests).toHaveLength(1)
    const third = await server.connected('ana')
    expect((await second.closed()).code).toBe(4409)
    expect([first.ws.readyState, third.ws.readyState]).toEqual([first.ws.OPEN, first.ws.OPEN])
    await expect.poll(() => server.gateway.session(1).closed).toBe(true)
    expect(server.frontEnd.users).toBe(1)
  })

  // LIM-2
  it('count a pong as activity', async () => {
    const first = await server.connected('ana')
    const second = await server.connected('ana')
    server.advance(1_000)
    first.ws.pong()
    // Frames that the socket sends after the pong are handled after it.
    const frames = server.gateway.session(0).requests.length
    second.send('ping', 1, {})
    await expect.poll(() => server.gateway.session(1).requests).toHaveLength(1)
    expect(server.gateway.session(0).requests).toHaveLength(frames)
    server.advance(1_000)
    first.ws.pong()
    await first.up()
    first.send('ping', 2, {})
    await expect.poll(() => server.gateway.session(0).requests).toHaveLength(1)
    await server.connected('ana')
    expect((await second.closed()).code).toBe(4409)
  })

  it('begin with connected, whatever was sent to all devices of the user before', async () => {
    server.gateway.connectedIsSent = 'by hand'
    const client = server.client({ token: await tokenOf('ana') })
    await expect.poll(() => server.gateway.sessions.length).toBe(1)
    const session = server.gateway.session(0)
    const read = { messageIds: ['g:1'], groupId: 'g', readBy: 'ana', timestamp: 0 }
    session.port.send(encodeEvent('message_read', 0, read))
    server.gateway.sendConnected(session)
    session.port.send(encodeEvent('message_read', 0, read))
    await client.next('message_read')
    expect(client.events.map(({ event }) => event)).toEqual(['connected', 'message_read'])
  })

  it('are no longer counted after their end', async () => {
    const first = await server.connected('ana')
    await server.connected('ana')
    first.ws.close()
    await first.closed()
    await server.connected('ana')
  })
})

describe('the end of a session', () => {
  it('is reported to the engine once', async () => {
    const client = await server.connected('ana')
    client.ws.close()
    await client.closed()
    expect(server.gateway.session(0).closed).toBe(true)
    expect(server.frontEnd.connections).toBe(0)
  })

  it('may be requested by the engine, and its port sends nothing afterwards', async () => {
    const client = await server.connected('ana')
    const { port } = server.gateway.session(0)
    port.close('revoked')
    expect((await client.closed()).code).toBe(4403)
    port.send(new Uint8Array([0x92, 65, 1]))
    port.subscribe('g:kitchen')
    port.unsubscribe('g:kitchen')
    port.whenDrained(() => expect.unreachable())
    port.close('revoked')
  })
})

describe('a token that expires', () => {
  // AUT-4
  it('is announced a minute before, and closes with 4402 when it expires', async () => {
    const client = await server.connected('ana', { token: await tokenOf('ana', 100) })
    server.advance(39_999)
    expect(client.events).toHaveLength(1)
    server.advance(1)
    expect((await client.next('token_expiring')).fields.expiresAt).toBe(START_MS + 100_000)
    server.advance(59_999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    server.advance(1)
    expect((await client.closed()).code).toBe(4402)
    expect(client.events).toHaveLength(2)
  })

  // AUT-4
  it('with a short lifetime is announced at half of it', async () => {
    const client = await server.connected('ana', { token: await tokenOf('ana', 10) })
    server.advance(4_999)
    expect(client.events).toHaveLength(1)
    server.advance(1)
    expect((await client.next('token_expiring')).fields.expiresAt).toBe(START_MS + 10_000)
    server.advance(4_999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    server.advance(1)
    expect((await client.closed()).code).toBe(4402)
  })

  // AUT-4
  it('is announced once, also if it is sent again', async () => {
    const token = await tokenOf('ana', 100)
    const client = await server.connected('ana', { token })
    server.advance(40_000)
    await client.next('token_expiring')
    client.send('refresh_token', 7, { token })
    await client.next('ok')
    server.advance(1_000)
    server.advance(59_000)
    expect((await client.closed()).code).toBe(4402)
    expect(client.events.filter(({ event }) => event === 'token_expiring')).toHaveLength(1)
  })

  // AUT-1
  it('may have expired within the leeway', async () => {
    const client = await server.connected('ana', { token: await tokenOf('ana', -3) })
    server.advance(1_999)
    await client.next('token_expiring')
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    server.advance(1)
    expect((await client.closed()).code).toBe(4402)
  })

  it('may be replaced by a newer one', async () => {
    const client = await server.connected('ana', { token: await tokenOf('ana', 100) })
    server.advance(40_000)
    await client.next('token_expiring')
    client.send('refresh_token', 7, { token: await tokenOf('ana', 1_000) })
    expect(await client.next('ok')).toMatchObject({
      ref: 7,
      fields: { result: { expiresAt: START_MS + 1_000_000 } },
    })
    server.advance(899_999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    server.advance(1)
    expect((await client.next('token_expiring')).fields.expiresAt).toBe(START_MS + 1_000_000)
  })

  it.each([
    ['of somebody else', () => tokenOf('bruno', 1_000), 'the token belongs to another user'],
    ['that has ended', () => tokenOf('ana', -5), 'the token has expired'],
    ['that is none', async () => 'bad', 'the token is malformed'],
  ])('is not replaced by one %s', async (_, token, message) => {
    const client = await server.connected('ana', { token: await tokenOf('ana', 100) })
    client.send('refresh_token', 7, { token: await token() })
    expect(await client.next('error')).toMatchObject({ ref: 7, fields: { code: 'unauthenticated', message } })
    server.advance(60_000)
    server.advance(40_000)
    expect((await client.closed()).code).toBe(4402)
  })
})

describe('authenticate', () => {
  it('is refused on an open connection', async () => {
    const client = await server.connected('ana')
    client.send('authenticate', 3, { token: await tokenOf('ana') })
    expect(await client.next('error')).toMatchObject({ ref: 3, fields: { code: 'bad_request' } })
  })
})
