/**
 * Prometheus: `ServerStats` in the text format of Prometheus, one table row per metric.
 *
 * Names are `tertulia_…` with the unit at the end, in base units (seconds, bytes), and `_total` for
 * counters. Each scrape fills a new registry: nothing is stored between scrapes, and nothing is shared
 * with a service that uses prom-client itself.
 */
import { type Metric, Registry } from 'prom-client'
import { closeCodes } from '../../protocol/close-codes.ts'
import { errors } from '../../protocol/errors.ts'
import type { EngineProcess } from '../served-engine.ts'
import type { FrontStats, ServerStats } from './server-stats.ts'

type Labels = Readonly<Record<string, string | number>>
type Sample = readonly [labels: Labels, value: number, name?: string]

interface Row {
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  readonly read: (stats: ServerStats) => number | readonly Sample[]
  /** All fronts report the same: the engine's. */
  readonly ofEngine?: true
}

type ShardFigure = { [K in keyof Shard]: Shard[K] extends number ? K : never }[keyof Shard]
type Shard = ServerStats['shards'][number]

const gauge = (help: string, read: Row['read']): Row => ({ type: 'gauge', help, read })
const counter = (help: string, read: Row['read']): Row => ({ type: 'counter', help, read })
const ofShards =
  (figure: ShardFigure) =>
  ({ shards }: ServerStats): readonly Sample[] =>
    shards.map((shard, index) => [{ shard: index }, shard[figure]])
const ofEngine = (row: Row): Row => ({ ...row, ofEngine: true })
const ofProcess =
  (read: (engine: EngineProcess) => number) =>
  ({ engineProcess }: ServerStats): readonly Sample[] =>
    engineProcess ? [[{}, read(engineProcess)]] : []
const by =
  (label: string, read: (stats: ServerStats) => Readonly<Record<string, number>>) =>
  (stats: ServerStats): readonly Sample[] =>
    Object.entries(read(stats)).map(([name, value]) => [{ [label]: name }, value])

/** `increase` misses the event with which a counter first appears: all counters start at 0. */
const zeros = (names: object): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.keys(names).map((name) => [name, 0]))

