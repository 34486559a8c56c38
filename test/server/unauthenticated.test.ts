/**
 * Sockets whose token has not been verified: what they may hold, how many there may be, and what
 * they are told where the server is to blame.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { AuthError } from '../../server/auth-error.ts'
import { type Harness, type HarnessOptions, startFrontEnd, tokenOf } from './front-end-harness.ts'

let server: Harness
const raw: Socket[] = []
afterEach(() => {
  for (const socket of raw.splice(0)) socket.destroy()
  server.close()
})

const start = async (options: HarnessOptions = {}) => {
  server = await startFrontEnd(options)
}

/** A socket that has upgraded, without a token, and sends bytes of its own from then on. */
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

/** The head of a masked binary frame that announces so many bytes. */
function frameHead(length: number): Buffer {
  const head = Buffer.alloc(14)
  head[0] = 0x82
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

describe('a socket without a token', () => {
  // INP-2
  it('is cut when it announces a frame above the limit, before that is sent', async () => {
    await start()
    const socket = await upgraded()
    socket.write(frameHead(100_000))
    socket.resume()
    await once(socket, 'close')
    await expect.poll(() => server.frontEnd.connections).toBe(0)
  })

  it('is closed when its first frame is above 16 KiB', async () => {
    await start()
    const client = await server.client().up()
    client.ws.send(Buffer.alloc(16_385))
    expect([4401, 1009]).toContain((await client.closed()).code)
  })

  it('may send larger ones once it is known', async () => {
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

  it('gets the events of its topics like others', async () => {
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
    await start({ maxUnauthenticatedPerAddress: 2 })
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
    await start({ maxUnauthenticated: 1 })
    await server.client().up()
    expect(await server.client().refused()).toEqual({ status: 503, retryAfter: '1' })
  })
})

describe('a token that cannot be checked', () => {
  // AUT-1
  it('closes with 1013, and is not held against the address', async () => {
    const authenticate = () =>
      Promise.reject(new AuthError('the token cannot be checked at present', 'server', 2_000))
    await start({ authenticate, authFailureLimit: 1 })
    for (let i = 0; i < 3; i++) {
      expect(await server.client({ token: 'x' }).closed()).toEqual({
        code: 1013,
        reason: 'the token cannot be checked at present',
      })
    }
  })

  it('closes with 1013 where the check takes longer than ten seconds', async () => {
    await start({ authenticate: () => new Promise(() => {}) })
    const client = await server.client({ token: 'x' }).up()
    server.advance(9_999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    server.advance(1)
    expect((await client.closed()).code).toBe(1013)
  })

  it('makes no more sockets wait than may be unauthenticated', async () => {
    await start({ authenticate: () => new Promise(() => {}), maxUnauthenticated: 2 })
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.client({ token: 'x' }).up()))
    server.advance(1_001)
    for (const late of clients.slice(2)) expect((await late.closed()).code).toBe(1013)
    expect(server.frontEnd.connections).toBe(2)
  })

  // AUT-2
  it('is not held against its address where it is only too old', async () => {
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
  it('has a budget per user, whose end closes with 1013', async () => {
    await start({ rateLimit: 1, maxSessionsPerUser: 1_000, maxConnections: 1_000 })
    for (let i = 0; i < 100; i++) await server.connected('ana')
    expect(await server.client({ token: await tokenOf('ana') }).closed()).toEqual({
      code: 1013,
      reason: 'too many connections of this user; wait 1 seconds',
    })
    await server.connected('bruno')
    server.advance(1_000)
    await server.connected('ana')
  })
})
