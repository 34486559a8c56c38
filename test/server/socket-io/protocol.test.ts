/**
 * Engine.IO 4 and Socket.IO 5, packet by packet: WebSocket, long polling, upgrade, refusals (SIO-1).
 */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Server } from '../../../server/server.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { clientOf, connect, groupOf, RawClient, rawClient } from './clients.ts'

const POLLING = 'EIO=4&transport=polling'
const urlOf = (server: Server, query: string) => `http://127.0.0.1:${server.port}/socket.io/?${query}`

async function http(server: Server, query: string, body?: string, headers: Record<string, string> = {}) {
  const method = body === undefined ? 'GET' : 'POST'
  const response = await fetch(urlOf(server, query), { method, headers, ...(body !== undefined && { body }) })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/** A session that polls; with a user, after CONNECT and `connected`. */
async function polling(server: Server, userId?: string): Promise<string> {
  const { text } = await http(server, POLLING)
  const query = `${POLLING}&sid=${JSON.parse(text.slice(1)).sid}`
  if (userId === undefined) return query
  expect(await http(server, query, `40{"token":"${await tokenOf(userId)}"}`)).toMatchObject({ text: 'ok' })
  let seen = ''
  while (!seen.includes('42["connected"')) seen += (await http(server, query)).text
  return query
}

describe('the handshake', () => {
  it.each(['polling', 'websocket'] as const)('opens a session: %s', async (transport) => {
    const server = await startServer()
    const open =
      transport === 'polling' ? (await http(server, POLLING)).text : await new RawClient(server).next()
    expect(JSON.parse(String(open).slice(1))).toEqual({
      sid: expect.any(String),
      upgrades: transport === 'polling' ? ['websocket'] : [],
      pingInterval: 25_000,
      pingTimeout: 20_000,
      maxPayload: expect.any(Number),
    })
  })

  it.each([
    ['transport=polling', 5],
    ['EIO=abc&transport=polling', 5],
    ['EIO=3&transport=polling', 5],
    ['EIO=4', 0],
    ['EIO=4&transport=abc', 0],
    ['EIO=4&transport=websocket', 3],
    ['EIO=4&transport=polling&sid=none', 1],
  ])('refuses %s', async (query, code) => {
    const server = await startServer()
    const { status, text } = await http(server, query)
    expect([status, JSON.parse(text).code]).toEqual([400, code])
  })

  it('refuses another method', async () => {
    const server = await startServer()
    expect(await http(server, POLLING, '4hello')).toMatchObject({ status: 400 })
  })

  it('accepts a WebSocket whose query says polling, as Dart clients send it', async () => {
    const server = await startServer()
    expect(String(await new RawClient(server, POLLING).next())).toMatch(/^0\{/)
  })

  // TRN-3
  it('checks the origin of every request, and allows pages that are configured', async () => {
    const server = await startServer({ corsOrigins: ['https://app.example'] })
    const refused = await http(server, POLLING, undefined, { origin: 'https://other.example' })
    expect(refused.status).toBe(403)
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
    const allowed = await http(server, POLLING, undefined, { origin: 'https://app.example' })
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(allowed.headers.get('set-cookie')).toBeNull()
    const origin = { origin: 'https://app.example', 'access-control-request-headers': 'x-a' }
    const preflight = await fetch(urlOf(server, POLLING), { method: 'OPTIONS', headers: origin })
    expect(preflight.headers.get('access-control-allow-headers')).toBe('x-a')
  })

  it('is not there with SOCKET_IO=off', async () => {
    const server = await startServer({ socketIo: 'off' })
    expect((await http(server, POLLING)).status).toBe(404)
  })

  // LIM-2
  it('counts towards the limit of sockets without a token', async () => {
    const server = await startServer({ maxUnauthenticated: 1 })
    await polling(server)
    expect((await http(server, POLLING)).status).toBe(503)
  })

  // LIM-1
  it('closes the transport of a client that sends too much before it is authenticated', async () => {
    const server = await startServer()
    const client = new RawClient(server)
    await client.next()
    client.send(`40{"token":"${'x'.repeat(1_048_576)}"}`)
    await client.closed()
    const query = await polling(server)
    expect((await http(server, query, `40{"token":"${'x'.repeat(16_384)}"}`)).status).toBe(413)
  })
})

describe('long polling', () => {
  it('sends and receives several packets at once', async () => {
    const server = await startServer()
    const query = await polling(server, 'ana')
    await http(server, query, '420["ping",{}]\x1e421["ping",{}]')
    let seen = ''
    while (!seen.includes('431[')) seen += `${(await http(server, query)).text}\x1e`
    expect(seen.match(/43[01]\[\{"success":true/g)).toHaveLength(2)
  })

  it('receives attachments as base64', async () => {
    const server = await startServer()
    const query = await polling(server, 'ana')
    await http(server, query, '420["create_group",{"kind":"group","groupId":"g"}]')
    const upload =
      '451-1["upload_file",{"fileName":"a.txt","file":{"_placeholder":true,"num":0},"groupId":"g"}]'
    await http(server, query, `${upload}\x1eb${Buffer.from('hello').toString('base64')}`)
    let seen = ''
    while (!seen.includes('431[')) seen += (await http(server, query)).text
    expect(seen).toContain('"size":5')
  })

  it('closes the session at a malformed packet', async () => {
    const server = await startServer()
    const query = await polling(server)
    expect((await http(server, query, 'abc')).status).toBe(400)
    expect((await http(server, query)).status).toBe(400)
  })

  it('refuses two polls at once and closes the session', async () => {
    const server = await startServer()
    const query = await polling(server)
    const both = await Promise.all([http(server, query), http(server, query)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400])
    expect((await http(server, query)).status).toBe(400)
  })

  it('limits a body before the client is authenticated', async () => {
    const server = await startServer()
    const query = await polling(server)
    expect((await http(server, query, `4${'x'.repeat(20_000)}`)).status).toBe(413)
  })

  it('ends a waiting poll when the client closes the session', async () => {
    const server = await startServer()
    const query = await polling(server)
    const [poll, close] = [connectTcp(server.port, '127.0.0.1'), connectTcp(server.port, '127.0.0.1')]
    await Promise.all([once(poll, 'connect'), once(close, 'connect')])
    const head = (method: string) => `${method} /socket.io/?${query} HTTP/1.1\r\nHost: x\r\n`
    poll.write(`${head('GET')}\r\n`, () => close.end(`${head('POST')}Content-Length: 1\r\n\r\n1`))
    expect(String(await once(poll, 'data'))).toMatch(/^HTTP\/1\.1 200 /)
    poll.destroy()
    close.resume()
    expect((await http(server, query)).status).toBe(400)
  })
})

describe('the upgrade', () => {
  it('moves a session to a WebSocket, and refuses polls and a second WebSocket afterwards', async () => {
    const server = await startServer()
    const query = await polling(server, 'ana')
    const ws = new RawClient(server, query.replace('polling', 'websocket'))
    await new Promise((resolve) => ws.ws.once('open', resolve))
    ws.send('2probe')
    expect(await ws.next()).toBe('3probe')
    ws.send('5').send('420["ping",{}]')
    let answer = await ws.next()
    while (!String(answer).startsWith('430')) answer = await ws.next()
    expect((await http(server, query)).status).toBe(400)
    await new RawClient(server, query.replace('polling', 'websocket')).closed()
    expect(String(await ws.send('421["ping",{}]').next())).toContain('pong')
  })

  // ORD-1
  it('loses nothing and sends nothing twice', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana')
    await groupOf(ana, 'kitchen', ['ben'])
    const ben = await connect(server, 'ben', { transports: ['polling', 'websocket'] })
    const upgraded = new Promise((resolve) => ben.socket.io.engine.once('upgrade', resolve))
    let isUpgraded = ben.socket.io.engine.transport.name === 'websocket'
    if (!isUpgraded)
      void upgraded.then(() => {
        isUpgraded = true
      })
    let sent = 0
    while (!isUpgraded || sent < 50) {
      await ana.ask('send_message', { groupId: 'kitchen', content: String(sent++) })
    }
    const seqs: unknown[] = []
    while (seqs.length < sent) seqs.push((await ben.next('new_message'))['seq'])
    expect(seqs).toEqual(Array.from({ length: sent }, (_, i) => i + 2))
  })
})

describe('Socket.IO', () => {
  it('answers CONNECT with the sid, then connected', async () => {
    const server = await startServer()
    const client = await rawClient(server)
    client.send(`40${JSON.stringify({ token: `Bearer ${await tokenOf('ana')}` })}`)
    expect(String(await client.next())).toMatch(/^40\{"sid":"[^"]+"\}$/)
    expect(String(await client.next())).toMatch(/^42\["connected",\{"message":"[^"]*","userId":"ana"/)
  })

  // AUT-1
  it.each(['token', 'accessToken', 'access_token', 'jwt', 'authorization'])(
    'reads auth.%s',
    async (place) => {
      const server = await startServer()
      const ana = await connect(server, 'ana', { auth: { [place]: await tokenOf('ana') } })
      expect(await ana.next('connected')).toMatchObject({ userId: 'ana' })
    },
  )

  it('reads the token of the query and of the header', async () => {
    const server = await startServer()
    const token = await tokenOf('ana')
    await connect(server, 'ana', { auth: {}, query: { token } })
    await connect(server, 'ana', { auth: {}, query: { access_token: token } })
    await connect(server, 'ana', { auth: {}, extraHeaders: { authorization: `Bearer ${token}` } })
  })

  it.each([[{ token: 'bad' }], [{}]])(
    'refuses %j with CONNECT_ERROR, and allows another CONNECT',
    async (auth) => {
      const server = await startServer()
      const client = await rawClient(server)
      client.send(`40${JSON.stringify(auth)}`)
      const refusal = String(await client.next())
      expect(JSON.parse(refusal.slice(2))).toMatchObject({ data: { code: 'unauthenticated' } })
      client.send(`40${JSON.stringify({ token: await tokenOf('ana') })}`)
      expect(String(await client.next())).toMatch(/^40\{/)
    },
  )

  it('reports a bad token as connect_error', async () => {
    const server = await startServer()
    const client = clientOf(server, { auth: { token: 'bad' } })
    const failed = new Promise<Error>((resolve) => client.socket.once('connect_error', resolve))
    client.socket.connect()
    expect((await failed).message).toMatch(/token/)
    expect(client.socket.active).toBe(false)
  })

  it('refuses other namespaces; the one of the path is the main one', async () => {
    const server = await startServer()
    const client = await rawClient(server)
    expect(await client.send('40/custom,').next()).toBe('44/custom,{"message":"Invalid namespace"}')
    client.send(`40/socket.io/,${JSON.stringify({ token: await tokenOf('ana') })}`)
    expect(String(await client.next())).toMatch(/^40\/socket\.io\/,\{"sid"/)
    expect(String(await client.next())).toMatch(/^42\/socket\.io\/,\["connected"/)
    client.send('42/socket.io/,0["create_group",{"kind":"group","groupId":"g"}]')
    let published = String(await client.next())
    while (!published.includes('group_created')) published = String(await client.next())
    expect(published).toMatch(/^42\/socket\.io\/,\["group_created"/)
  })

  it('DISCONNECT leaves the transport open for another CONNECT', async () => {
    const server = await startServer()
    const client = await rawClient(server, 'ana')
    client.send('41', `40${JSON.stringify({ token: await tokenOf('ana') })}`)
    expect(String(await client.next())).toMatch(/^40\{/)
  })

  it.each([
    ['an event before CONNECT', undefined, '42["ping"]'],
    ['an unknown packet type', 'ana', '4abc'],
    ['a payload that is not JSON', 'ana', '42{'],
    ['an event without a name', 'ana', '42[]'],
    ['a reserved name', 'ana', '42["disconnect"]'],
    ['too many attachments', 'ana', '4511-["ping"]'],
    ['an unknown Engine.IO packet', 'ana', 'abc'],
    ['bytes without a packet', 'ana', Buffer.from([1])],
  ])('closes the transport at %s', async (_, userId, packet) => {
    const server = await startServer()
    const client = await rawClient(server, userId)
    await client.send(packet).closed()
  })

  // LIM-2
  it('ends the session that is too many with DISCONNECT, so that it stays away', async () => {
    const server = await startServer({ maxSessionsPerUser: 1 })
    const first = await connect(server, 'ana')
    const reason = new Promise((resolve) => first.socket.once('disconnect', resolve))
    await connect(server, 'ana')
    expect(await reason).toBe('io server disconnect')
  })

  // LIM-1
  it('is rate limited like every client', async () => {
    const server = await startServer({ rateLimit: 2 })
    const ana = await connect(server, 'ana')
    const answers = []
    for (let i = 0; i < 3; i++) answers.push(await ana.ask('update_status', { status: 'busy' }))
    expect(answers.at(-1)).toMatchObject({
      success: false,
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    })
  })

  it('receives server_shutdown when the server stops', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana')
    const [notice] = await Promise.all([ana.next('server_shutdown'), server.close('maintenance')])
    expect(notice).toMatchObject({ reason: 'maintenance', reconnectInMs: expect.any(Number) })
  })

  // INP-2
  it('hostile packets end only their own connection', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana')
    await groupOf(ana, 'kitchen', [])
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
    const packets = [
      `42["join_group",${deep}]`,
      '42["__proto__",{"constructor":{}}]',
      '42["send_message",{"__proto__":{"groupId":"kitchen"}}]',
      `42999999999999999["ping"]`,
      `451-["upload_file",{"file":{"_placeholder":true,"num":-1}}]`,
      '42["upload_file",{"file":{"type":"Buffer","data":[1,300]}}]',
      `42["send_message",{"groupId":"kitchen","content":"${'x'.repeat(100_000)}"}]`,
    ]
    for (const packet of packets) {
      const mallory = await rawClient(server, 'mallory')
      mallory.send(packet, Buffer.from([1, 2, 3]))
      await mallory.closed()
    }
    expect(await ana.ask('send_message', { groupId: 'kitchen', content: 'x' })).toMatchObject({
      success: true,
    })
  })
})
