/**
 * Merged stats: the statistics of several fronts as those of one server.
 *
 * Counts are added, times are those of the slowest front. A message is published once by each front that has a
 * member: the figures of the front that published most are taken. A user with connections to two fronts counts
 * twice. What belongs to the engine all fronts report alike.
 */
import type { FrontStats, ServerStats } from './server-stats.ts'

/** What is added up. */
const added = ['connections', 'requests', 'deliveries', 'errors', 'queues', 'memory'] as const

/** The first entry is that of the front that was asked. */
export function mergedStats(fronts: readonly FrontStats[]): ServerStats {
  const all = fronts.map(({ stats }) => stats)
  const [own, ...others] = all
  if (!own) throw new Error('no front has statistics')
  if (others.length === 0) return own
  const sums = Object.fromEntries(added.map((name) => [name, all.map((stats) => stats[name]).reduce(sumOf)]))
  const latency = all.map((stats) => stats.latency)
  return {
    ...own,
    linked: all.every(({ linked }) => linked),
    ...(sums as Pick<ServerStats, (typeof added)[number]>),
    memory: { ...(sums['memory'] as ServerStats['memory']), limitBytes: own.memory.limitBytes },
    users: { ...own.users, connected: all.reduce((sum, { users }) => sum + users.connected, 0) },
    messages: all
      .map(({ messages }) => messages)
      .reduce((one, other) => (other.total > one.total ? other : one)),
    latency: {
      count: latency.reduce((sum, { count }) => sum + count, 0),
      sumMs: latency.reduce((sum, { sumMs }) => sum + sumMs, 0),
      recent: latency.map(({ recent }) => recent).reduce(largestOf),
      buckets: own.latency.buckets.map(({ leMs }, at) => ({
        leMs,
        count: latency.reduce((sum, { buckets }) => sum + (buckets[at]?.count ?? 0), 0),
      })),
    },
    eventLoopDelay: all.map(({ eventLoopDelay }) => eventLoopDelay).reduce(largestOf),
  }
}

/** Adds the numbers of two values of the same form; an entry may be missing in one of them. */
function sumOf<T>(one: T, other: T): T {
  return merge(one, other, (a, b) => a + b) as T
}

function largestOf<T>(one: T, other: T): T {
  return merge(one, other, Math.max) as T
}

function merge(one: unknown, other: unknown, of: (a: number, b: number) => number): unknown {
  if (typeof one === 'number' && typeof other === 'number') return of(one, other)
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one ?? other
  const a = one as Readonly<Record<string, unknown>>
  const b = other as Readonly<Record<string, unknown>>
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...names].map((name) => [name, merge(a[name], b[name], of)]))
}
