/**
 * Live figures: everything that the dashboard shows at one moment.
 *
 * A dashboard polls once a second; nothing is collected while none does. Dashboards that poll within
 * `SHARED_MS` of each other receive the same text, so that ten of them cost what one costs.
 */
import { performance } from 'node:perf_hooks'
import type { EngineDetails, ThreadFigures } from '../../engine/engine.ts'
import type { BusiestFigures } from '../metrics/busiest-groups.ts'
import type { Meters } from '../metrics/meters.ts'
import type { ServerStats } from '../metrics/server-stats.ts'
import type { ServedEngine } from '../served-engine.ts'
import { type ActiveAlert, Alerts } from './alerts.ts'
import type { LogLines } from './recent-lines.ts'

/** The answer of `GET /api/admin/live`. */
export interface LiveFigures {
  /** The same as `/api/stats`. */
  readonly stats: ServerStats
  /** The main thread first. */
  readonly threads: readonly ThreadFigures[]
  readonly walBytes: number | null
  readonly busiest: BusiestFigures
  readonly alerts: readonly ActiveAlert[]
  /** The number of the next line of the log; null if the logger of the service stores none. */
  readonly logNext: number | null
}

export interface LiveSources {
  readonly stats: () => Promise<ServerStats>
  readonly engine: Pick<ServedEngine, 'details'>
  readonly meters: Meters
  readonly recent: LogLines | undefined
  /** Milliseconds of a monotonic clock. */
  readonly steadyNow: () => number
}

const SHARED_MS = 900
/** Alerts that held before such a pause are not known to have held during it. */
const PAUSE_MS = 10_000
const BUSIEST = 10

export class Live {
  readonly #sources: LiveSources
  #alerts = new Alerts()
  #text: Promise<string> | null = null
  #readAtMs = Number.NEGATIVE_INFINITY

  constructor(sources: LiveSources) {
    this.#sources = sources
  }

  /** The figures as JSON. Rejects with a ChatError if a shard does not answer. */
  text(): Promise<string> {
    const now = this.#sources.steadyNow()
    const sinceMs = now - this.#readAtMs
    if (this.#text && sinceMs < SHARED_MS) return this.#text
    if (sinceMs > PAUSE_MS) this.#alerts = new Alerts()
    this.#readAtMs = now
    this.#text = this.#collect().then(JSON.stringify)
    return this.#text
  }

  async #collect(): Promise<LiveFigures> {
    const { stats: read, engine, meters, recent, steadyNow } = this.#sources
    const groups = meters.busiestGroups(steadyNow())
    const [stats, { threads, walBytes }] = await Promise.all([read(), engine.details()])
    return {
      stats,
      threads: [mainThread(stats), ...threads],
      walBytes,
      busiest: groups.figures(steadyNow(), BUSIEST),
      alerts: this.#alerts.active(stats),
      logNext: recent?.next ?? null,
    }
  }
}

function mainThread({ eventLoopDelay, memory }: ServerStats): EngineDetails['threads'][number] {
  const { active, idle } = performance.eventLoopUtilization()
  return {
    name: 'main',
    delayMs: eventLoopDelay.p99Ms,
    activeMs: active,
    idleMs: idle,
    heapUsedBytes: memory.heapUsedBytes,
  }
}
