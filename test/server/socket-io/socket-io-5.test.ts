/**
 * The cases of the public protocol suite of Socket.IO 5, restated frame by frame (SIO-1).
 *
 * The suite's first half is that of Engine.IO, see engine-io-4.test.ts; here it runs against the whole
 * gateway. Different from the suite, because this is not a general server:
 * - CONNECT needs a token, in its payload or in the handshake, and is followed by `connected`, not `auth`.
 * - Only the main namespace exists: the three cases with `/custom` are answered `Invalid namespace`, and the
 *   main namespace works on.
 * - `ping` and `upload_file` take the place of the suite's echo. No event of the protocol has a field of
 *   bytes (see the last test), so attachments are sent by clients only.
 * - The clock is the test's, so heartbeats and deadlines need no waiting.
 */
import { once } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { events } from '../../../protocol/events.ts'
import type { Transport } from '../../../server/transport/transport.ts'
import { startInline } from '../../support/engines.ts'
import { transports } from '../../support/transports.ts'
import { tokenOf } from '../front-end-harness.ts'
import type { RawClient } from './clients.ts'
import {
  type GatewayServer,
  http,
  openConnected,
  openPolling,
  openUpgrade,
  openWebSocket,
  POLLING,
  startGateway,
  WEBSOCKET,
} from './harness.ts'

const SECOND_MS = 1_000
const sid = expect.stringMatching(/^[\w-]{20}$/)

