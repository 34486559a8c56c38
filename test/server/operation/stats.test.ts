import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/conditions.ts'
import { SocketClient } from '../../support/socket-client.ts'
import { connect, startServer } from './server.ts'

describe('getServerStats', () => {
  it('counts connections, users, groups, messages, deliveries and times', async () => {
    const server = await startServer({ maxConnections: 50 })
    const ana = await connect(server, 'ana')
    const bruno = await connect(server, 'bruno')
    await connect(server, 'bruno')
    ana.send('create_group', 1, { kind: 'group', groupId: 'kitchen', members: ['bruno'] })
    await ana.next('group')
    for (let i = 0; i < 5; i++) {
      ana.send('send_message', 10 + i, { groupId: 'kitchen', content: `${i}`, tempId: `t${i}` })
      await ana.next('message_sent')
    }
    for (let i = 0; i < 5; i++) await bruno.next('new_message')

    const stats = await server.getServerStats()
    expect(stats).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      connections: { now: 3, max: 50, opened: 3 },
      users: { connected: 2, loaded: 2 },
      groups: { active: 1 },
      messages: { total: 5 },
      requests: { total: 6 },
      errors: { total: 0, byCode: {} },
      queues: { unanswered: 0, httpPending: 0, unsentBytes: 0, linkRequests: 0 },
      storage: { ready: true },
      disk: { totalBytes: expect.any(Number), freeBytes: expect.any(Number) },
    })
    // Five messages to three sockets each, and five answers to one.
    expect(stats.deliveries.total).toBeGreaterThanOrEqual(20)
    expect(stats.shards).toMatchObject([{ posts: 5, inbox: expect.any(Number), storageFails: false }])
    const { latency } = stats
    expect(latency.count).toBe(6)
    expect(latency.recent.count).toBe(6)
    expect(latency.recent.p50Ms).toBeGreaterThan(0)
    expect(latency.recent.maxMs).toBeGreaterThanOrEqual(latency.recent.p50Ms)
    expect(latency.buckets.at(-1)?.count).toBe(6)
    expect(stats.memory.rssBytes).toBeLessThan(stats.memory.limitBytes)
    await eventually(async () =>
      expect((await server.getServerStats()).messages.perSecond.last10s).toBeGreaterThan(0),
    )
  })

  it('counts errors by code: those of shards, of the front end, and of messages', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana')
    ana.send('get_history', 1, { groupId: 'nowhere' })
    await ana.next('error')
    ana.ws.send(Buffer.from([0x92, 0x7f, 2]))
    await ana.next('error')
    ana.send('send_message', 3, { groupId: 'nowhere', content: 'x', tempId: 't' })
    await ana.next('message_error')
    const { errors } = await server.getServerStats()
    expect(errors.total).toBe(3)
    expect(errors.byCode).toMatchObject({ unknown_event: 1 })
    expect(Object.values(errors.byCode).reduce((sum, count) => sum + count, 0)).toBe(3)
  })

  it('counts refused upgrades and closed sockets, by reason', async () => {
    const server = await startServer({ maxConnections: 1, corsOrigins: ['https://chat.example'] })
    const bad = await new SocketClient(server.port, { token: 'none' }).closed()
    expect(bad.code).toBe(4401)
    await eventually(async () => expect((await server.getServerStats()).connections.now).toBe(0))
    await new SocketClient(server.port, { headers: { origin: 'https://evil.example' } }).refused()
    await connect(server, 'ana')
    expect((await new SocketClient(server.port, {}).refused()).status).toBe(503)
    const { connections } = await server.getServerStats()
    expect(connections).toMatchObject({
      now: 1,
      opened: 2,
      refused: { full: 1, origin: 1, attempts: 0 },
      ended: { unauthenticated: 1 },
    })
  })

  it('rejects once the server is closed', async () => {
    const server = await startServer()
    await server.close()
    await expect(server.getServerStats()).rejects.toMatchObject({ code: 'shutting_down' })
  })
})
