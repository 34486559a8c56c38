/**
 * Alerts: the conditions of docs/alerts.yml, evaluated on the statistics of this moment.
 *
 * A row has the name, the severity, the threshold and the `for` of its rule; a test compares them with
 * the file. Prometheus has a history and this server has none, so two things differ. Rates are those
 * that the server always measures, over the last minute at most; increases count from the opening of the
 * dashboard, over five minutes at most. `heldMs` is how long the condition was seen to hold: Prometheus
 * fires when that reaches `forMs`.
 */
import type { ServerStats } from '../metrics/server-stats.ts'

export type Severity = 'critical' | 'warning' | 'info'

interface AlertRule {
  readonly severity: Severity
  readonly forMs: number
  /** The number that the condition compares with. */
  readonly threshold: number
  /** The value that is compared, and whether the condition holds. */
  readonly check: (now: ServerStats, increased: Increases, threshold: number) => readonly [number, boolean]
}

/** How much counters have grown since the dashboard was opened, at most over five minutes. */
export interface Increases {
  readonly slowReaders: number
  readonly storageFailures: number
}

/** A condition that holds. */
export interface ActiveAlert {
  readonly name: string
  readonly severity: Severity
  readonly value: number
  readonly threshold: number
  readonly heldMs: number
  readonly forMs: number
}

const above = (value: number, limit: number) => [value, value > limit] as const
const MINUTE_MS = 60_000
const INCREASE_MS = 300_000
/** One sample a second for five minutes. */
const MAX_SAMPLES = 300

/** Every rule, by the name of its alert. */
export const alertRules: Readonly<Record<string, AlertRule>> = {
  TertuliaConnectionsNearLimit: {
    severity: 'warning',
    forMs: MINUTE_MS,
    threshold: 0.9,
    check: ({ connections }, _, limit) => above(connections.now / connections.max, limit),
  },
  TertuliaSlowAnswers: {
    severity: 'warning',
    forMs: 5 * MINUTE_MS,
    threshold: 0.2,
    check: ({ latency }, _, limit) => above(latency.recent.p99Ms / 1_000, limit),
  },
  TertuliaErrorRate: {
    severity: 'warning',
    forMs: 0,
    threshold: 0.05,
    check: ({ errors, requests }, _, limit) => {
      const [refused, all] = [errors.perSecond.last60s, requests.perSecond.last60s]
      return [all > 0 ? refused / all : 0, refused > limit * all]
    },
  },
  TertuliaMemoryHigh: {
    severity: 'warning',
    forMs: 5 * MINUTE_MS,
    threshold: 0.8,
    check: ({ memory }, _, limit) => above(memory.rssBytes / memory.limitBytes, limit),
  },
  TertuliaEngineNotLinked: {
    severity: 'critical',
    forMs: MINUTE_MS,
    threshold: 1,
    check: ({ linked }, _, limit) => [Number(linked), Number(linked) < limit],
  },
  TertuliaStorageFailing: {
    severity: 'critical',
    forMs: 0,
    threshold: 0,
    check: ({ shards }, { storageFailures }, limit) =>
      above(shards.filter(({ storageFails }) => storageFails).length || storageFailures, limit),
  },
  TertuliaDiskFilling: {
    severity: 'warning',
    forMs: 5 * MINUTE_MS,
    threshold: 0.1,
    check: ({ disk }, _, limit) => {
      const free = disk && disk.totalBytes > 0 ? disk.freeBytes / disk.totalBytes : 1
      return [free, free < limit]
    },
  },
  TertuliaEventLoopLate: {
    severity: 'warning',
    forMs: 5 * MINUTE_MS,
    threshold: 0.1,
    check: ({ eventLoopDelay }, _, limit) => above(eventLoopDelay.p99Ms / 1_000, limit),
  },
  TertuliaSlowReaders: {
    severity: 'info',
    forMs: 0,
    threshold: 100,
    check: (_, { slowReaders }, limit) => above(slowReaders, limit),
  },
}

/** Which conditions hold, and since when. Exists while a dashboard is open; bounded by the two tables. */
export class Alerts {
  readonly #samples: (Increases & { readonly atMs: number })[] = []
  readonly #since = new Map<string, number>()

  /** Evaluates the rules; called about once a second. */
  active(now: ServerStats): readonly ActiveAlert[] {
    const increased = this.#increases(now)
    const found: ActiveAlert[] = []
    for (const [name, { check, severity, forMs, threshold }] of Object.entries(alertRules)) {
      const [value, holds] = check(now, increased, threshold)
      if (!holds) {
        this.#since.delete(name)
        continue
      }
      const since = this.#since.get(name) ?? now.uptimeMs
      this.#since.set(name, since)
      found.push({ name, severity, value, threshold, heldMs: now.uptimeMs - since, forMs })
    }
    return found
  }

  #increases({ uptimeMs: at, connections, shards }: ServerStats): Increases {
    const slowReaders = connections.ended['slow_reader'] ?? 0
    const storageFailures = shards.reduce((sum, shard) => sum + shard.storageFailures, 0)
    this.#samples.push({ atMs: at, slowReaders, storageFailures })
    while (this.#samples.length > MAX_SAMPLES || (this.#samples[0]?.atMs ?? at) < at - INCREASE_MS)
      this.#samples.shift()
    const first = this.#samples[0] ?? { slowReaders, storageFailures }
    return {
      slowReaders: slowReaders - first.slowReaders,
      storageFailures: storageFailures - first.storageFailures,
    }
  }
}
