import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Alerts, alertRules } from '../../../server/admin/alerts.ts'
import type { ServerStats } from '../../../server/metrics/server-stats.ts'
import { startServer } from '../operation/server.ts'

const source = readFileSync(new URL('../../../docs/alerts.yml', import.meta.url), 'utf8')
const rules = source
  .split(/^\s*- alert: /m)
  .slice(1)
  .map((block) => {
    const expr = /expr: ([\s\S]+?)\n\s+(?:for|labels):/.exec(block)?.[1] ?? ''
    const [, minutes = '0'] = /\n\s+for: (\d+)m/.exec(block) ?? []
    const [, severity = ''] = /severity: (\w+)/.exec(block) ?? []
    const thresholds = [...expr.matchAll(/[<>] (\d+(?:\.\d+)?)/g)].map(([, value]) => Number(value))
    return { name: /^\w+/.exec(block)?.[0] ?? '', forMs: Number(minutes) * 60_000, severity, thresholds }
  })

const healthy = await (async () => {
  const server = await startServer()
  return server.getServerStats()
})

/** The statistics of a healthy server, changed. */
async function statsWith(changes: (stats: ServerStats) => object): Promise<ServerStats> {
  const stats = { ...(await healthy()), disk: { totalBytes: 100, freeBytes: 50 } }
  const base = { ...stats, memory: { ...stats.memory, limitBytes: 10 * stats.memory.rssBytes } }
  return { ...base, ...changes(base) }
}

const rate = (last60s: number) => ({ total: 0, perSecond: { last1s: 0, last10s: 0, last60s } })
const failing = ({ shards }: ServerStats) => shards.map((shard) => ({ ...shard, storageFails: true }))
const states: readonly (readonly [string, (stats: ServerStats) => object])[] = [
  [
    'TertuliaConnectionsNearLimit',
    ({ connections }) => ({ connections: { ...connections, now: 91, max: 100 } }),
  ],
  [
    'TertuliaSlowAnswers',
    ({ latency }) => ({ latency: { ...latency, recent: { ...latency.recent, p99Ms: 201 } } }),
  ],
  ['TertuliaErrorRate', ({ errors }) => ({ errors: { ...errors, ...rate(6) }, requests: rate(100) })],
  ['TertuliaMemoryHigh', ({ memory }) => ({ memory: { ...memory, rssBytes: 81, limitBytes: 100 } })],
  ['TertuliaEngineNotLinked', () => ({ linked: false })],
  ['TertuliaStorageFailing', (stats) => ({ shards: failing(stats) })],
  ['TertuliaDiskFilling', () => ({ disk: { totalBytes: 100, freeBytes: 9 } })],
  ['TertuliaEventLoopLate', () => ({ eventLoopDelay: { p50Ms: 0, p99Ms: 101, maxMs: 101 } })],
]

describe('the rules of docs/alerts.yml and of the dashboard', () => {
  it('have the same names', () => {
    expect(Object.keys(alertRules)).toEqual(rules.map(({ name }) => name))
  })

  it.each(rules)(
    '$name has the same threshold, duration and severity',
    ({ name, forMs, severity, thresholds }) => {
      const rule = alertRules[name]
      expect(rule).toMatchObject({ forMs, severity })
      expect(new Set(thresholds)).toEqual(new Set([rule?.threshold]))
    },
  )
})

describe('alerts', () => {
  it('report nothing of a healthy server', async () => {
    expect(new Alerts().active(await statsWith(() => ({})))).toEqual([])
  })

  it.each(states)('report %s, and how long it has held', async (name, change) => {
    const alerts = new Alerts()
    const first = await statsWith(change)
    expect(alerts.active(first)).toMatchObject([{ name, heldMs: 0 }])
    expect(alerts.active({ ...first, uptimeMs: first.uptimeMs + 2_000 })).toMatchObject([
      { name, heldMs: 2_000 },
    ])
  })

  it('count slow readers over five minutes', async () => {
    const stats = await statsWith(() => ({}))
    const at = (ms: number, count: number): ServerStats => ({
      ...stats,
      uptimeMs: ms,
      connections: { ...stats.connections, ended: { slow_reader: count } },
    })
    const alerts = new Alerts()
    expect(alerts.active(at(0, 1_000))).toEqual([])
    expect(alerts.active(at(1_000, 1_101))).toMatchObject([{ name: 'TertuliaSlowReaders', value: 101 }])
    expect(alerts.active(at(302_000, 1_101))).toEqual([])
  })
})
