/**
 * Sockets whose token has not been verified: what they may send, how many are allowed, and what they
 * receive if the server is at fault.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { AuthError } from '../../server/auth-error.ts'
import { transport } from '../support/transports.ts'
import { type Harness, type HarnessOptions, startFrontEnd, tokenOf } from './front-end-harness.ts'

/** What a socket counts with. A limit of this size is too small for the full limit of a socket with a token. */
const newcomerBytes = transport.fixesLimits ? 65_536 + 16_384 : 16_384

let server: Harness
const raw: Socket[] = []
afterEach(() => {
  for (const socket of raw.splice(0)) socket.destroy()
  server.close()
})

const start = async (options: HarnessOptions = {}) => {
  server = await startFrontEnd(options)
}

/** A socket after the upgrade, without a token, that sends raw bytes. */
async function upgraded(): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1')
  raw.push(socket)
  socket.on('error', () => {})
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await once(socket, 'data')
  return socket
}

/** The head of a masked binary frame of this length. */
function frameHead(length: number): Buffer {
  const head = Buffer.alloc(14)
  head[0] = 0x82
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

describe('a socket without a token', () => {
  // INP-2
  it('is terminated when it announces a frame above the limit, before the payload', async () => {
    await start()
    const socket = await upgraded()
    socket.write(frameHead(100_000))
    socket.resume()
    await once(socket, 'close')
    await expect.poll(() => server.frontEnd.connections).toBe(0)
  })

  it('is closed if its first frame is larger than 16 KiB', async () => {
    await start()
    const client = await server.client().up()
    client.ws.send(Buffer.alloc(16_385))
    expect([4401, 1009]).toContain((await client.closed()).code)
  })

  it('may send larger ones after authentication', async () => {
    await start({ maxMessageBytes: 65_536 })
    const client = await server.client().up()
    client.send('authenticate', 1, { token: await tokenOf('ana') })
    await client.next('connected')
    client.send('send_message', 2, { groupId: 'g', content: 'x'.repeat(30_000), tempId: 't' })
    client.send('ping', 3, {})
    await expect.poll(() => server.gateway.session(0).requests.map(({ ref }) => ref)).toEqual([2, 3])
    client.ws.send(
      encodeRequest('send_message', 4, { groupId: 'g', content: 'x'.repeat(66_000), tempId: 't' }),
    )
    expect(await client.next('error')).toMatchObject({ ref: 4, fields: { code: 'too_large' } })
  })

  it('receives the events of its topics after authentication', async () => {
    await start()
    const client = await server.client().up()
    client.send('authenticate', 1, { token: await tokenOf('ana') })
    await client.next('connected')
    const other = await server.connected('bruno')
    for (const { port } of server.gateway.sessions) port.subscribe('g:kitchen')
    server.gateway.publish(
      'g:kitchen',
      encodeEvent('server_shutdown', 0, { reason: 'test', reconnectInMs: 0 }),
    )
    await client.next('server_shutdown')
    await other.next('server_shutdown')
  })

  it('is refused with 429 above the limit of its address, and replaces an older one after a second', async () => {
    await start({ maxUnauthenticatedBytes: 3 * newcomerBytes })
    const first = await server.client().up()
    await server.client().up()
    expect(await server.client().refused()).toEqual({ status: 429, retryAfter: '1' })
    await server.connected('ana')
    server.advance(1_000)
    const third = await server.client().up()
    expect((await first.closed()).code).toBe(1006)
    third.send('authenticate', 1, { token: await tokenOf('bruno') })
    await third.next('connected')
    await server.client().up()
  })

  it('is refused with 503 above the limit of all', async () => {
    await start({ maxUnauthenticatedBytes: newcomerBytes, trustProxy: true })
    const from = (address: string) => server.client({ headers: { 'x-forwarded-for': address } })
    await from('10.0.0.1').up()
    expect(await from('10.0.0.2').refused()).toEqual({ status: 503, retryAfter: '1' })
  })
})

describe('a token that cannot be checked', () => {
  // AUT-1
  it('closes with 1013, and does not count as a failure of the address', async () => {
    const authenticate = () =>
      Promise.reject(new AuthError('the token cannot be checked now', 'server', 2_000))
    await start({ authenticate, authFailureLimit: 1 })
    for (let i = 0; i < 3; i++) {
      expect(await server.client({ token: 'x' }).closed()).toEqual({
        code: 1013,
        reason: 'the token cannot be checked now',
      })
    }
  })

  it('closes with 1013 if the verification takes longer than ten seconds', async () => {
    await start({ authenticate: () => new Promise(() => {}) })
    const client = await server.client({ token: 'x' }).up()
    server.advance(9_999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    server.advance(1)
    expect((await client.closed()).code).toBe(1013)
  })

  it('limits the waiting sockets to the limit of unauthenticated ones', async () => {
    await start({ authenticate: () => new Promise(() => {}), maxUnauthenticatedBytes: 2 * newcomerBytes })
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.client({ token: 'x' }).up()))
    server.advance(1_001)
    for (const late of clients.slice(2)) expect((await late.closed()).code).toBe(1013)
    expect(server.frontEnd.connections).toBe(2)
  })

  // AUT-2
  it('does not count as a failure of the address if it has only expired', async () => {
    await start({ authFailureLimit: 1 })
    for (let i = 0; i < 3; i++) {
      const client = server.client({ token: await tokenOf('ana', -60) })
      expect(await client.closed()).toEqual({ code: 4401, reason: 'the token has expired' })
    }
    await server.connected('ana')
  })
})

describe('connecting', () => {
  // LIM-1
  it('has a budget per user; above it the socket is closed with 1013', async () => {
    await start({ rateLimit: 1, maxSessionsPerUser: 1_000, maxConnections: 1_000 })
    for (let i = 0; i < 100; i++) await server.connected('ana')
    expect(await server.client({ token: await tokenOf('ana') }).closed()).toEqual({
      code: 1013,
      reason: 'too many connections of this user; retry after 1 seconds',
    })
    await server.connected('bruno')
    server.advance(1_000)
    await server.connected('ana')
  })
})
