/**
 * The cases of the public protocol suite of Engine.IO 4, restated frame by frame (SIO-1).
 *
 * One test for each case, on every transport. Different from the suite: the path is that of Socket.IO; the
 * clock is the test's, so a heartbeat needs no waiting; refused WebSockets are also checked for their
 * status. Engine.IO sends no bytes here, so the echo writes those to the socket itself. The last case of
 * `message` is from the suite of an earlier version.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { PING_INTERVAL_MS, PING_TIMEOUT_MS } from '../../../server/socket-io/engine-session.ts'
import { transports } from '../../support/transports.ts'
import {
  type EngineIoServer,
  http,
  openPolling,
  openUpgrade,
  openWebSocket,
  POLLING,
  startEngineIo,
  WEBSOCKET,
} from './harness.ts'

/** The status of a refused handshake. */
async function refusedWebSocket({ port }: EngineIoServer, query: string): Promise<number | undefined> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?${query}`)
  ws.on('error', () => {})
  const [, response] = await once(ws, 'unexpected-response')
  response.destroy()
  return response.statusCode
}

const openPacket = (upgrades: readonly string[]) => ({
  sid: expect.stringMatching(/^[\w-]{20}$/),
  upgrades,
  pingInterval: 25_000,
  pingTimeout: 20_000,
  maxPayload: 1_000_000,
})

describe.each(transports)('$name', (transport) => {
  describe('handshake: long polling', () => {
    it('opens a session', async () => {
      const { status, text } = await http(await startEngineIo(transport), POLLING)
      expect([status, text[0], JSON.parse(text.slice(1))]).toEqual([200, '0', openPacket(['websocket'])])
    })

    it('is refused with an invalid EIO', async () => {
      const server = await startEngineIo(transport)
      expect(await http(server, 'transport=polling')).toMatchObject({ status: 400 })
      expect(await http(server, 'EIO=abc&transport=polling')).toMatchObject({ status: 400 })
    })

    it('is refused with an invalid transport', async () => {
      const server = await startEngineIo(transport)
      expect(await http(server, 'EIO=4')).toMatchObject({ status: 400 })
      expect(await http(server, 'EIO=4&transport=abc')).toMatchObject({ status: 400 })
    })

    it('is refused with an invalid method', async () => {
      const server = await startEngineIo(transport)
      expect(await http(server, POLLING, { method: 'POST' })).toMatchObject({ status: 400 })
      expect(await http(server, POLLING, { method: 'PUT' })).toMatchObject({ status: 400 })
    })
  })

  describe('handshake: WebSocket', () => {
    it('opens a session', async () => {
      const server = await startEngineIo(transport)
      const client = await openWebSocket(server)
      expect(server.sessions).toHaveLength(1)
      client.ws.close()
      const other = await openWebSocket(server)
      expect(other.first?.[0]).toBe('0')
      expect(JSON.parse(String(other.first?.slice(1)))).toEqual(openPacket([]))
    })

    it('is refused with an invalid EIO', async () => {
      const server = await startEngineIo(transport)
      expect(await refusedWebSocket(server, 'transport=websocket')).toBe(400)
      expect(await refusedWebSocket(server, 'EIO=abc&transport=websocket')).toBe(400)
    })

    it('is refused with an invalid transport', async () => {
      const server = await startEngineIo(transport)
      expect(await refusedWebSocket(server, 'EIO=4')).toBe(400)
      expect(await refusedWebSocket(server, 'EIO=4&transport=abc')).toBe(400)
    })
  })

  describe('message: long polling', () => {
    it.each([
      ['one packet of text', '4hello'],
      ['several packets of text', '4test1\x1e4test2\x1e4test3'],
      ['packets of text and of bytes', '4hello\x1ebAQIDBA=='],
    ])('carries %s', async (_, body) => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      expect(await http(server, session, { body })).toMatchObject({ status: 200, text: 'ok' })
      expect(await http(server, session)).toMatchObject({ status: 200, text: body })
    })

    it('closes the session after an invalid packet', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      expect(await http(server, session, { body: 'abc' })).toMatchObject({ status: 400 })
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('closes the session after a second poll at the same time', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      const first = http(server, session)
      await expect.poll(() => server.sessions[0]?.hasPoll).toBe(true)
      expect(await http(server, `${session}&t=burst`)).toMatchObject({ status: 400 })
      expect(await first).toMatchObject({ status: 200, text: '1' })
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('closes the session after a cancelled poll', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      const poll = connect(server.port, '127.0.0.1')
      poll.write(`GET /socket.io/?${session} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await expect.poll(() => server.sessions[0]?.hasPoll).toBe(true)
      poll.destroy()
      await expect.poll(() => server.sessions[0]?.isOpen).toBe(false)
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })
  })

  describe('message: WebSocket', () => {
    it('carries a packet of text', async () => {
      const client = await openWebSocket(await startEngineIo(transport))
      expect(await client.send('4hello').next()).toBe('4hello')
    })

    it('carries a packet of bytes', async () => {
      const client = await openWebSocket(await startEngineIo(transport))
      expect(await client.send(Buffer.from([1, 2, 3, 4])).next()).toEqual(Buffer.from([1, 2, 3, 4]))
    })

    it('closes the session after an invalid packet', async () => {
      const client = await openWebSocket(await startEngineIo(transport))
      await client.send('abc').closed()
    })
  })

  describe('heartbeat: long polling', () => {
    it('sends pings and receives pongs', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      for (let i = 0; i < 3; i++) {
        server.advance(PING_INTERVAL_MS)
        expect(await http(server, session)).toMatchObject({ status: 200, text: '2' })
        expect(await http(server, session, { body: '3' })).toMatchObject({ status: 200 })
      }
    })

    it('closes a session that does not answer', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      server.advance(PING_INTERVAL_MS)
      server.advance(PING_TIMEOUT_MS)
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })
  })

  describe('heartbeat: WebSocket', () => {
    it('sends pings and receives pongs', async () => {
      const server = await startEngineIo(transport)
      const client = await openWebSocket(server)
      for (let i = 0; i < 3; i++) {
        server.advance(PING_INTERVAL_MS)
        expect(await client.next()).toBe('2')
        expect(await client.send('3', '4').next()).toBe('4')
      }
    })

    // PRS-1
    it('closes a session that does not answer', async () => {
      const server = await startEngineIo(transport)
      const client = await openWebSocket(server)
      server.advance(PING_INTERVAL_MS)
      server.advance(PING_TIMEOUT_MS - 1)
      expect(await client.next()).toBe('2')
      expect(await client.send('4').next()).toBe('4')
      server.advance(1)
      expect(await client.closed()).toBe(1000)
    })
  })

  describe('close', () => {
    it('ends the waiting poll of a session', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      const poll = http(server, session)
      await expect.poll(() => server.sessions[0]?.hasPoll).toBe(true)
      expect(await http(server, session, { body: '1' })).toMatchObject({ status: 200 })
      expect(await poll).toMatchObject({ status: 200, text: '6' })
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('closes the WebSocket of a session', async () => {
      const client = await openWebSocket(await startEngineIo(transport))
      await client.send('1').closed()
    })
  })

  describe('upgrade', () => {
    it('moves a session from long polling to a WebSocket', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      const client = await openUpgrade(server, session)
      expect(await client.send('2probe').next()).toBe('3probe')
      expect(await http(server, session)).toMatchObject({ status: 200, text: '6' })
      expect(await client.send('5', '4hello').next()).toBe('4hello')
    })

    it('refuses HTTP requests of the session afterwards', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      const client = await openUpgrade(server, session)
      expect(await client.send('2probe', '5').next()).toBe('3probe')
      expect(await client.send('4').next()).toBe('4')
      expect(await http(server, session)).toMatchObject({ status: 400 })
      expect(await client.send('4hello').next()).toBe('4hello')
    })

    it('closes a second WebSocket of the session afterwards', async () => {
      const server = await startEngineIo(transport)
      const session = await openPolling(server)
      const client = await openUpgrade(server, session)
      expect(await client.send('2probe', '5').next()).toBe('3probe')
      const second = await openUpgrade(server, session)
      expect(await second.closed()).toBe(1008)
      expect(await client.send('4hello').next()).toBe('4hello')
    })
  })

  it('refuses a request for a WebSocket that is no handshake', async () => {
    const server = await startEngineIo(transport)
    expect(await http(server, WEBSOCKET)).toMatchObject({ status: 400 })
  })
})
