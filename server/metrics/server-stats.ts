/**
 * Server stats: one look at everything, for `getServerStats()`, `/api/stats` and `/metrics`.
 *
 * What the sockets counted is at hand; what the shards have is asked of them. Those who ask at the
 * same time share one look, and a shard that does not answer in time makes it fail, so that
 * neither a scrape nor a crowd of them can pile up.
 */
import { totalmem } from 'node:os'
import type { Engine, EngineStats, Health } from '../../engine/engine.ts'
import { version } from '../../engine/version.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { TransportName } from '../transport/transport.ts'
import type { LoopDelay, LoopDelayStats } from './loop-delay.ts'
import type { MeterStats, Meters } from './meters.ts'

/** What `getServerStats()` returns. Totals count since the server's start. */
export interface ServerStats {
  readonly version: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly uptimeMs: number
  /** What speaks HTTP and WebSocket, and why it is this one. */
  readonly transport: TransportStats
  readonly connections: {
    readonly now: number
    /** `MAX_CONNECTIONS`. */
    readonly max: number
  } & Pick<MeterStats, 'opened' | 'refused' | 'ended'>
  readonly users: {
    /** With one socket at least. */
    readonly connected: number
    /** Actors in memory. */
    readonly loaded: number
  }
  readonly groups: {
    /** Actors in memory: used within the last minute. */
    readonly active: number
  }
  readonly messages: MeterStats['messages']
  readonly requests: MeterStats['requests']
  readonly deliveries: MeterStats['deliveries']
  readonly errors: MeterStats['errors']
  readonly latency: MeterStats['latency']
  readonly queues: {
    /** Requests of sockets that have no answer yet. */
    readonly unanswered: number
    /** HTTP requests that have no answer yet. */
    readonly httpPending: number
    /** Bytes that wait for readers, of all sockets. */
    readonly unsentBytes: number
  }
  /** Of each shard: what is loaded, what was done, and what waits. */
  readonly shards: readonly (EngineStats['shards'][number] & {
    /** Log entries appended and not yet committed. */
    readonly uncommitted: number
  })[]
  readonly search: EngineStats['search']
  readonly hooks: EngineStats['hooks']
  readonly storage: Health
  /** The disk of the data folder; null where the system reports no figures. */
  readonly disk: EngineStats['disk']
  readonly memory: {
    readonly rssBytes: number
    readonly heapUsedBytes: number
    readonly heapTotalBytes: number
    readonly externalBytes: number
    readonly arrayBuffersBytes: number
    /** What `rss` is measured against: `MEMORY_LIMIT`, else the container's limit, else the machine. */
    readonly limitBytes: number
  }
  readonly eventLoopDelay: LoopDelayStats
}

/** The transport that was chosen. */
export interface TransportStats {
  readonly name: TransportName
  readonly why: string
}

/** Where the figures come from. */
export interface StatsSources {
  readonly engine: Pick<Engine, 'stats' | 'health'>
  readonly sockets: {
    readonly connections: number
    readonly users: number
    readonly unanswered: number
    readonly unsentBytes: number
    readonly meters: Meters
  }
  /** HTTP requests that have no answer yet. */
  readonly httpPending: () => number
  readonly loopDelay: LoopDelay
  readonly transport: TransportStats
  readonly maxConnections: number
  /** 0 where the container or the machine decides. */
  readonly memoryLimit: number
  /** Both by a monotonic clock. */
  readonly startedAtMs: number
  readonly now: () => number
}

/** Longer than a shard's longest turn, shorter than Prometheus waits. */
const ENGINE_WITHIN_MS = 5_000

/** Makes the function that looks. It rejects with a `ChatError` where the engine does not answer. */
export function statsOf(sources: StatsSources): () => Promise<ServerStats> {
  let looking: Promise<EngineStats> | null = null
  return async () => {
    looking ??= inTime(sources.engine.stats()).finally(() => {
      looking = null
    })
    return gathered(sources, await looking)
  }
}

function gathered(sources: StatsSources, { shards, search, hooks, disk }: EngineStats): ServerStats {
  const { sockets, engine, now } = sources
  const { opened, refused, ended, ...counted } = sockets.meters.stats()
  const sum = (count: (shard: EngineStats['shards'][number]) => number) =>
    shards.reduce((total, shard) => total + count(shard), 0)
  const memory = process.memoryUsage()
  const at = now()
  return {
    version,
    at,
    uptimeMs: at - sources.startedAtMs,
    transport: sources.transport,
    connections: { now: sockets.connections, max: sources.maxConnections, opened, refused, ended },
    users: { connected: sockets.users, loaded: sum(({ users }) => users) },
    groups: { active: sum(({ groups }) => groups) },
    ...counted,
    queues: {
      unanswered: sockets.unanswered,
      httpPending: sources.httpPending(),
      unsentBytes: sockets.unsentBytes,
    },
    shards: shards.map((shard) => ({ ...shard, uncommitted: shard.appended - shard.committed })),
    search,
    hooks,
    storage: engine.health(),
    disk,
    memory: {
      rssBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      heapTotalBytes: memory.heapTotal,
      externalBytes: memory.external,
      arrayBuffersBytes: memory.arrayBuffers,
      limitBytes: sources.memoryLimit || machineLimit(),
    },
    eventLoopDelay: sources.loopDelay.stats(),
  }
}

/** The container's limit where it has one: without one the system names a number beyond all memory. */
function machineLimit(): number {
  const total = totalmem()
  const constrained = process.constrainedMemory()
  return constrained > 0 && constrained < total ? constrained : total
}

function inTime<T>(asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () =>
        reject(new ChatError('overloaded', 'the shards did not answer', { retryAfterMs: ENGINE_WITHIN_MS })),
      ENGINE_WITHIN_MS,
    ).unref()
    asked.then(resolve, reject).finally(() => clearTimeout(late))
  })
}
