/**
 * Loop delay: the delay of the main thread's event loop, which serves all sockets.
 *
 * Node's own monitor with windows of half a minute; the statistics cover the last one to two. `close` ends
 * it.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 20
const WINDOW_MS = 30_000

/** Milliseconds beyond the timer's interval, over the last 30 to 60 seconds. */
export interface LoopDelayStats {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const NO_DELAY: LoopDelayStats = { p50Ms: 0, p99Ms: 0, maxMs: 0 }

export class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #before: LoopDelayStats = NO_DELAY
  #rotatesAtMs: number

  constructor(nowMs: number) {
    this.#rotatesAtMs = nowMs + WINDOW_MS
    this.#histogram.enable()
  }

  /** Begins a new window if the last one is over; called about once a second. */
  rotate(nowMs: number): void {
    if (nowMs < this.#rotatesAtMs) return
    this.#rotatesAtMs = nowMs + WINDOW_MS
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
    if (histogram.count === 0) return NO_DELAY
    return {
      p50Ms: beyond(histogram.percentile(50)),
      p99Ms: beyond(histogram.percentile(99)),
      maxMs: beyond(histogram.max),
    }
  }
}

/** The monitor measures the whole interval between two timer calls, in nanoseconds. */
function beyond(ns: number): number {
  return Math.max(0, Math.round((ns / 1_000_000 - RESOLUTION_MS) * 100) / 100)
}