/** Every metric, by name. */
const metrics: Readonly<Record<string, Row>> = {
  tertulia_build_info: gauge('The version that runs; the value is always 1.', ({ version }) => [
    [{ version }, 1],
  ]),
  tertulia_uptime_seconds: gauge('The uptime of the server.', ({ uptimeMs }) => uptimeMs / 1_000),
  tertulia_connections: gauge('Open sockets.', ({ connections }) => connections.now),
  tertulia_connections_by_protocol: gauge(
    'Open sockets by subprotocol; socket.io for its clients.',
    by('protocol', ({ connections }) => connections.byProtocol),
  ),
  tertulia_connections_max: gauge('MAX_CONNECTIONS.', ({ connections }) => connections.max),
  tertulia_connections_opened_total: counter(
    'Sockets that were opened.',
    ({ connections }) => connections.opened,
  ),
  tertulia_connections_refused_total: counter(
    'Refused upgrades, by reason.',
    by('reason', ({ connections }) => connections.refused),
  ),
  tertulia_connections_ended_total: counter(
    'Sockets that the server closed, by reason (table of close codes).',
    by('reason', ({ connections }) => ({ ...zeros(closeCodes), ...connections.ended })),
  ),
  tertulia_users_connected: gauge('Users with at least one socket.', ({ users }) => users.connected),
  tertulia_requests_total: counter('Frames received from clients.', ({ requests }) => requests.total),
  tertulia_deliveries_total: counter('Frames written to sockets.', ({ deliveries }) => deliveries.total),
  tertulia_errors_total: counter(
    'Requests answered with an error, by code.',
    by('code', (stats) => ({ ...zeros(errors), ...stats.errors.byCode })),
  ),
  tertulia_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the arrival of a request on a socket to its answer; one request per connection is measured at a time.',
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
  tertulia_unsent_bytes: gauge('Unsent bytes of all sockets.', ({ queues }) => queues.unsentBytes),
  tertulia_linked: gauge(
    '1 while the engine is linked and every connection is live; always 1 without fronts.',
    ({ linked }) => (linked ? 1 : 0),
  ),
  tertulia_link_requests: gauge(
    'Requests of sockets that the engine’s process has not answered; 0 without fronts.',
    ({ queues }) => queues.linkRequests,
  ),
  tertulia_messages_total: ofEngine(counter('Accepted messages, by shard.', ofShards('posts'))),
  tertulia_groups_active: ofEngine(gauge('Groups in memory, by shard.', ofShards('groups'))),
  tertulia_users_loaded: ofEngine(gauge('Users in memory, by shard.', ofShards('users'))),
  tertulia_shard_inbox: ofEngine(gauge('Records in transit to the shard.', ofShards('inbox'))),
  tertulia_shard_mail: ofEngine(gauge('Messages for actors that are loading, by shard.', ofShards('mail'))),
  tertulia_shard_held: ofEngine(
    gauge('Answers and events waiting for a commit, by shard.', ofShards('held')),
  ),
  tertulia_shard_uncommitted: ofEngine(gauge('Uncommitted log entries, by shard.', ofShards('uncommitted'))),
  tertulia_shard_alarms: ofEngine(gauge('Actors with a pending alarm, by shard.', ofShards('alarms'))),
  tertulia_shard_continuing: ofEngine(
    gauge('Groups that continue in a front after an interruption, by shard.', ofShards('continuing')),
  ),
  tertulia_log_entries_total: ofEngine(counter('Committed log entries, by shard.', ofShards('committed'))),
  tertulia_uploads: ofEngine(gauge('Uploads with an open file, by shard.', ofShards('uploads'))),
  tertulia_upload_bytes: ofEngine(
    gauge('Bytes of uploads waiting for the disk, by shard.', ofShards('uploadBytes')),
  ),
  tertulia_storage_failing: ofEngine(
    gauge('1 while storage does not accept writes of the shard.', ({ shards }) =>
      shards.map(({ storageFails }, shard) => [{ shard }, storageFails ? 1 : 0]),
    ),
  ),
  tertulia_storage_failures_total: ofEngine(
    counter('Transitions of storage to not accepting writes, by shard.', ofShards('storageFailures')),
  ),
  tertulia_ready: gauge('1 while /readyz answers 200.', ({ storage }) => (storage.ready ? 1 : 0)),
  tertulia_disk_size_bytes: ofEngine(
    gauge('Size of the disk of the data folder.', ({ disk }) => (disk ? [[{}, disk.totalBytes]] : [])),
  ),
  tertulia_disk_free_bytes: ofEngine(
    gauge('Free bytes on the disk of the data folder.', ({ disk }) => (disk ? [[{}, disk.freeBytes]] : [])),
  ),
  tertulia_search_lag_entries: ofEngine(
    gauge('Committed log entries that are not indexed.', ({ search }) => search.lag),
  ),
  tertulia_search_lag_seconds: ofEngine(
    gauge('The age of the oldest entry that is not indexed.', ({ search }) => search.lagMs / 1_000),
  ),
  tertulia_search_documents: ofEngine(gauge('Indexed messages.', ({ search }) => search.documents)),
  tertulia_hook_requests: ofEngine(gauge('Requests waiting for hooks.', ({ hooks }) => hooks.requests)),
  tertulia_hook_notices: ofEngine(gauge('Message notices waiting for hooks.', ({ hooks }) => hooks.notices)),
  tertulia_hook_notices_dropped_total: ofEngine(
    counter('Message notices dropped because the hooks were too slow.', ({ hooks }) => hooks.dropped),
  ),
  tertulia_memory_rss_bytes: gauge(
    'Resident memory of the process, all threads.',
    ({ memory }) => memory.rssBytes,
  ),
  tertulia_memory_limit_bytes: gauge(
    'MEMORY_LIMIT, else the container’s limit, else the machine’s memory.',
    ({ memory }) => memory.limitBytes,
  ),
  tertulia_memory_heap_used_bytes: gauge(
    'Used heap of the main thread.',
    ({ memory }) => memory.heapUsedBytes,
  ),
  tertulia_memory_heap_bytes: gauge('Heap of the main thread.', ({ memory }) => memory.heapTotalBytes),
  tertulia_memory_external_bytes: gauge(
    'Memory outside the main thread’s heap that its objects reference.',
    ({ memory }) => memory.externalBytes,
  ),
  tertulia_event_loop_delay_seconds: gauge(
    'Delay of the main thread’s event loop over the last 30 to 60 seconds.',
    ({ eventLoopDelay: { p50Ms, p99Ms, maxMs } }) => [
      [{ quantile: '0.5' }, p50Ms / 1_000],
      [{ quantile: '0.99' }, p99Ms / 1_000],
      [{ quantile: '1' }, maxMs / 1_000],
    ],
  ),
  tertulia_engine_uptime_seconds: ofEngine(
    gauge(
      'The uptime of the engine’s process. This and the following only with fronts.',
      ofProcess((engine) => engine.uptimeMs / 1_000),
    ),
  ),
  tertulia_engine_fronts: ofEngine(
    gauge(
      'Fronts that are linked to the engine.',
      ofProcess(({ fronts }) => fronts),
    ),
  ),
  tertulia_engine_memory_rss_bytes: ofEngine(
    gauge(
      'Resident memory of the engine’s process, all threads.',
      ofProcess(({ rssBytes }) => rssBytes),
    ),
  ),
  tertulia_engine_cpu_seconds_total: ofEngine(
    counter(
      'Processor time of the engine’s process, all threads.',
      ofProcess(({ cpuSeconds }) => cpuSeconds),
    ),
  ),
  tertulia_engine_event_loop_delay_seconds: ofEngine(
    gauge(
      'Delay of the main thread of the engine’s process, p99 over the last 30 to 60 seconds.',
      ofProcess(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms / 1_000),
    ),
  ),
}

/** The content type of `prometheusText`. */
export const prometheusType = Registry.PROMETHEUS_CONTENT_TYPE

/** The text for a scrape. With several fronts their figures have the label `front`. */
export function prometheusText(fronts: readonly FrontStats[]): Promise<string> {
  const registry = new Registry()
  // A front that has no engine reports no figures of one.
  const engines = fronts.filter(({ stats }) => stats.shards.length > 0).slice(0, 1)
  for (const [name, row] of Object.entries(metrics)) {
    const { type, help } = row
    const values = (row.ofEngine ? engines : fronts).flatMap(({ front, stats }) =>
      samplesOf(row, stats).map(([labels, value, metricName = name]) => ({
        labels: row.ofEngine || front === 0 ? labels : { ...labels, front },
        value,
        metricName,
      })),
    )
    // prom-client's own counters and histograms cannot be set to a value counted elsewhere.
    const metric = { name, get: async () => ({ name, help, type, values, aggregator: 'sum' }) }
    registry.registerMetric(metric as unknown as Metric)
  }
  return registry.metrics()
}

function samplesOf({ read }: Row, stats: ServerStats): readonly Sample[] {
  const found = read(stats)
  return typeof found === 'number' ? [[{}, found]] : found
}
