import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createEngine, type Engine } from '../../engine/engine.ts'
import type { Publisher } from '../../engine/hub/gateway.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { ConfigError, resolveSettings } from '../../server/config.ts'
import { createServer, type Server, type ServerOptions } from '../../server/server.ts'
import { makeToken } from '../../server/token.ts'
import { loadBuilt, loadBuiltServer } from '../support/engines.ts'
import { type ClientOptions, SocketClient } from '../support/socket-client.ts'

const jwtSecret = 'a secret of thirty-two bytes, and more'
const quiet = { info() {}, warn() {}, error() {} }

let dataDir: string
const servers: Server[] = []
/** Engines that a test created; closed after the servers in front of them. */
const engines: Engine[] = []
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tertulia-server-'))
})
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
  rmSync(dataDir, { recursive: true, force: true })
})

async function start(options: ServerOptions = {}): Promise<Server> {
  // Worker threads are started from built files, so the threaded server is the built one.
  const create = options.shards === undefined ? createServer : (await loadBuiltServer()).createServer
  const server = await create({
    port: 0,
    host: '127.0.0.1',
    dataDir,
    jwtSecret,
    logger: quiet,
    ...options,
    shards: options.engine ? undefined : (options.shards ?? 'inline'),
  })
  servers.push(server)
  return server
}

function tokenOf(userId: string): Promise<string> {
  return makeToken(resolveSettings({ jwtSecret }), { userId, ttlSeconds: 600 })
}

async function connect(server: Server, userId: string, options: ClientOptions = {}): Promise<SocketClient> {
  const client = new SocketClient(server.port, { token: await tokenOf(userId), ...options })
  await client.next('connected')
  return client
}

async function api(server: Server, userId: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${await tokenOf(userId)}`, 'idempotency-key': 'k1' }
  const init = body ? { method: 'POST', body: JSON.stringify(body), headers } : { headers }
  const response = await fetch(`${server.url}${path}`, init)
  return { status: response.status, body: await response.json() }
}

const modes = [
  { mode: 'inline shards', shards: undefined },
  { mode: 'two shard threads', shards: 2 },
  { mode: 'three shard threads', shards: 3 },
]

describe('createServer', () => {
  it('refuses an unknown option', async () => {
    const misspelt = { ports: 5_000 } as ServerOptions
    await expect(createServer(misspelt)).rejects.toThrow('unknown option: ports; known options: engine, ')
  })

  // TRN-1: only Linux has further addresses of the loopback interface.
  it.runIf(process.platform === 'linux')('accepts connections on the address HOST only', async () => {
    const { port } = await start({ host: '127.0.0.2' })
    const token = await tokenOf('ana')
    const upgraded = async (host: string) => {
      const ws = new WebSocket(`ws://${host}:${port}/ws`, { headers: { authorization: `Bearer ${token}` } })
      const outcome = await new Promise((resolve) => {
        ws.once('open', () => resolve('open'))
        ws.once('error', (error: Error & { readonly code?: string }) => resolve(error.code))
      })
      ws.terminate()
      return outcome
    }
    expect(await upgraded('127.0.0.2')).toBe('open')
    expect(await upgraded('127.0.0.1')).toBe('ECONNREFUSED')
  })

  // TRN-6
  it('answers every request once, with its ref, and sends events with ref 0', async () => {
    const server = await start()
    const ana = await connect(server, 'ana')
    ana.send('create_group', 4_294_967_295, { kind: 'group', groupId: 'g' })
    await ana.first(({ ref }) => ref === 4_294_967_295)
    ana.send('send_message', 11, { groupId: 'g', content: 'hello', tempId: 't1' })
    ana.send('send_message', 12, { groupId: 'g', content: 'hello again', tempId: 't1' })
    ana.send('send_message', 13, { groupId: 'g', content: '', tempId: 't2' })
    ana.send('get_history', 14, { groupId: 'g' })
    ana.send('get_history', 15, { groupId: 'missing' })
    ana.send('leave_group', 16, { groupId: 'g' })
    ana.send('ping', 17, {})
    await ana.first(({ ref }) => ref === 16)
    await ana.first(({ ref }) => ref === 17)
    const answers = ana.events.filter(({ ref }) => ref !== 0).map(({ ref, event }) => `${ref} ${event}`)
    expect(answers.sort()).toEqual([
      '11 message_sent',
      '12 message_sent',
      '13 error',
      '14 history',
      '15 error',
      '16 ok',
      '17 pong',
      '4294967295 group',
    ])
    const events = ana.events.filter(({ ref }) => ref === 0).map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['connected', 'group_created', 'new_message']))
  })
})

