import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/conditions.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { blockWrites } from '../../support/storage.ts'
import { type Samples, scrape } from './prometheus-text.ts'
import { connect, startBuilt, startServer } from './server.ts'

function value(samples: Samples, name: string, labels: Record<string, string> = {}): number | undefined {
  return samples.find(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, wanted]) => sample.labels[label] === wanted),
  )?.value
}

describe('GET /metrics', () => {
  it('describes each metric, with names and units by Prometheus’s conventions', async () => {
    const server = await startServer()
    const { text, contentType, samples } = await scrape(server)
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]))
    const helps = new Map([...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name, help]) => [name, help]))
    expect([...types.keys()]).toEqual([...helps.keys()])
    for (const [name, type] of types) {
      expect(name).toMatch(/^tertulia_[a-z_]+$/)
      expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter'])
      expect(helps.get(name)).toMatch(/\.$/)
    }
    expect(text).not.toMatch(/NaN|undefined/)
    expect(samples.length).toBeGreaterThan(types.size)
  })

  it('has the values of getServerStats, with a label for each shard', async () => {
    const server = await startServer({ maxConnections: 7 })
    const ana = await connect(server, 'ana')
    ana.send('create_group', 1, { kind: 'group', groupId: 'g' })
    await ana.next('group')
    ana.send('send_message', 2, { groupId: 'g', content: 'x', tempId: 't' })
    await ana.next('message_sent')
    ana.send('get_history', 3, { groupId: 'nowhere' })
    const { code } = (await ana.next('error')).fields

    const { samples } = await scrape(server)
    expect(value(samples, 'tertulia_connections')).toBe(1)
    expect(value(samples, 'tertulia_connections_max')).toBe(7)
    expect(value(samples, 'tertulia_messages_total', { shard: '0' })).toBe(1)
    expect(value(samples, 'tertulia_errors_total', { code })).toBe(1)
    expect(value(samples, 'tertulia_connections_refused_total', { reason: 'full' })).toBe(0)
    expect(value(samples, 'tertulia_ready')).toBe(1)
    const bucket = 'tertulia_request_duration_seconds_bucket'
    expect(value(samples, bucket, { le: '+Inf' })).toBe(3)
    expect(value(samples, 'tertulia_request_duration_seconds_count')).toBe(3)
    const counts = samples.filter(({ name }) => name === bucket).map((sample) => sample.value)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
  })

  it('shows that storage does not accept writes, and its recovery', async () => {
    const dataDir = temporaryFolder()
    const server = await startServer({ dataDir })
    const ana = await connect(server, 'ana')
    const unblock = blockWrites(dataDir)
    ana.send('create_group', 1, { kind: 'group', groupId: 'g' })
    expect((await ana.next('error')).fields.code).toBe('storage_unavailable')
    const failing = await scrape(server)
    expect(value(failing.samples, 'tertulia_storage_failing', { shard: '0' })).toBe(1)
    expect(value(failing.samples, 'tertulia_ready')).toBe(0)
    unblock()
    await eventually(async () => {
      const { samples } = await scrape(server)
      expect(value(samples, 'tertulia_storage_failing', { shard: '0' })).toBe(0)
      expect(value(samples, 'tertulia_storage_failures_total', { shard: '0' })).toBe(1)
    })
  })
})

describe('GET /metrics of a server with two shard threads', () => {
  it('has the values of each shard', async () => {
    const server = await startBuilt({ shards: 2 })
    const ana = await connect(server, 'ana')
    for (let i = 0; i < 8; i++) {
      ana.send('create_group', 1 + i, { kind: 'group', groupId: `g${i}` })
      await ana.next('group')
      ana.send('send_message', 11 + i, { groupId: `g${i}`, content: 'x', tempId: 't' })
      await ana.next('message_sent')
    }
    const { samples } = await scrape(server)
    const of = (name: string) => samples.filter((sample) => sample.name === name)
    for (const name of ['tertulia_messages_total', 'tertulia_groups_active', 'tertulia_storage_failing']) {
      expect([name, of(name).map(({ labels }) => labels['shard'])]).toEqual([name, ['0', '1']])
    }
    expect(of('tertulia_messages_total').reduce((sum, sample) => sum + sample.value, 0)).toBe(8)
    expect(of('tertulia_groups_active').reduce((sum, sample) => sum + sample.value, 0)).toBe(8)
    expect(value(samples, 'tertulia_search_lag_entries')).toBeGreaterThanOrEqual(0)
    expect((await server.getServerStats()).shards).toHaveLength(2)
  })
})
