import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../../server/config.ts'
import type { Server } from '../../../server/server.ts'
import { makeToken } from '../../../server/token.ts'
import { scrape } from '../operation/prometheus-text.ts'
import { connect, jwtSecret } from '../operation/server.ts'
import { startFronts } from './fronts-harness.ts'

async function asOperator(server: Server, path: string, method = 'GET') {
  const token = await makeToken(resolveSettings({ jwtSecret }), {
    userId: 'olga',
    isAdmin: true,
    ttlSeconds: 60,
  })
  const response = await fetch(`${server.url}/api/admin/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: response.status, body: await response.json() }
}

describe('the figures of two fronts that share a port', () => {
  it('are in /metrics of either, by front, and those of the engine once', async () => {
    const [one, two] = await startFronts()
    for (const user of ['ana', 'bruno', 'clara']) await connect(one, user)
    await connect(two, 'ana')
    for (const [server, front] of [
      [one, '1'],
      [two, '2'],
    ] as const) {
      const { samples } = await scrape(server)
      const of = (name: string) => samples.filter((sample) => sample.name === name)
      const byFront = Object.fromEntries(
        of('tertulia_connections').map(({ labels, value }) => [labels['front'], value]),
      )
      expect(byFront).toEqual({ 1: 3, 2: 1 })
      expect(of('tertulia_connections')[0]?.labels['front']).toBe(front)
      expect(of('tertulia_groups_active').map(({ labels }) => labels)).toEqual([{ shard: '0' }])
      expect(of('tertulia_link_requests').map(({ value }) => value)).toEqual([0, 0])
      expect(of('tertulia_shard_continuing')).toMatchObject([{ labels: { shard: '0' }, value: 0 }])
      expect(of('tertulia_engine_fronts').map(({ labels, value }) => [labels, value])).toEqual([[{}, 2]])
    }
  })

  it('are added up in /api/stats', async () => {
    const [one, two] = await startFronts()
    await connect(one, 'ana')
    const bruno = await connect(two, 'bruno')
    bruno.send('get_groups', 1, {})
    await bruno.next('groups')
    const stats = await one.getServerStats()
    expect(stats.connections).toMatchObject({ now: 2, opened: 2, max: 40_000 })
    expect(stats.connections.byProtocol['tertulia.v1.msgpack']).toBe(2)
    expect(stats.users.connected).toBe(2)
    expect(stats.requests.total).toBe(1)
    expect(stats.latency.count).toBe(1)
    expect(stats.latency.buckets.at(-1)?.count).toBe(1)
    expect(stats.engineProcess).toMatchObject({ pid: process.pid, fronts: 2 })
  })

  it('list a user’s connections to both, and end them from either', async () => {
    const [one, two] = await startFronts()
    const clients = [await connect(one, 'ana'), await connect(two, 'ana'), await connect(two, 'ana')]
    const [first, second, third] = clients
    const { body } = await asOperator(one, 'users/ana/connections')
    const ids = body.connections.map(({ id }: { id: number }) => id)
    expect(new Set(ids).size).toBe(3)
    expect(await asOperator(one, `users/ana/connections/${ids[1]}`, 'DELETE')).toEqual({
      status: 200,
      body: { ended: 1 },
    })
    expect((await second?.closed())?.code).toBe(4403)
    expect((await asOperator(two, `users/ana/connections/${ids[1]}`, 'DELETE')).status).toBe(404)
    expect((await asOperator(two, 'users/ana/connections', 'DELETE')).body).toEqual({ ended: 2 })
    for (const client of [first, third]) expect((await client?.closed())?.code).toBe(4403)
  })
})