describe.each(modes)('a server with $mode', ({ shards }) => {
  it('connects sockets of both subprotocols and HTTP', async () => {
    const server = await start({ shards })
    const ana = await connect(server, 'ana')
    const bruno = await connect(server, 'bruno', { protocols: [subprotocols.json] })
    ana.send('create_group', 1, { kind: 'group', name: 'Kitchen', members: ['bruno'], groupId: 'kitchen' })
    expect((await ana.next('group')).fields.group).toMatchObject({ groupId: 'kitchen', memberCount: 2 })
    await bruno.next('group_created')

    ana.send('send_message', 2, { groupId: 'kitchen', content: 'olá', tempId: 't1' })
    expect((await ana.next('message_sent')).ref).toBe(2)
    expect((await bruno.next('new_message')).fields.message).toMatchObject({
      senderId: 'ana',
      content: 'olá',
    })

    const posted = await api(server, 'bruno', '/api/chat/groups/kitchen/messages', { content: 'oi' })
    expect(posted).toMatchObject({
      status: 201,
      body: { tempId: 'k1', success: true, message: { content: 'oi' } },
    })
    const again = await api(server, 'bruno', '/api/chat/groups/kitchen/messages', { content: 'oi' })
    expect(again.body.message.seq).toBe(posted.body.message.seq)
    expect((await bruno.next('new_message')).fields.message).toMatchObject({ content: 'oi' })

    const history = await api(server, 'ana', '/api/chat/groups/kitchen/messages?limit=10')
    expect(history.body.messages.map(({ content }: { content: string }) => content)).toEqual(['olá', 'oi'])
    const groups = await api(server, 'ana', '/api/chat/groups')
    expect(groups.body.groups).toHaveLength(1)
    expect(await api(server, 'carla', '/api/chat/groups/kitchen/messages')).toMatchObject({ status: 404 })
    expect(await api(server, 'ana', '/readyz')).toMatchObject({ status: 200 })
  })

  // INP-2
  it('charges a resume by the events that it replays', async () => {
    // Five reads per minute: the events of one large resume cost more.
    const create = shards === undefined ? createEngine : (await loadBuilt()).createEngine
    const engine = await create({ dataDir, shards: shards ?? 'inline' })
    engines.push(engine)
    const server = await start({ engine, rateLimit: 1 })
    await engine.request({ userId: 'ana' }, 'create_group', { kind: 'group', groupId: 'g', members: ['eva'] })
    for (let i = 0; i < 600; i++) {
      await engine.request({ userId: 'ana' }, 'send_message', {
        groupId: 'g',
        content: 'oi',
        tempId: `t${i}`,
      })
    }
    const lastSeq = 601
    const resume = (client: SocketClient, ref: number, from: number) =>
      client.send('resume', ref, { groups: [['g', from]] })
    const eva = await connect(server, 'eva')
    // The events that a normal client missed, three times.
    for (let ref = 1; ref <= 3; ref++) {
      resume(eva, ref, lastSeq - 20)
      expect((await eva.next('resumed')).ref).toBe(ref)
    }
    resume(eva, 4, 0)
    expect((await eva.next('resumed')).fields.groups).toEqual([['g', lastSeq, true]])
    expect(eva.events.filter(({ event }) => event === 'new_message')).toHaveLength(660)
    const again = await connect(server, 'eva')
    resume(again, 5, 0)
    const { fields } = await again.next('error')
    expect(fields).toMatchObject({ code: 'rate_limited' })
    // Without the charge the fifth read would pass.
    expect(fields.retryAfterMs).toBeGreaterThan(12_000)
    expect(again.events.filter(({ event }) => event === 'new_message')).toHaveLength(0)
  })

  it('sends connected with the ref of authenticate, the limits and the groups', async () => {
    const server = await start({ shards, rateLimit: 77 })
    const ana = await new SocketClient(server.port, {}).up()
    ana.send('authenticate', 9, { token: await tokenOf('ana') })
    expect(await ana.next('connected')).toMatchObject({
      ref: 9,
      fields: { userId: 'ana', limits: { rateLimit: 77, maxMessageBytes: 65_536 }, groups: [] },
    })
  })

  it('answers every invalid field with its name, and closes with 4400 after ten', async () => {
    const server = await start({ shards })
    const ana = await connect(server, 'ana')
    for (let ref = 1; ref <= 10; ref++) {
      ana.send('get_history', ref, { groupId: 'kitchen', limit: 'many' as unknown as number })
    }
    expect(await ana.next('error')).toMatchObject({
      ref: 1,
      fields: { code: 'bad_request', field: 'limit' },
    })
    expect((await ana.closed()).code).toBe(4400)
  })

  it('stops: notifies clients, answers pending requests, closes with 1001, and loses nothing', async () => {
    const server = await start({ shards })
    const ana = await connect(server, 'ana')
    ana.send('create_group', 1, { kind: 'group', groupId: 'kitchen' })
    await ana.next('group')
    for (let i = 0; i < 50; i++)
      ana.send('send_message', 10 + i, { groupId: 'kitchen', content: `${i}`, tempId: `t${i}` })
    await ana.next('new_message')
    const closed = server.close('maintenance')
    expect((await ana.next('server_shutdown')).fields.reason).toBe('maintenance')
    expect((await ana.closed()).code).toBe(1001)
    await closed

    const answered = ana.events.flatMap((event) =>
      event.event === 'message_sent' ? [event.fields.message.content] : [],
    )
    const refused = ana.events.filter(({ event, ref }) => event === 'error' && ref >= 10)
    expect(answered.length + refused.length).toBe(50)
    const next = await start({ shards })
    const { body } = await api(next, 'ana', '/api/chat/groups/kitchen/messages?limit=200')
    expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(answered)
  })
})

