/**
 * Prometheus: the figures of `ServerStats` in its text form, one row of the table a metric.
 *
 * Names are `tertulia_…` with the unit at their end, in base units (seconds, bytes), and `_total`
 * where they only grow. Each scrape fills a registry of its own: nothing is kept between two, and
 * nothing is shared with a service that uses prom-client for itself.
 */
import { type Metric, Registry } from 'prom-client'
import { closeCodes } from '../../protocol/close-codes.ts'
import { errors } from '../../protocol/errors.ts'
import type { ServerStats } from './server-stats.ts'

type Labels = Readonly<Record<string, string | number>>
type Sample = readonly [labels: Labels, value: number, name?: string]

interface Row {
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  readonly read: (stats: ServerStats) => number | readonly Sample[]
}

type ShardFigure = { [K in keyof Shard]: Shard[K] extends number ? K : never }[keyof Shard]
type Shard = ServerStats['shards'][number]

const gauge = (help: string, read: Row['read']): Row => ({ type: 'gauge', help, read })
const counter = (help: string, read: Row['read']): Row => ({ type: 'counter', help, read })
const ofShards =
  (figure: ShardFigure) =>
  ({ shards }: ServerStats): readonly Sample[] =>
    shards.map((shard, index) => [{ shard: index }, shard[figure]])
const by =
  (label: string, read: (stats: ServerStats) => Readonly<Record<string, number>>) =>
  (stats: ServerStats): readonly Sample[] =>
    Object.entries(read(stats)).map(([name, value]) => [{ [label]: name }, value])

/** A counter that appears with its first event hides that event from `increase`: so all begin at 0. */
const zeros = (names: object): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.keys(names).map((name) => [name, 0]))

