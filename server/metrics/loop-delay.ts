/**
 * Loop delay: by how much the event loop of the main thread is late, where all sockets are.
 *
 * Node's own monitor, whose windows are half a minute long: what is shown is of the last one to
 * two. Its handle ends with `close`.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 20
const WINDOW_MS = 30_000

/** Milliseconds beyond what the timer asked for, over the last half minute to a minute. */
export interface LoopDelayStats {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const NOTHING: LoopDelayStats = { p50Ms: 0, p99Ms: 0, maxMs: 0 }

export class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #before: LoopDelayStats = NOTHING
  #turnsAtMs: number

  constructor(nowMs: number) {
    this.#turnsAtMs = nowMs + WINDOW_MS
    this.#histogram.enable()
  }

  /** Begins a new window where the last one is over; called about once a second. */
  turn(nowMs: number): void {
    if (nowMs < this.#turnsAtMs) return
    this.#turnsAtMs = nowMs + WINDOW_MS
    this.#before = this.#window()
    this.#histogram.reset()
  }

  stats(): LoopDelayStats {
    const now = this.#window()
    return {
      p50Ms: Math.max(now.p50Ms, this.#before.p50Ms),
      p99Ms: Math.max(now.p99Ms, this.#before.p99Ms),
      maxMs: Math.max(now.maxMs, this.#before.maxMs),
    }
  }

  close(): void {
    this.#histogram.disable()
  }

  #window(): LoopDelayStats {
    const histogram = this.#histogram
    if (histogram.count === 0) return NOTHING
    return {
      p50Ms: beyond(histogram.percentile(50)),
      p99Ms: beyond(histogram.percentile(99)),
      maxMs: beyond(histogram.max),
    }
  }
}

/** The monitor tells the whole time between two turns of its timer, in nanoseconds. */
function beyond(ns: number): number {
  return Math.max(0, Math.round((ns / 1_000_000 - RESOLUTION_MS) * 100) / 100)
}