describe.each(transports)('$name', (transport: Transport) => {
  let server: GatewayServer
  beforeEach(async () => {
    server = await startGateway(transport, { engine: await startInline({}) })
  })

  const connected = () => openConnected(server)

  async function refusedWebSocket(query: string): Promise<number | undefined> {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/socket.io/?${query}`)
    ws.on('error', () => {})
    const [, response] = await once(ws, 'unexpected-response')
    response.destroy()
    return response.statusCode
  }

  describe('handshake', () => {
    it.each([
      ['long polling', ['websocket']],
      ['WebSocket', []],
    ])('opens a session: %s', async (name, upgrades) => {
      const text =
        name === 'WebSocket'
          ? String((await openWebSocket(server)).first)
          : (await http(server, POLLING)).text
      expect(text[0]).toBe('0')
      const open = JSON.parse(text.slice(1))
      expect(open).toEqual({
        sid,
        upgrades,
        pingInterval: 25_000,
        pingTimeout: 20_000,
        maxPayload: 16 * 1_048_576,
      })
    })

    it('is refused with an invalid EIO: long polling', async () => {
      expect(await http(server, 'transport=polling')).toMatchObject({ status: 400 })
      expect(await http(server, 'EIO=abc&transport=polling')).toMatchObject({ status: 400 })
    })

    it('is refused with an invalid transport: long polling', async () => {
      expect(await http(server, 'EIO=4')).toMatchObject({ status: 400 })
      expect(await http(server, 'EIO=4&transport=abc')).toMatchObject({ status: 400 })
    })

    it('is refused with an invalid method: long polling', async () => {
      expect(await http(server, POLLING, { method: 'POST' })).toMatchObject({ status: 400 })
      expect(await http(server, POLLING, { method: 'PUT' })).toMatchObject({ status: 400 })
    })

    it('is refused with an invalid EIO: WebSocket', async () => {
      expect(await refusedWebSocket('transport=websocket')).toBe(400)
      expect(await refusedWebSocket('EIO=abc&transport=websocket')).toBe(400)
    })

    it('is refused with an invalid transport: WebSocket', async () => {
      expect(await refusedWebSocket('EIO=4')).toBe(400)
      expect(await refusedWebSocket('EIO=4&transport=abc')).toBe(400)
    })
  })

  describe('heartbeat', () => {
    it('sends pings and receives pongs: long polling', async () => {
      const session = await openPolling(server)
      await http(server, session, { body: `40${JSON.stringify({ token: await tokenOf('ana') })}` })
      let seen = ''
      while (!seen.includes('42["connected"')) seen += (await http(server, session)).text
      for (let i = 0; i < 3; i++) {
        server.advance(25 * SECOND_MS)
        expect(await http(server, session)).toMatchObject({ status: 200, text: '2' })
        expect(await http(server, session, { body: '3' })).toMatchObject({ status: 200 })
      }
    })

    it('closes a session that does not answer: long polling', async () => {
      const session = await openPolling(server)
      server.advance(25 * SECOND_MS)
      server.advance(20 * SECOND_MS)
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('sends pings and receives pongs: WebSocket', async () => {
      const client = await connected()
      for (let i = 0; i < 3; i++) {
        server.advance(25 * SECOND_MS)
        expect(await client.next()).toBe('2')
        expect(String(await client.send('3', '42["ping"]').next())).toMatch(/^42\["pong"/)
      }
    })

    it('closes a session that does not answer: WebSocket', async () => {
      const client = await connected()
      server.advance(25 * SECOND_MS)
      server.advance(20 * SECOND_MS)
      await client.closed()
      expect(client.received).toEqual(['2'])
    })
  })

  describe('close', () => {
    it('ends the waiting poll of a session: long polling', async () => {
      const session = await openPolling(server)
      const [poll] = await Promise.all([
        http(server, session),
        http(server, session, { body: '40/x,' }).then(() => http(server, session, { body: '1' })),
      ])
      expect(poll.status).toBe(200)
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('closes the WebSocket of a session: WebSocket', async () => {
      await (await connected()).send('1').closed()
      expect(server.frontEnd.connections).toBe(0)
    })
  })

  describe('upgrade', () => {
    it('moves a session from long polling to a WebSocket', async () => {
      const client = await openUpgrade(server, await openPolling(server))
      expect(await client.send('2probe').next()).toBe('3probe')
      client.send('5', `40${JSON.stringify({ token: await tokenOf('ana') })}`)
      expect(String(await client.next())).toMatch(/^40\{/)
    })

    it('refuses HTTP requests of the session afterwards', async () => {
      const session = await openPolling(server)
      const client = await openUpgrade(server, session)
      expect(await client.send('2probe', '5', '40/x').next()).toBe('3probe')
      expect(String(await client.next())).toMatch(/^44\/x,/)
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('closes a second WebSocket of the session afterwards', async () => {
      const session = await openPolling(server)
      const client = await openUpgrade(server, session)
      expect(await client.send('2probe', '5', '40/x').next()).toBe('3probe')
      expect(String(await client.next())).toMatch(/^44\/x,/)
      const second = await openUpgrade(server, session)
      expect(await second.closed()).toBe(1008)
      expect(String(await client.send('40/y').next())).toMatch(/^44\/y,/)
    })
  })

  describe('connect', () => {
    it('accepts the main namespace', async () => {
      const client = await openWebSocket(server, `${WEBSOCKET}&token=${await tokenOf('ana')}`)
      const answer = String(await client.send('40').next())
      expect([answer.slice(0, 2), JSON.parse(answer.slice(2))]).toEqual(['40', { sid }])
      expect(String(await client.next())).toMatch(/^42\["connected",\{"message":"[^"]*","userId":"ana",/)
    })

    it('accepts the main namespace with a payload', async () => {
      const client = await openWebSocket(server)
      client.send(`40${JSON.stringify({ token: await tokenOf('ana') })}`)
      const answer = String(await client.next())
      expect([answer.slice(0, 2), JSON.parse(answer.slice(2))]).toEqual(['40', { sid }])
      expect(String(await client.next())).toMatch(/^42\["connected",\{"message":"[^"]*","userId":"ana",/)
    })

    it('refuses a custom namespace', async () => {
      const client = await openWebSocket(server)
      expect(await client.send('40/custom,').next()).toBe('44/custom,{"message":"Invalid namespace"}')
    })

    it('refuses a custom namespace with a payload', async () => {
      const client = await openWebSocket(server)
      client.send(`40/custom,${JSON.stringify({ token: await tokenOf('ana') })}`)
      expect(await client.next()).toBe('44/custom,{"message":"Invalid namespace"}')
    })

    it('refuses an unknown namespace', async () => {
      const client = await openWebSocket(server)
      expect(await client.send('40/random').next()).toBe('44/random,{"message":"Invalid namespace"}')
    })

    it('closes the transport after an invalid handshake', async () => {
      await (await openWebSocket(server)).send('4abc').closed()
    })

    it('closes the transport of a client that sends no CONNECT', async () => {
      const client = await openWebSocket(server)
      server.advance(10 * SECOND_MS)
      await client.closed()
    })
  })

  describe('disconnect', () => {
    it('leaves the main namespace, not the transport', async () => {
      const client = await connected()
      server.advance(24 * SECOND_MS)
      expect(await client.send('41', '40/x').next()).toBe('44/x,{"message":"Invalid namespace"}')
      server.advance(SECOND_MS)
      expect(await client.next()).toBe('2')
    })

    it('of a custom namespace that was refused does not concern the main one', async () => {
      const client = await connected()
      expect(String(await client.send('40/custom').next())).toMatch(/^44\/custom,/)
      expect(String(await client.send('42["ping",{"t":5}]').next())).toMatch(/^42\["pong",\{"t":5,/)
    })
  })

  describe('message', () => {
    const upload =
      '["upload_file",{"groupId":"g","fileName":"a.bin","fileSize":3,"other":{"_placeholder":true,"num":0},' +
      '"file":{"_placeholder":true,"num":1}}]'
    const attachments = [Buffer.from([1, 2, 3, 4]), Buffer.from([4, 5, 6])]

    async function withGroup(): Promise<RawClient> {
      const client = await connected()
      client.send('421["create_group",{"kind":"group","groupId":"g"}]')
      while (!String(await client.next()).startsWith('431[')) {}
      return client
    }

    it('carries text', async () => {
      const client = await connected()
      expect(String(await client.send('42["ping",7]').next())).toMatch(/^42\["pong",\{"t":7,"serverTime":/)
    })

    it('carries attachments', async () => {
      const client = await withGroup()
      client.send(`452-${upload}`, ...attachments)
      let sent = String(await client.next())
      while (!sent.startsWith('42["message_sent"')) sent = String(await client.next())
      expect(JSON.parse(sent.slice(2))[1]).toMatchObject({
        message: { groupId: 'g', file: { fileName: 'a.bin', size: 3 } },
      })
    })

    it('carries text with an acknowledgement', async () => {
      const client = await connected()
      expect(String(await client.send('42456["ping",{"t":7}]').next())).toMatch(/^42\["pong"/)
      const ack = String(await client.next())
      expect(ack.slice(0, 5)).toBe('43456')
      expect(JSON.parse(ack.slice(5))).toEqual([{ success: true, t: 7, serverTime: expect.anything() }])
    })

    it('carries attachments with an acknowledgement', async () => {
      const client = await withGroup()
      client.send(`452-789${upload}`, ...attachments)
      let ack = String(await client.next())
      while (!ack.startsWith('43789')) ack = String(await client.next())
      expect(JSON.parse(ack.slice(5))).toEqual([
        expect.objectContaining({ success: true, file: expect.objectContaining({ size: 3 }) }),
      ])
    })

    it.each([
      ['an unknown packet type', '4abc'],
      ['an invalid payload', '42{}'],
      ['an invalid acknowledgement id', '42abc["ping",1,"2",{"3":[false]}]'],
    ])('closes the transport after %s', async (_, packet) => {
      await (await connected()).send(packet).closed()
    })
  })
})

it('no event of the protocol has a field of bytes', () => {
  const types = Object.values(events).flatMap(({ fields }) =>
    Object.values(fields as Readonly<Record<string, { readonly type: string }>>).map(({ type }) => type),
  )
  expect(types).not.toContain('bytes')
})
