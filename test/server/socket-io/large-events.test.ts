/**
 * How large an event may be: little before the client is authenticated, a file of 16 MiB afterwards, on
 * every transport (INP-2, LIM-1). uWebSockets.js fixes the limit in the handshake.
 */
import { describe, expect, it } from 'vitest'
import { Newcomers } from '../../../server/newcomers.ts'
import type { ServerOptions } from '../../../server/server.ts'
import { FixedLimits, fixedBytes, type LimitClaim } from '../../../server/socket-io/fixed-limits.ts'
import type { FixedLimit } from '../../../server/transport/transport.ts'
import { transports } from '../../support/transports.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { type Client, connect, groupOf, type Options, type Payload, RawClient } from './clients.ts'

const MIB = 1_048_576

describe.each(transports)('$name', ({ name, fixesLimits }) => {
  const start = (options: ServerOptions = {}) => startServer({ transport: name, ...options })
  const upload = (client: Client, bytes: number): Promise<Payload> =>
    client.ask('upload_file', { groupId: 'kitchen', fileName: 'a.bin', file: Buffer.alloc(bytes, 7) })
  const size = (bytes: number) => ({ success: true, file: { size: bytes } })

  it.each<[string, (token: string) => Options]>([
    ['the query of a WebSocket', (token) => ({ auth: {}, query: { token } })],
    [
      'a header of a WebSocket',
      (token) => ({ auth: {}, extraHeaders: { authorization: `Bearer ${token}` } }),
    ],
    ['the query, and in CONNECT', (token) => ({ query: { token } })],
    ['CONNECT over long polling', () => ({ transports: ['polling'] })],
  ])('a file of 5 MiB is accepted with the token in %s', async (_, options) => {
    const server = await start()
    const ana = await connect(server, 'ana', options(await tokenOf('ana')))
    await groupOf(ana, 'kitchen', [])
    expect(await upload(ana, 5 * MIB)).toMatchObject(size(5 * MIB))
  })

  it('a file of 5 MiB is accepted after the upgrade from long polling', async () => {
    const server = await start()
    const ana = await connect(server, 'ana', { transports: ['polling', 'websocket'] })
    await groupOf(ana, 'kitchen', [])
    const { engine } = ana.socket.io
    if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve))
    expect(await upload(ana, 5 * MIB)).toMatchObject(size(5 * MIB))
  })

  it('a video is accepted with the token in CONNECT, and a larger one if the limit can be raised', async () => {
    const server = await start()
    const ana = await connect(server, 'ana', { query: { token: 'none' }, reconnection: false })
    await groupOf(ana, 'kitchen', [])
    expect(await upload(ana, 6 * MIB)).toMatchObject(size(6 * MIB))
    const larger = upload(ana, 7 * MIB)
    if (fixesLimits) await expect(larger).rejects.toThrow('disconnected')
    else expect(await larger).toMatchObject(size(7 * MIB))
  })

  // INP-2
  it('while others wait for authentication, clients may send a photo, and later ones every message', async () => {
    if (!fixesLimits) return
    const server = await start()
    const waiting: RawClient[] = []
    const wait = async (sockets: number) => {
      for (let i = 0; i < sockets; i++) {
        const client = new RawClient(server)
        waiting.push(client)
        await client.next()
      }
    }
    await wait(2)
    // After the large and the medium one there is room for small ones only.
    const ben = await connect(server, 'ben', { reconnection: false })
    const content = 'x'.repeat(16_000)
    await groupOf(ben, 'kitchen', [])
    expect(await ben.ask('send_message', { groupId: 'kitchen', content })).toMatchObject({ success: true })
    await expect(upload(ben, 100_000)).rejects.toThrow('disconnected')
    for (const client of waiting) client.ws.terminate()
    // A client that connects again has the large limit.
    const again = await connect(server, 'ben')
    expect(await upload(again, 2_000_000)).toMatchObject(size(2_000_000))
  })

  it('of clients that connect at the same moment none is refused', async () => {
    const server = await start()
    const clients = await Promise.all(
      Array.from({ length: 100 }, (_, i) => connect(server, `user-${i}`, { reconnection: false })),
    )
    expect(clients.every(({ socket }) => socket.connected)).toBe(true)
  })

  it('a message larger than 6 MiB ends a socket that has sent no token', async () => {
    const client = new RawClient(await start())
    await client.next()
    await client.send(`40{"token":"${'x'.repeat(7 * MIB)}"}`).closed()
  })

  // INP-2
  it('a user has four sockets at most that have left the namespace', async () => {
    if (!fixesLimits) return
    const server = await start()
    const token = await tokenOf('ana')
    const left: RawClient[] = []
    for (let i = 0; i < 5; i++) {
      const client = new RawClient(server)
      left.push(client)
      await client.next()
      await client.send(`40${JSON.stringify({ token })}`).next()
      client.send('41')
    }
    await left[4]?.closed()
    expect(left.map(({ ws }) => ws.readyState === ws.OPEN)).toEqual([true, true, true, true, false])
    // After CONNECT the socket is authenticated again.
    await left[0]?.send(`40${JSON.stringify({ token })}`).next()
  })
})

