/**
 * Rates: events per second over the last second, ten and sixty, from counters.
 *
 * The counters are sampled about once a second and the samples of the last minute are stored: 62 numbers
 * per counter, whatever the load. If the uptime is shorter than a window, the window is the uptime.
 */

/** Per second, over windows of one, ten and sixty seconds. */
export interface Rate {
  readonly last1s: number
  readonly last10s: number
  readonly last60s: number
}

const MAX_SAMPLES = 62
/** Samples are taken by a timer, which may be late. */
const SLACK_MS = 100

interface Sample {
  readonly atMs: number
  readonly value: number
}

export class RateMeter {
  readonly #samples: Sample[]

  constructor(nowMs: number) {
    this.#samples = [{ atMs: nowMs, value: 0 }]
  }

  /** Samples the counter; called about once a second. */
  sample(nowMs: number, value: number): void {
    this.#samples.push({ atMs: nowMs, value })
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }

  /** The rates at the last sample. */
  rate(): Rate {
    return { last1s: this.#over(1_000), last10s: this.#over(10_000), last60s: this.#over(60_000) }
  }

  #over(windowMs: number): number {
    const last = this.#samples.at(-1) as Sample
    const from = last.atMs - windowMs - SLACK_MS
    const first = this.#samples.find(({ atMs }) => atMs >= from) as Sample
    const seconds = (last.atMs - first.atMs) / 1_000
    return seconds > 0 ? Math.round(((last.value - first.value) / seconds) * 10) / 10 : 0
  }
}
