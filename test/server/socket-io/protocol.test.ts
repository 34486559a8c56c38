/**
 * Engine.IO 4 and Socket.IO 5 beside the cases of the public suites (engine-io-4.test.ts, socket-io-5.test.ts):
 * what apps do differently, limits, refusals (SIO-1).
 */
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
  it('accepts a WebSocket whose query says polling, as Dart clients send it', async () => {
    const server = await startServer()
    expect(String(await new RawClient(server, POLLING).next())).toMatch(/^0\{/)
  })

  it('is not there with SOCKET_IO=off', async () => {
    const server = await startServer({ socketIo: 'off' })
    expect((await http(server, POLLING)).status).toBe(404)
  })

  // LIM-2
  it('counts towards the limit of sockets without a token', async () => {
    const server = await startServer({ maxUnauthenticatedBytes: 65_536 })
    for (let i = 0; i < 3; i++) await polling(server)
    expect((await http(server, POLLING)).status).toBe(429)
  })

  // LIM-1
  it('closes the transport of a client that sends more than a token before it is authenticated', async () => {
    const server = await startServer()
    const client = await rawClient(server)
    await client.send(`40{"token":"${'x'.repeat(16_384)}"}`).closed()
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

  it('limits a body before the client is authenticated', async () => {
    const server = await startServer()
    const query = await polling(server)
    expect((await http(server, query, `4${'x'.repeat(20_000)}`)).status).toBe(413)
  })
})

describe('the upgrade', () => {
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
    ['an event without a name', 'ana', '42[]'],
    ['a reserved name', 'ana', '42["disconnect"]'],
    ['too many attachments', 'ana', '4511-["ping"]'],
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
    expect(first.socket.active).toBe(false)
  })

  // AUT-4
  it('a client whose token expires reconnects by itself, with a newer one', async () => {
    let aheadMs = 0
    const server = await startServer({ now: () => Date.now() + aheadMs })
    const tokens = [await tokenOf('ana'), await tokenOf('ana', 6_000)]
    const ana = await connect(server, 'ana', {
      reconnectionDelay: 1,
      auth: (send) => send({ token: tokens.shift() }),
    })
    const reason = new Promise((resolve) => ana.socket.once('disconnect', resolve))
    aheadMs = 3_600_000
    expect(await reason).toBe('transport close')
    await new Promise((resolve) => ana.socket.once('connected', resolve))
    expect(await ana.ask('ping', {})).toMatchObject({ success: true })
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
