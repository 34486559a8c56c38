/**
 * Stats command: `tertulia stats URL` prints `/api/stats` as a table.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerStats } from './metrics/server-stats.ts'
import type { CommandContext } from './serve.ts'
import { UsageError } from './usage-error.ts'

const WATCH_EVERY_MS = 2_000
const FETCH_WITHIN_MS = 10_000
const MIB = 1_048_576

/**
 * Prints the statistics of a server once, or every two seconds until the signal; resolves with the exit
 * code. @throws UsageError, or Error if they cannot be fetched, with the reason
 */
export async function stats(
  url: string,
  { env, out }: CommandContext,
  watch: AbortSignal | null = null,
): Promise<number> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(`${url} is not the URL of a server; example: http://localhost:4040`)
  const token = env['METRICS_TOKEN']
  for (;;) {
    out(table(await fetchStats(url, token)))
    if (watch === null || watch.aborted) return 0
    await delay(WATCH_EVERY_MS, undefined, { signal: watch }).catch(() => {})
    if (watch.aborted) return 0
    out('')
  }
}

async function fetchStats(url: string, token: string | undefined): Promise<ServerStats> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
  let response: Response
  try {
    const signal = AbortSignal.timeout(FETCH_WITHIN_MS)
    response = await fetch(new URL('/api/stats', url), { headers, signal })
  } catch (error) {
    const { cause, message } = error as Error
    throw new Error(`${url} cannot be reached: ${cause instanceof Error ? cause.message : message}`)
  }
  if (response.status === 401) {
    throw new Error(`${url} requires a token: set METRICS_TOKEN`)
  }
  const body = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.slice(0, 200)}`)
  return JSON.parse(body) as ServerStats
}

/** Two columns of statistics, and one line per shard. */
function table(stats: ServerStats): string {
  const { connections, users, groups, latency, queues, memory, eventLoopDelay, search, storage } = stats
  const { recent } = latency
  const rows: readonly (readonly [string, string])[] = [
    ['version', `${stats.version}, up ${duration(stats.uptimeMs)}`],
    ['connections', `${connections.now} of ${connections.max}, ${connections.opened} opened so far`],
    ['refused', counts(connections.refused)],
    ['closed', counts(connections.ended)],
    ['users', `${users.connected} connected, ${users.loaded} in memory`],
    ['groups', `${groups.active} in memory`],
    ['messages', rate(stats.messages)],
    ['requests', rate(stats.requests)],
    ['deliveries', rate(stats.deliveries)],
    ['errors', `${rate(stats.errors)}; ${counts(stats.errors.byCode)}`],
    [
      'latency',
      `p50 ${ms(recent.p50Ms)}, p90 ${ms(recent.p90Ms)}, p99 ${ms(recent.p99Ms)}, p99.9 ${ms(recent.p999Ms)}, max ${ms(recent.maxMs)}`,
    ],
    ['unanswered', `${queues.unanswered} requests, ${queues.httpPending} over HTTP`],
    ['unsent', mib(queues.unsentBytes)],
    ['memory', `${mib(memory.rssBytes)} of ${mib(memory.limitBytes)}, heap ${mib(memory.heapUsedBytes)}`],
    ['event loop', `delay p50 ${ms(eventLoopDelay.p50Ms)}, p99 ${ms(eventLoopDelay.p99Ms)}`],
    ['search', `${search.documents} messages, lag ${search.lag} entries, ${ms(search.lagMs)}`],
    ['storage', storage.ready ? 'accepts writes' : `NOT READY: ${storage.reason}`],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`)
  for (const [index, shard] of stats.shards.entries()) {
    const waits = `inbox ${shard.inbox}, mail ${shard.mail}, held ${shard.held}, uncommitted ${shard.uncommitted}`
    lines.push(`${`shard ${index}`.padEnd(width)}  ${shard.groups} groups, ${shard.users} users; ${waits}`)
  }
  return lines.join('\n')
}

function rate({ total, perSecond }: ServerStats['messages']): string {
  const { last1s, last10s, last60s } = perSecond
  return `${total}, per second ${last1s} (10 s: ${last10s}, 60 s: ${last60s})`
}

function counts(by: Readonly<Record<string, number>>): string {
  const some = Object.entries(by).filter(([, count]) => count > 0)
  return some.length === 0 ? 'none' : some.map(([name, count]) => `${name} ${count}`).join(', ')
}

function ms(value: number): string {
  return `${value < 10 ? Math.round(value * 100) / 100 : Math.round(value)} ms`
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

function duration(valueMs: number): string {
  const minutes = Math.floor(valueMs / 60_000)
  if (minutes < 1) return `${Math.floor(valueMs / 1_000)} s`
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
