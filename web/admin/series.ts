/**
 * Series: what the charts draw, one row of numbers for each poll. Rates are differences of two polls.
 */
import type { Figures, Shard } from './figures.ts'

/** The values at one moment, by name. `at` is in seconds since 1970. */
export type Row = Readonly<Record<string, number | null>> & { readonly at: number }

/** The row of one poll; rates are null without an earlier poll. */
export function rowOf(now: Figures, before: Figures | null, atMs: number): Row {
  const { stats, threads } = now
  const seconds = before ? (stats.uptimeMs - before.stats.uptimeMs) / 1_000 : 0
  const rate = (read: (figures: Figures) => number) =>
    before && seconds > 0 ? Math.max(0, read(now) - read(before)) / seconds : null
  const { recent } = stats.latency
  const isMeasured = recent.count > 0
  return {
    at: atMs / 1_000,
    ...prefixed('wire:', stats.connections.byProtocol),
    messages: rate(({ stats: { shards } }) => sum(shards, 'posts')),
    requests: rate((figures) => figures.stats.requests.total),
    deliveries: rate((figures) => figures.stats.deliveries.total),
    errors: rate((figures) => figures.stats.errors.total),
    p50: isMeasured ? recent.p50Ms : null,
    p90: isMeasured ? recent.p90Ms : null,
    p99: isMeasured ? recent.p99Ms : null,
    opened: rate((figures) => figures.stats.connections.opened),
    ended: rate((figures) => total(figures.stats.connections.ended)),
    refused: rate((figures) => total(figures.stats.connections.refused)),
    groups: stats.groups.active,
    users: sum(stats.shards, 'users'),
    inbox: sum(stats.shards, 'inbox'),
    mail: sum(stats.shards, 'mail'),
    held: sum(stats.shards, 'held'),
    uncommitted: sum(stats.shards, 'uncommitted'),
    unanswered: stats.queues.unanswered,
    rss: stats.memory.rssBytes,
    heap: stats.memory.heapUsedBytes,
    external: stats.memory.externalBytes,
    wal: now.walBytes,
    unsent: stats.queues.unsentBytes,
    ...prefixed('delay:', Object.fromEntries(threads.map(({ name, delayMs }) => [name, delayMs]))),
    ...prefixed('busy:', busyOf(now, before)),
  }
}

/** The part of the time between two polls in which each thread was busy, in percent. */
export function busyOf(now: Figures, before: Figures | null): Readonly<Record<string, number | null>> {
  return Object.fromEntries(
    now.threads.map(({ name, activeMs, idleMs }) => {
      const then = before?.threads.find((thread) => thread.name === name)
      if (!then) return [name, null]
      const active = activeMs - then.activeMs
      const all = active + idleMs - then.idleMs
      return [name, all > 0 ? (100 * active) / all : null]
    }),
  )
}

/** The names in a row that begin with the prefix, without it. */
export function namesOf(row: Row | undefined, prefix: string): readonly string[] {
  return Object.keys(row ?? {}).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []))
}

function sum(shards: readonly Shard[], figure: Exclude<keyof Shard, 'storageFails'>): number {
  return shards.reduce((total, shard) => total + shard[figure], 0)
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0)
}

function prefixed(prefix: string, values: Readonly<Record<string, number | null>>) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))
}
