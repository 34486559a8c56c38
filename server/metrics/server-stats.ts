/**
 * Server stats: all statistics at one moment, for `getServerStats()`, `/api/stats` and `/metrics`.
 *
 * The counters of the sockets are local; those of the shards are requested from them. Concurrent callers
 * share one request, which fails if a shard does not answer in time, so that scrapes cannot pile up.
 */
import { totalmem } from 'node:os'
import type { EngineStats, Health } from '../../engine/engine.ts'
import { version } from '../../engine/version.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { EngineProcess, ServedEngine, ServedStats } from '../served-engine.ts'
import type { TransportName } from '../transport/transport.ts'
import type { LoopDelay, LoopDelayStats } from './loop-delay.ts'
import type { MeterStats, Meters } from './meters.ts'

/** The result of `getServerStats()`. Totals count since the server's start. */
export interface ServerStats {
  readonly version: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly uptimeMs: number
  /** With fronts: whether the engine is linked, and every connection is live. Else true. */
  readonly linked: boolean
  /** The transport, and why it was chosen. */
  readonly transport: TransportStats
  readonly connections: {
    readonly now: number
    /** `MAX_CONNECTIONS`. */
    readonly max: number
    /** `now` by subprotocol; `socket.io` for its clients. */
    readonly byProtocol: Readonly<Record<string, number>>
  } & Pick<MeterStats, 'opened' | 'refused' | 'ended'>
  readonly users: {
    /** Users with at least one socket. */
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
    /** Requests on sockets without an answer yet. */
    readonly unanswered: number
    /** HTTP requests that have no answer yet. */
    readonly httpPending: number
    /** Unsent bytes of all sockets. */
    readonly unsentBytes: number
    /** Requests on sockets that the process of the engine has not answered; 0 without fronts. */
    readonly linkRequests: number
  }
  /** Per shard: loaded actors, counters and queues. */
  readonly shards: readonly (EngineStats['shards'][number] & {
    /** Log entries appended and not yet committed. */
    readonly uncommitted: number
  })[]
  readonly search: EngineStats['search']
  readonly hooks: EngineStats['hooks']
  readonly storage: Health
  /** The disk of the data folder; null if the system reports no figures. */
  readonly disk: EngineStats['disk']
  readonly memory: {
    readonly rssBytes: number
    readonly heapUsedBytes: number
    readonly heapTotalBytes: number
    readonly externalBytes: number
    readonly arrayBuffersBytes: number
    /**
     * The limit that `rssBytes` is compared with: `MEMORY_LIMIT`, else the container's limit, else the
     * machine's memory.
     */
    readonly limitBytes: number
  }
  readonly eventLoopDelay: LoopDelayStats
  /** The process of the engine; null if it is this process. */
  readonly engineProcess: EngineProcess | null
}

/** The statistics of one front. */
export interface FrontStats {
  /** From 1; 0 if the fronts do not share their port, or there are none. */
  readonly front: number
  readonly stats: ServerStats
}

/** The transport that was chosen. */
export interface TransportStats {
  readonly name: TransportName
  readonly why: string
}

/** The sources of the statistics. */
export interface StatsSources {
  readonly engine: Pick<ServedEngine, 'stats' | 'health' | 'linked' | 'linkRequests'>
  readonly sockets: {
    readonly connections: number
    readonly connectionsByProtocol: Readonly<Record<string, number>>
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
  /** 0 means the limit of the container or the machine. */
  readonly memoryLimit: number
  /** Both use a monotonic clock. */
  readonly startedAtMs: number
  readonly now: () => number
}

/** Longer than a shard's longest turn, shorter than Prometheus waits. */
const ENGINE_WITHIN_MS = 5_000

/**
 * Returns the function that collects the statistics. It rejects with a `ChatError` if the engine does not
 * answer.
 */
export function statsOf(sources: StatsSources): () => Promise<ServerStats> {
  let pending: Promise<ServedStats> | null = null
  return async () => {
    pending ??= withTimeout(sources.engine.stats()).finally(() => {
      pending = null
    })
    return collectStats(sources, await pending)
  }
}

/** The statistics of a front that has no engine: without shards. Null while it has one. */
export function statsWithoutEngine(sources: StatsSources): ServerStats | null {
  return sources.engine.linked === false ? collectStats(sources, noEngine) : null
}

const noEngine: ServedStats = {
  sessions: 0,
  shards: [],
  search: { lag: 0, lagMs: 0, documents: 0, indexed: 0 },
  hooks: { requests: 0, notices: 0, dropped: 0 },
  disk: null,
}

function collectStats(
  sources: StatsSources,
  { shards, search, hooks, disk, process: engineProcess }: ServedStats,
): ServerStats {
  const { sockets, engine, now } = sources
  const { opened, refused, ended, ...counted } = sockets.meters.stats()
  const sum = (count: (shard: EngineStats['shards'][number]) => number) =>
    shards.reduce((total, shard) => total + count(shard), 0)
  const memory = process.memoryUsage()
  const nowMs = now()
  return {
    version,
    at: Date.now(),
    uptimeMs: nowMs - sources.startedAtMs,
    linked: engine.linked ?? true,
    transport: sources.transport,
    connections: {
      now: sockets.connections,
      max: sources.maxConnections,
      byProtocol: sockets.connectionsByProtocol,
      opened,
      refused,
      ended,
    },
    users: { connected: sockets.users, loaded: sum(({ users }) => users) },
    groups: { active: sum(({ groups }) => groups) },
    ...counted,
    queues: {
      unanswered: sockets.unanswered,
      httpPending: sources.httpPending(),
      unsentBytes: sockets.unsentBytes,
      linkRequests: engine.linkRequests ?? 0,
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
    engineProcess: engineProcess ?? null,
  }
}

/** The container's limit if it has one: without one the system reports a number larger than any memory. */
function machineLimit(): number {
  const total = totalmem()
  const constrained = process.constrainedMemory()
  return constrained > 0 && constrained < total ? constrained : total
}

function withTimeout<T>(asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () =>
        reject(new ChatError('overloaded', 'the shards did not answer', { retryAfterMs: ENGINE_WITHIN_MS })),
      ENGINE_WITHIN_MS,
    ).unref()
    asked.then(resolve, reject).finally(() => clearTimeout(late))
  })
}
