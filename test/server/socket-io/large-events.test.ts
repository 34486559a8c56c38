/**
 * How large an event may be: little before the client is authenticated, a file of 16 MiB afterwards, on
 * every transport (INP-2, LIM-1). uWebSockets.js fixes the limit in the handshake.
 */
import { describe, expect, it } from 'vitest'
import type { ServerOptions } from '../../../server/server.ts'
import { FixedLimits } from '../../../server/socket-io/fixed-limits.ts'
import { transports } from '../../support/transports.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { type Client, connect, groupOf, type Options, type Payload, RawClient } from './clients.ts'

const MIB = 1_048_576

describe.each(transports)('$name', ({ name }) => {
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

  it('a photo is accepted with the token in CONNECT, and a larger file if the limit can be raised', async () => {
    const server = await start()
    const ana = await connect(server, 'ana', { query: { token: 'none' }, reconnection: false })
    await groupOf(ana, 'kitchen', [])
    expect(await upload(ana, 2_000_000)).toMatchObject(size(2_000_000))
    const larger = upload(ana, 3 * MIB)
    if (name === 'node') expect(await larger).toMatchObject(size(3 * MIB))
    else await expect(larger).rejects.toThrow('disconnected')
  })

  it('while several sockets wait for authentication, further ones may send every message, and no file', async () => {
    if (name === 'node') return
    const server = await start()
    const waiting = Array.from({ length: 4 }, () => new RawClient(server))
    await Promise.all(waiting.map((client) => client.next()))
    const ana = await connect(server, 'ana', { reconnection: false })
    await groupOf(ana, 'kitchen', [])
    const content = 'x'.repeat(16_000)
    expect(await ana.ask('send_message', { groupId: 'kitchen', content })).toMatchObject({ success: true })
    for (const client of waiting) client.ws.terminate()
    await expect(upload(ana, 100_000)).rejects.toThrow('disconnected')
    const again = await connect(server, 'ana')
    expect(await upload(again, 2_000_000)).toMatchObject(size(2_000_000))
  })

  // INP-2
  it('a message larger than 2 MiB ends a socket that has sent no token', async () => {
    const client = new RawClient(await start())
    await client.next()
    await client.send(`40{"token":"${'x'.repeat(2 * MIB)}"}`).closed()
  })
})

describe('the fixed limits', () => {
  const session = null
  const limits = () => new FixedLimits(async (token) => (token === 'bad' ? null : token))

  it('are full for a valid token, for a few sockets of a user at a time', async () => {
    const fixed = limits()
    const claims = []
    for (let i = 0; i < 5; i++) {
      const claim = await fixed.decide({ token: 'ana', address: '1', session })
      fixed.add(claim)
      claims.push(claim)
    }
    expect(claims.map(({ limit }) => limit)).toEqual(['full', 'full', 'full', 'full', 'large'])
    expect((await fixed.decide({ token: 'ben', address: '1', session })).limit).toBe('full')
    for (const claim of claims) fixed.remove(claim)
    expect((await fixed.decide({ token: 'ana', address: '1', session })).limit).toBe('full')
  })

  it('are large for four sockets of an address and eight in total', async () => {
    const fixed = limits()
    const found: string[] = []
    for (let i = 0; i < 12; i++) {
      const claim = await fixed.decide({ token: 'bad', address: String(i >> 2), session })
      fixed.add(claim)
      found.push(claim.limit)
    }
    const large = Array.from({ length: 4 }, () => 'large')
    expect(found).toEqual([...large, ...large, 'small', 'small', 'small', 'small'])
    const other = limits()
    for (let i = 0; i < 4; i++) other.add({ limit: 'large', countedFor: 'address 1' })
    expect((await other.decide({ token: '', address: '1', session })).limit).toBe('small')
    other.remove({ limit: 'large', countedFor: 'address 1' })
    expect((await other.decide({ token: '', address: '1', session })).limit).toBe('large')
  })
})
