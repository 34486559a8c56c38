/**
 * Figures: the part of `GET /api/admin/live` that the dashboard shows.
 */
export interface Figures {
  readonly stats: Stats
  readonly threads: readonly ThreadFigures[]
  readonly walBytes: number | null
  readonly busiest: { readonly overMs: number; readonly groups: readonly BusyGroup[] }
  readonly alerts: readonly Alert[]
  /** The number of the next line of the log; null if there is none to read. */
  readonly logNext: number | null
}

export interface BusyGroup {
  readonly groupId: string
  readonly messages: number
}

export interface Alert {
  readonly name: string
  readonly severity: 'critical' | 'warning' | 'info'
  readonly value: number
  readonly threshold: number
  readonly heldMs: number
  readonly forMs: number
}

export interface ThreadFigures {
  readonly name: string
  readonly delayMs: number
  readonly activeMs: number
  readonly idleMs: number
  readonly heapUsedBytes: number | null
}

type Counts = Readonly<Record<string, number>>

interface Counted {
  readonly total: number
}

export interface Shard {
  readonly groups: number
  readonly users: number
  readonly posts: number
  readonly inbox: number
  readonly mail: number
  readonly held: number
  readonly uncommitted: number
  readonly storageFails: boolean
}

interface Stats {
  readonly version: string
  readonly uptimeMs: number
  readonly transport: { readonly name: string }
  readonly connections: {
    readonly now: number
    readonly max: number
    readonly byProtocol: Counts
    readonly opened: number
    readonly refused: Counts
    readonly ended: Counts
  }
  readonly users: { readonly connected: number }
  readonly groups: { readonly active: number }
  readonly requests: Counted
  readonly deliveries: Counted
  readonly errors: Counted & { readonly byCode: Counts }
  readonly latency: {
    readonly recent: {
      readonly count: number
      readonly p50Ms: number
      readonly p90Ms: number
      readonly p99Ms: number
      readonly maxMs: number
    }
  }
  readonly queues: {
    readonly unanswered: number
    readonly httpPending: number
    readonly unsentBytes: number
  }
  readonly shards: readonly Shard[]
  readonly search: { readonly lag: number; readonly documents: number }
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number } | null
  readonly memory: {
    readonly rssBytes: number
    readonly heapUsedBytes: number
    readonly externalBytes: number
    readonly limitBytes: number
  }
  readonly eventLoopDelay: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }
}

/** A connection of a user; times are milliseconds since 1970. */
export interface ConnectionFigures {
  readonly id: number
  readonly protocol: string
  readonly address: string
  readonly openedAt: number
  readonly lastReceivedAt: number
  readonly unanswered: number
  readonly unsentBytes: number
}