describe('a server', () => {
  it('refuses what a given engine would not apply', async () => {
    const engine = await createEngine({ dataDir, shards: 'inline' })
    engines.push(engine)
    for (const [options, names] of [
      [{ contactPolicy: 'closed', editWindowMs: 5 }, 'contactPolicy, editWindowMs'],
      [{ hookTimeoutMs: 5 }, 'hookTimeoutMs'],
      [{ shards: 2 }, 'shards'],
    ] as const)
      await expect(createServer({ engine, port: 0, jwtSecret, logger: quiet, ...options })).rejects.toThrow(
        new ConfigError(`${names} cannot be combined with engine: pass them to createEngine`),
      )
  })

  it('uses a given engine, and leaves it running', async () => {
    const engine = await createEngine({ dataDir, shards: 'inline' })
    const publishers = new Set<Publisher>()
    const add = engine.gateway.addPublisher.bind(engine.gateway)
    vi.spyOn(engine.gateway, 'addPublisher').mockImplementation((publisher) => {
      const remove = add(publisher)
      publishers.add(publisher)
      return () => {
        publishers.delete(publisher)
        remove()
      }
    })
    const server = await start({ engine })
    expect(publishers.size).toBe(1)
    const ana = await engine.connect({ userId: 'ana' })
    await ana.createGroup({ kind: 'group', members: ['bruno'], groupId: 'kitchen' })
    const bruno = await connect(server, 'bruno')
    await ana.sendMessage({ groupId: 'kitchen', content: 'olá', tempId: 't1' })
    expect((await bruno.next('new_message')).fields.message.content).toBe('olá')
    await server.close()
    expect(publishers.size).toBe(0)
    await ana.sendMessage({ groupId: 'kitchen', content: 'still here', tempId: 't2' })
    await engine.close()
  })

  it('does not share its port', async () => {
    const server = await start()
    const other = mkdtempSync(join(tmpdir(), 'tertulia-server-'))
    const second = createServer({
      port: server.port,
      host: '127.0.0.1',
      dataDir: other,
      shards: 'inline',
      jwtSecret,
      logger: quiet,
    })
    await expect(second).rejects.toThrow(`cannot listen on port ${server.port} of 127.0.0.1: PORT is in use`)
    rmSync(other, { recursive: true })
  })

  it('may be closed twice', async () => {
    const server = await start()
    await Promise.all([server.close(), server.close()])
    await expect(fetch(server.url)).rejects.toThrow()
  })

  it('refuses invalid settings before it does anything', async () => {
    await expect(createServer({ dataDir, rateLimit: -1 })).rejects.toThrow(
      'RATE_LIMIT must be an integer from 0',
    )
  })
})
