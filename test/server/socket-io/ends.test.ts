/**
 * How a Socket.IO session ends, and its edges, on every transport: what the client sees, whether it
 * reconnects by itself, and that nothing it has received has a hole.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type CloseReason, closeCodes } from '../../../protocol/close-codes.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { EngineSession } from '../../../server/socket-io/engine-session.ts'
import { aPost } from '../../support/groups.ts'
import { SocketClient } from '../../support/socket-client.ts'
import { transports } from '../../support/transports.ts'
import { tokenOf } from '../front-end-harness.ts'
import { RawClient } from './clients.ts'
import {
  type GatewayOptions,
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

const TOPIC = 'g:kitchen'
const PAYLOAD = 'x'.repeat(16_000)
const connect = async (userId: string, ttlSeconds?: number) =>
  `40${JSON.stringify({ token: await tokenOf(userId, ttlSeconds) })}`
const post = (seq: number) => encodeEvent('new_message', 0, { message: { ...aPost(seq), content: PAYLOAD } })

describe.each(transports)('$name', (transport) => {
  let server: GatewayServer
  beforeEach(async () => {
    server = await startGateway(transport)
  })

  const start = async (options: GatewayOptions) => {
    server = await startGateway(transport, options)
  }

  const connected = (userId?: string, ttlSeconds?: number) => openConnected(server, userId, ttlSeconds)

  /** A session that polls, after `connected`. */
  async function polling(userId = 'ana', ttlSeconds?: number): Promise<string> {
    const session = await openPolling(server)
    await http(server, session, { body: await connect(userId, ttlSeconds) })
    let seen = ''
    while (!seen.includes('42["connected"')) seen += (await http(server, session)).text
    return session
  }

  const portOf = (session: number) => server.gateway.session(session).port

  describe('an end by the server', () => {
    const reasons = Object.keys(closeCodes) as CloseReason[]
    const staysAway = (reason: CloseReason) => closeCodes[reason].code >= 4400 && reason !== 'token_expired'

    it.each(reasons.filter((reason) => !staysAway(reason)))(
      'closes the transport, so that the client reconnects: %s',
      async (reason) => {
        const client = await connected()
        portOf(0).close(reason)
        expect(await client.closed()).toBe(closeCodes[reason].code)
        expect(client.received).toEqual([])
      },
    )

    it.each(reasons.filter(staysAway))(
      'sends DISCONNECT first, so that it stays away: %s',
      async (reason) => {
        const client = await connected()
        portOf(0).close(reason)
        expect(await client.next()).toBe('41')
        expect(await client.closed()).toBe(closeCodes[reason].code)
      },
    )

    it('answers the poll of a session, with all packets before it', async () => {
      const session = await polling()
      const polls = vi.spyOn(EngineSession.prototype, 'poll')
      const poll = http(server, session)
      server.gateway.session(0).port.send(post(1))
      expect((await poll).text).toMatch(/^42\["new_message",/)
      const next = http(server, session)
      await expect.poll(() => polls.mock.calls.length).toBe(2)
      portOf(0).close('revoked')
      expect((await next).text).toBe('41')
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    // AUT-1
    it.each([
      ['unauthenticated', 'unauthenticated'],
      ['too_many_sessions', 'too_many_sessions'],
    ] as const)('while it connects is a CONNECT_ERROR: %s', async (reason, code) => {
      server.gateway.connectedIsSent = 'by hand'
      const client = await openWebSocket(server)
      client.send(await connect('ana'))
      await expect.poll(() => server.gateway.sessions.length).toBe(1)
      portOf(0).close(reason)
      const refusal = String(await client.next())
      expect([refusal.slice(0, 2), JSON.parse(refusal.slice(2))]).toMatchObject(['44', { data: { code } }])
      server.gateway.connectedIsSent = 'at once'
      client.send(await connect('ana'))
      expect(String(await client.next())).toMatch(/^40\{/)
    })

    it('while it connects closes the transport if the client should retry', async () => {
      server.gateway.connectedIsSent = 'by hand'
      const client = await openWebSocket(server)
      client.send(await connect('ana'))
      await expect.poll(() => server.gateway.sessions.length).toBe(1)
      server.advance(10_000)
      expect(await client.closed()).toBe(1013)
    })

    // LIM-2
    it('is sent to the session that is too many', async () => {
      await start({ maxSessionsPerUser: 1 })
      const first = await connected()
      await connected()
      expect(await first.next()).toBe('41')
      expect(await first.closed()).toBe(4409)
    })
  })

  describe('a token that expires', () => {
    // AUT-4
    it('is announced, then the transport is closed and the client reconnects', async () => {
      const client = await connected('ana', 60)
      server.advance(30_000)
      expect(String(await client.next())).toMatch(/^42\["token_expiring",\{"expiresAt":"/)
      expect(await client.next()).toBe('2')
      client.send('3')
      server.advance(30_000)
      expect(await client.closed()).toBe(4402)
      expect(client.received).not.toContain('41')
    })

    it('is announced and ends a session that polls', async () => {
      const session = await polling('ana', 60)
      server.advance(30_000)
      const [expiring, ping] = (await http(server, session)).text.split('\x1e')
      expect(expiring).toMatch(/^42\["token_expiring"/)
      expect(ping).toBe('2')
      await http(server, session, { body: '3' })
      server.advance(30_000)
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('that has expired before is a CONNECT_ERROR', async () => {
      const client = await openWebSocket(server)
      const refusal = String(await client.send(await connect('ana', -60)).next())
      expect(JSON.parse(refusal.slice(2))).toEqual({
        message: 'the token has expired',
        data: { code: 'unauthenticated', message: 'the token has expired' },
      })
    })
  })

  describe('a slow reader', () => {
    const seqsOf = (packets: readonly (string | Buffer)[]) =>
      packets.flatMap((packet) => {
        const text = String(packet)
        return text.startsWith('42["new_message"') ? [JSON.parse(text.slice(2))[1].seq] : []
      })
    /** Publishes until the session is closed. */
    async function flood(): Promise<number> {
      let seq = 0
      while (server.frontEnd.connections > 0 && seq < 20_000) {
        server.gateway.publish(TOPIC, post(++seq))
        if (seq % 4 === 0) await new Promise(setImmediate)
      }
      return seq
    }

    // SLW-1
    it('is closed with 4008 and has received everything before, in order', async () => {
      await start({ maxBackpressure: 128 * 1_024 })
      const client = await connected()
      portOf(0).subscribe(TOPIC)
      client.reading.stop()
      const sent = await flood()
      expect(server.frontEnd.connections).toBe(0)
      client.reading.go()
      expect(await client.closed()).toBe(4008)
      const seqs = seqsOf(client.received)
      expect(seqs.length).toBeLessThan(sent)
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i + 1))
    })

    it('that does not poll loses its session', async () => {
      await start({ maxBackpressure: 128 * 1_024 })
      const session = await polling()
      portOf(0).subscribe(TOPIC)
      expect(await flood()).toBeLessThan(100)
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    it('receives everything if it catches up in time', async () => {
      await start({ maxBackpressure: 1_048_576 })
      const session = await polling()
      portOf(0).subscribe(TOPIC)
      for (let seq = 1; seq <= 20; seq++) server.gateway.publish(TOPIC, post(seq))
      const { text } = await http(server, session)
      expect(seqsOf(text.split('\x1e'))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    })
  })

  describe('a hostile client', () => {
    // LIM-1
    it('is closed after too many refused CONNECTs', async () => {
      const client = await openWebSocket(server)
      for (let i = 0; i < 20; i++) client.send(`40/n${i}`)
      await client.closed()
      expect(client.received).toHaveLength(16)
    })

    it('is closed after a second CONNECT', async () => {
      const client = await connected()
      await client.send(await connect('ana')).closed()
    })

    it('is closed after a CONNECT_ERROR', async () => {
      await (await connected()).send('44{"message":"x"}').closed()
    })

    // INP-1
    it('is closed with 4400 after ten acknowledgements that nobody requested', async () => {
      const client = await connected()
      for (let i = 0; i < 10; i++) client.send(`43${i}[]`)
      expect(await client.next()).toBe('41')
      expect(await client.closed()).toBe(4400)
    })

    it('is closed after a second probe', async () => {
      const client = await openUpgrade(server, await openPolling(server))
      await client.send('2probe', '2probe', '2probe').closed()
      expect(client.received.length).toBeLessThan(2)
    })

    it('is closed after more packets in one request than clients send', async () => {
      const session = await polling()
      const body = Array.from({ length: 5_000 }, () => '3').join('\x1e')
      expect(await http(server, session, { body })).toMatchObject({ status: 400 })
      expect(await http(server, session)).toMatchObject({ status: 400 })
    })

    // INP-2
    it.each([
      ['of another event', `42["send_message",{"content":"${'x'.repeat(500_000)}"}]`],
      ['with many parts', `42["upload_file",{"file":${'['.repeat(500_000)}`],
    ])('is refused a large event %s, which is not read', async (_, packet) => {
      const client = await openWebSocket(server, `${WEBSOCKET}&token=${await tokenOf('ana')}`)
      client.send('40')
      while (!String(await client.next()).startsWith('42["connected"')) {}
      const refusal = String(await client.send(packet.replace('42', '425')).next())
      expect(refusal.slice(0, 3)).toMatch(/^435$|^42\[/)
      const ack = refusal.startsWith('435') ? refusal : String(await client.next())
      expect(JSON.parse(ack.slice(3))).toMatchObject([{ success: false, code: 'too_large' }])
      expect(server.gateway.session(0).requests).toEqual([])
    })

    // LIM-1
    it('is charged for a large event with a file before it is read', async () => {
      await start({ rateLimit: 1 })
      const client = await openWebSocket(server, `${WEBSOCKET}&token=${await tokenOf('ana')}`)
      client.send('40')
      while (!String(await client.next()).startsWith('42["connected"')) {}
      // 60 tokens for files a minute; one for each 48 KiB.
      for (const code of ['bad_request', 'rate_limited']) {
        const packet = `425["upload_file",{"file":"${'!'.repeat(40 * 49_152)}"}]`
        client.send(packet)
        let ack = String(await client.next())
        while (!ack.startsWith('435')) ack = String(await client.next())
        expect(JSON.parse(ack.slice(3))).toMatchObject([{ success: false, code }])
      }
    })

    it('that opens one WebSocket after the other for its session loses it', async () => {
      const session = await openPolling(server)
      const client = await openUpgrade(server, session)
      expect(await client.send('2probe', '5').next()).toBe('3probe')
      for (let i = 0; i < 9; i++) await (await openUpgrade(server, session)).closed()
      await client.closed()
    })

    it('is refused fields that are nested too deeply', async () => {
      const client = await connected()
      const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
      const refusal = String(await client.send(`425["join_group",{"groupId":${deep}}]`).next())
      expect(JSON.parse(refusal.slice(3))).toMatchObject([{ success: false }])
      expect(server.logged).toEqual([])
    })
  })

  describe('the path without the slash at its end', () => {
    it('is the same for long polling, WebSockets and the upgrade', async () => {
      const path = '/socket.io'
      const { text } = await http(server, POLLING, { path })
      const session = `${POLLING}&sid=${JSON.parse(text.slice(1)).sid}`
      const upgrade = new RawClient(server, session.replace('polling', 'websocket'), {}, path)
      await upgrade.opened()
      expect(await upgrade.send('2probe').next()).toBe('3probe')
      const client = new RawClient(server, WEBSOCKET, {}, path)
      expect(String(await client.next())).toMatch(/^0\{/)
      client.send(await connect('ana'))
      expect(String(await client.next())).toMatch(/^40\{/)
    })
  })

  describe('pages of other origins', () => {
    const origin = 'https://app.example'
    beforeEach(() => start({ corsOrigins: [origin] }))

    it('may send requests with credentials, and read refusals', async () => {
      for (const query of [POLLING, `${POLLING}&sid=none`, 'EIO=3&transport=polling']) {
        const { headers } = await http(server, query, { headers: { origin } })
        expect(headers.get('access-control-allow-origin')).toBe(origin)
        expect(headers.get('access-control-allow-credentials')).toBe('true')
        expect(headers.get('vary')).toBe('Origin')
        expect(headers.get('set-cookie')).toBeNull()
      }
    })

    it('receive an answer to a preflight', async () => {
      const { status, headers } = await http(server, POLLING, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-headers': 'authorization' },
      })
      expect(status).toBe(200)
      expect(headers.get('access-control-allow-methods')).toContain('POST')
      expect(headers.get('access-control-allow-headers')).toBe('authorization')
    })

    // TRN-3
    it('are refused with 403 if they are not configured, in every request', async () => {
      const session = await openPolling(server)
      const headers = { origin: 'https://other.example' }
      for (const query of [POLLING, session]) {
        const refused = await http(server, query, { headers })
        expect(refused.status).toBe(403)
        expect(refused.headers.get('access-control-allow-origin')).toBeNull()
      }
      expect((await http(server, session, { body: '1', headers })).status).toBe(403)
      await expect(openWebSocketFrom(headers)).rejects.toThrow()
    })

    async function openWebSocketFrom(headers: Record<string, string>): Promise<void> {
      await new RawClient(server, WEBSOCKET, headers).next()
    }
  })

  it('connections are counted by protocol', async () => {
    await Promise.all([connected('ana'), polling('ben')])
    const binary = new SocketClient(server.port, { token: await tokenOf('carla') })
    await binary.next('connected')
    expect(server.frontEnd.connectionsByProtocol).toEqual({
      'tertulia.v1.msgpack': 1,
      'tertulia.v1.json': 0,
      'socket.io': 2,
    })
    binary.ws.terminate()
  })
})
