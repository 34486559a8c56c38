/**
 * Rates: how many a second, over the last second, ten and sixty, from counters that only grow.
 *
 * The counters are looked at about once a second and the last minute of looks is kept: 62 numbers
 * a counter, whatever the load. A window that is longer than the uptime is the uptime.
 */

/** A second, over windows of one, ten and sixty seconds. */
export interface Rate {
  readonly last1s: number
  readonly last10s: number
  readonly last60s: number
}

const KEPT = 62
/** Looks are made by a timer, which may be late. */
const SLACK_MS = 100

interface Look {
  readonly atMs: number
  readonly value: number
}

export class RateMeter {
  readonly #looks: Look[]

  constructor(nowMs: number) {
    this.#looks = [{ atMs: nowMs, value: 0 }]
  }

  /** Looks at the counter; called about once a second. */
  look(nowMs: number, value: number): void {
    this.#looks.push({ atMs: nowMs, value })
    if (this.#looks.length > KEPT) this.#looks.shift()
  }

  /** The rates up to the last look. */
  rate(): Rate {
    return { last1s: this.#over(1_000), last10s: this.#over(10_000), last60s: this.#over(60_000) }
  }

  #over(windowMs: number): number {
    const last = this.#looks.at(-1) as Look
    const from = last.atMs - windowMs - SLACK_MS
    const first = this.#looks.find(({ atMs }) => atMs >= from) as Look
    const seconds = (last.atMs - first.atMs) / 1_000
    return seconds > 0 ? Math.round(((last.value - first.value) / seconds) * 10) / 10 : 0
  }
}