describe('the fixed limits', () => {
  const session = null
  function fixed(maxBytes = 24 * MIB) {
    const clock = { ms: 0 }
    const newcomers = new Newcomers({ maxBytes, now: () => clock.ms })
    const userOf = (token: string) => (token === 'bad' ? null : token)
    const limits = new FixedLimits({ newcomers, bytes: fixedBytes(65_536, 16 * MIB), userOf })
    const claims: LimitClaim[] = []
    const replaced: FixedLimit[] = []
    const open = (token: string, address = '1') => {
      const claim = limits.decide({ token, address, session })
      if (typeof claim === 'string') return claim
      claim.evict = () => void replaced.push(claim.limit)
      claims.push(claim)
      return claim.limit
    }
    return { clock, newcomers, limits, claims, replaced, open }
  }

  it('are full for a valid token, for a few sockets of a user at a time', () => {
    const { limits, claims, newcomers, open } = fixed()
    for (let i = 0; i < 4; i++) expect(open('ana')).toBe('full')
    expect(newcomers.bytes).toBe(0)
    expect(open('ana')).toBe('large')
    expect(open('ben')).toBe('full')
    for (const claim of claims.splice(0)) limits.remove(claim)
    expect(open('ana')).toBe('full')
    for (let i = 0; i < 3; i++) expect(limits.again('ana')).toMatchObject({ limit: 'full' })
    expect(limits.again('ana')).toBeNull()
  })

  it('are full for a session that is authenticated, and count for nothing', () => {
    const { limits, newcomers } = fixed()
    const asked = { token: '', address: '1', session: { isTrusted: true } }
    expect(limits.decide(asked)).toMatchObject({ limit: 'full' })
    expect(newcomers.bytes).toBe(0)
  })

  it('are large, medium and small, and leave most of the limit of newcomers to small ones', () => {
    const { clock, newcomers, limits, claims, replaced, open } = fixed()
    expect(open('bad', '1')).toBe('large')
    expect(open('bad', '2')).toBe('medium')
    expect(open('bad', '3')).toBe('small')
    limits.remove(claims[0] as LimitClaim)
    for (let i = 0; i < 4; i++) expect(open('bad', `4${i}`)).toBe(i === 0 ? 'large' : 'small')
    expect(newcomers.bytes).toBeLessThanOrEqual(9 * MIB)
    // A newcomer that is a second old makes room for a client that connects.
    clock.ms = 1_000
    expect(open('bad', '5')).toBe('large')
    expect(replaced).toEqual(['large'])
    expect(newcomers.bytes).toBeLessThanOrEqual(9 * MIB)
  })

  it('refuse the handshake without room', () => {
    const { clock, open } = fixed(65_536)
    expect(open('', '1')).toBe('small')
    expect(open('', '1')).toBe('address')
    expect(open('', '2')).toBe('all')
    clock.ms = 1_000
    expect(open('', '2')).toBe('small')
  })
})
