/**
 * Offences: malformed frames and refused requests of one connection within a minute, which close it
 * above a limit (INP-1, LIM-1). Most connections have none; it is created with the first one.
 */
const MALFORMED_LIMIT = 10
const MINUTE_MS = 60_000

export class Offences {
  readonly #malformedAtMs: number[] = []
  /** Requests refused as `rate_limited` since `#rateRefusedSinceMs`. */
  #rateRefusals = 0
  #rateRefusedSinceMs = Number.NEGATIVE_INFINITY

  /** Counts a malformed frame. Returns true if it is the tenth within a minute. */
  addMalformed(nowMs: number): boolean {
    this.#malformedAtMs.push(nowMs)
    if (this.#malformedAtMs.length < MALFORMED_LIMIT) return false
    return nowMs - (this.#malformedAtMs.shift() as number) < MINUTE_MS
  }

  /** Counts a request refused as `rate_limited`. Returns true above `limit` within a minute. */
  addRateRefusal(nowMs: number, limit: number): boolean {
    if (nowMs - this.#rateRefusedSinceMs >= MINUTE_MS) {
      this.#rateRefusedSinceMs = nowMs
      this.#rateRefusals = 0
    }
    this.#rateRefusals += 1
    return this.#rateRefusals > limit
  }
}
