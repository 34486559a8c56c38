/**
 * Latency: the time from the arrival of a request to its answer.
 *
 * Two views of the same times. `buckets` counts since the start, as Prometheus expects; the percentiles
 * cover the last one to two windows, so that old outliers do not hide the present. Recording allocates
 * nothing and costs well under a microsecond. Fixed size: two histograms of two significant digits up to
 * `MAX_US`.
 */
import { build, type Histogram } from 'hdr-histogram-js'

/** A minute; longer times are recorded as this value. */
const MAX_US = 60_000_000
const WINDOW_MS = 30_000

/** Upper bounds of the buckets, seconds. */
const latencyBoundsSeconds = [
  0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10,
] as const

/** Times are milliseconds. */
export interface LatencyStats {
  /** Requests measured since the start. */
  readonly count: number
  readonly sumMs: number
  /** Over the last 30 to 60 seconds; 0 if nothing was measured. */
  readonly recent: {
    readonly count: number
    readonly p50Ms: number
    readonly p90Ms: number
    readonly p99Ms: number
    readonly p999Ms: number
    readonly maxMs: number
  }
  /** Since the start: requests that took at most `leMs`, cumulative; `count` is the last bound. */
  readonly buckets: readonly { readonly leMs: number; readonly count: number }[]
}

export class Latency {
  readonly #boundsUs = latencyBoundsSeconds.map((bound) => bound * 1_000_000)
  readonly #buckets = new Float64Array(latencyBoundsSeconds.length + 1)
  #current = emptyHistogram()
  #previous = emptyHistogram()
  #rotatesAtMs: number
  #count = 0
  #sumUs = 0

  /** `nowMs` is a time of the clock that `rotate` is called with. */
  constructor(nowMs: number) {
    this.#rotatesAtMs = nowMs + WINDOW_MS
  }

  /** Records a request's time in microseconds. */
  record(us: number): void {
    const time = Math.min(Math.max(us, 1), MAX_US)
    let bucket = 0
    while (bucket < this.#boundsUs.length && time > (this.#boundsUs[bucket] as number)) bucket++
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
    this.#count += 1
    this.#sumUs += time
    this.#current.recordValue(time)
  }

  /** Begins a new window if the last one is over; called about once a second. */
  rotate(nowMs: number): void {
    if (nowMs < this.#rotatesAtMs) return
    this.#rotatesAtMs = nowMs + WINDOW_MS
    const emptied = this.#previous
    emptied.reset()
    this.#previous = this.#current
    this.#current = emptied
  }

  stats(): LatencyStats {
    const recent = emptyHistogram()
    recent.add(this.#previous)
    recent.add(this.#current)
    const at = (percentile: number) => (recent.totalCount === 0 ? 0 : recent.getValueAtPercentile(percentile))
    let count = 0
    return {
      count: this.#count,
      sumMs: this.#sumUs / 1_000,
      recent: {
        count: recent.totalCount,
        p50Ms: at(50) / 1_000,
        p90Ms: at(90) / 1_000,
        p99Ms: at(99) / 1_000,
        p999Ms: at(99.9) / 1_000,
        maxMs: at(100) / 1_000,
      },
      buckets: latencyBoundsSeconds.map((bound, bucket) => {
        count += this.#buckets[bucket] as number
        return { leMs: bound * 1_000, count }
      }),
    }
  }
}

function emptyHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_US,
    numberOfSignificantValueDigits: 2,
  })
}

/** Microseconds in 32 bits, a small integer that needs no memory: only differences, `| 0`, are meaningful. */
export function clockUs(): number {
  return (performance.now() * 1_000) | 0
}