/** Every metric, by name. */
const metrics: Readonly<Record<string, Row>> = {
  tertulia_build_info: gauge('The version that runs; the value is always 1.', ({ version }) => [
    [{ version }, 1],
  ]),
  tertulia_uptime_seconds: gauge('How long the server has been up.', ({ uptimeMs }) => uptimeMs / 1_000),
  tertulia_connections: gauge('Sockets that are up.', ({ connections }) => connections.now),
  tertulia_connections_max: gauge('MAX_CONNECTIONS.', ({ connections }) => connections.max),
  tertulia_connections_opened_total: counter(
    'Sockets that came up.',
    ({ connections }) => connections.opened,
  ),
  tertulia_connections_refused_total: counter(
    'Upgrades that were refused, by reason.',
    by('reason', ({ connections }) => connections.refused),
  ),
  tertulia_connections_ended_total: counter(
    'Sockets that the server closed, by the reason of the table of close codes.',
    by('reason', ({ connections }) => ({ ...zeros(closeCodes), ...connections.ended })),
  ),
  tertulia_users_connected: gauge('Users with one socket at least.', ({ users }) => users.connected),
  tertulia_requests_total: counter('Frames that clients sent.', ({ requests }) => requests.total),
  tertulia_deliveries_total: counter('Frames written to sockets.', ({ deliveries }) => deliveries.total),
  tertulia_errors_total: counter(
    'Requests that were answered with an error, by code.',
    by('code', (stats) => ({ ...zeros(errors), ...stats.errors.byCode })),
  ),
  tertulia_request_duration_seconds: {
    type: 'histogram',
    help: 'From the arrival of a request on a socket to its answer; one request a connection at a time is timed.',
    read: ({ latency }) => [
      ...latency.buckets.map(
        ({ leMs, count }): Sample => [
          { le: leMs / 1_000 },
          count,
          'tertulia_request_duration_seconds_bucket',
        ],
      ),
      [{ le: '+Inf' }, latency.count, 'tertulia_request_duration_seconds_bucket'],
      [{}, latency.sumMs / 1_000, 'tertulia_request_duration_seconds_sum'],
      [{}, latency.count, 'tertulia_request_duration_seconds_count'],
    ],
  },
  tertulia_requests_unanswered: gauge(
    'Requests of sockets that have no answer yet.',
    ({ queues }) => queues.unanswered,
  ),
  tertulia_http_requests_pending: gauge(
    'HTTP requests that have no answer yet.',
    ({ queues }) => queues.httpPending,
  ),
  tertulia_unsent_bytes: gauge(
    'Bytes that wait for readers, of all sockets.',
    ({ queues }) => queues.unsentBytes,
  ),
  tertulia_messages_total: counter('Messages that were taken, by shard.', ofShards('posts')),
  tertulia_groups_active: gauge('Groups in memory, by shard.', ofShards('groups')),
  tertulia_users_loaded: gauge('Users in memory, by shard.', ofShards('users')),
  tertulia_shard_inbox: gauge('Records on their way to the shard.', ofShards('inbox')),
  tertulia_shard_mail: gauge('Mail that waits for actors that are loading, by shard.', ofShards('mail')),
  tertulia_shard_held: gauge('Answers and events that wait for a commit, by shard.', ofShards('held')),
  tertulia_shard_uncommitted: gauge(
    'Log entries that are not committed yet, by shard.',
    ofShards('uncommitted'),
  ),
  tertulia_shard_alarms: gauge('Actors that wait to be woken, by shard.', ofShards('alarms')),
  tertulia_log_entries_total: counter('Log entries that were committed, by shard.', ofShards('committed')),
  tertulia_uploads: gauge('Uploads whose file is open, by shard.', ofShards('uploads')),
  tertulia_upload_bytes: gauge('Bytes of uploads that wait for the disk, by shard.', ofShards('uploadBytes')),
  tertulia_storage_failing: gauge('1 while storage takes no writes of the shard.', ({ shards }) =>
    shards.map(({ storageFails }, shard) => [{ shard }, storageFails ? 1 : 0]),
  ),
  tertulia_storage_failures_total: counter(
    'How often storage began to take no writes, by shard.',
    ofShards('storageFailures'),
  ),
  tertulia_ready: gauge('1 while /readyz is green.', ({ storage }) => (storage.ready ? 1 : 0)),
  tertulia_disk_size_bytes: gauge('Size of the disk of the data folder.', ({ disk }) =>
    disk ? [[{}, disk.totalBytes]] : [],
  ),
  tertulia_disk_free_bytes: gauge('Bytes of it that are free.', ({ disk }) =>
    disk ? [[{}, disk.freeBytes]] : [],
  ),
  tertulia_search_lag_entries: gauge(
    'Committed log entries that are not indexed yet.',
    ({ search }) => search.lag,
  ),
  tertulia_search_lag_seconds: gauge(
    'How long the first of them has waited.',
    ({ search }) => search.lagMs / 1_000,
  ),
  tertulia_search_documents: gauge('Messages that can be found.', ({ search }) => search.documents),
  tertulia_hook_requests: gauge('Requests that wait for the service’s hooks.', ({ hooks }) => hooks.requests),
  tertulia_hook_notices: gauge(
    'Notices of messages that wait for the service’s hooks.',
    ({ hooks }) => hooks.notices,
  ),
  tertulia_hook_notices_dropped_total: counter(
    'Notices that were dropped because the hooks were too slow.',
    ({ hooks }) => hooks.dropped,
  ),
  tertulia_memory_rss_bytes: gauge('Memory of the process, all threads.', ({ memory }) => memory.rssBytes),
  tertulia_memory_limit_bytes: gauge(
    'What the process may have: MEMORY_LIMIT, else the container’s limit, else the machine’s memory.',
    ({ memory }) => memory.limitBytes,
  ),
  tertulia_memory_heap_used_bytes: gauge(
    'The heap of the main thread that is in use.',
    ({ memory }) => memory.heapUsedBytes,
  ),
  tertulia_memory_heap_bytes: gauge('The heap of the main thread.', ({ memory }) => memory.heapTotalBytes),
  tertulia_memory_external_bytes: gauge(
    'Memory outside of the main thread’s heap that objects on it hold.',
    ({ memory }) => memory.externalBytes,
  ),
  tertulia_event_loop_delay_seconds: gauge(
    'By how much the main thread’s event loop was late in the last half minute to a minute.',
    ({ eventLoopDelay: { p50Ms, p99Ms, maxMs } }) => [
      [{ quantile: '0.5' }, p50Ms / 1_000],
      [{ quantile: '0.99' }, p99Ms / 1_000],
      [{ quantile: '1' }, maxMs / 1_000],
    ],
  ),
}

/** The type of what `prometheusText` returns, for HTTP. */
export const prometheusType = Registry.PROMETHEUS_CONTENT_TYPE

/** The text that Prometheus scrapes. */
export function prometheusText(stats: ServerStats): Promise<string> {
  const registry = new Registry()
  for (const [name, { type, help, read }] of Object.entries(metrics)) {
    const found = read(stats)
    const samples: readonly Sample[] = typeof found === 'number' ? [[{}, found]] : found
    const values = samples.map(([labels, value, metricName = name]) => ({ labels, value, metricName }))
    // prom-client's own counters and histograms cannot be set to what was counted elsewhere.
    const metric = { name, get: async () => ({ name, help, type, values, aggregator: 'sum' }) }
    registry.registerMetric(metric as unknown as Metric)
  }
  return registry.metrics()
}
