/**
 * Offences: malformed frames and refused requests of one connection within a minute, which close it
 * above a limit (INP-1, LIM-1). Most connections have none; it is created with the first one.
 *
 * A client that sends many requests at once cannot have read the first refusal: refusals of the first
 * second are limited to ten times the number, so that they are not free.
 */
const MALFORMED_LIMIT = 10
const MINUTE_MS = 60_000
const BURST_MS = 1_000
const BURST_FACTOR = 10

export class Offences {
  readonly #malformedAtMs: number[] = []
  /** Requests refused as `rate_limited` since `#rateRefusedSinceMs`. */
  #rateRefusals = 0
  /** Those of them that were sent later than a burst. */
  #ignored = 0
  #rateRefusedSinceMs = Number.NEGATIVE_INFINITY

  /** Counts a malformed frame. Returns true if it is the tenth within a minute. */
  addMalformed(nowMs: number): boolean {
    this.#malformedAtMs.push(nowMs)
    if (this.#malformedAtMs.length < MALFORMED_LIMIT) return false
    return nowMs - (this.#malformedAtMs.shift() as number) < MINUTE_MS
  }

  /** Counts a request refused as `rate_limited`. Returns true if the client ignores the refusals of a minute. */
  addRateRefusal(nowMs: number, limit: number): boolean {
    if (nowMs - this.#rateRefusedSinceMs >= MINUTE_MS) {
      this.#rateRefusedSinceMs = nowMs
      this.#rateRefusals = 0
      this.#ignored = 0
    }
    this.#rateRefusals += 1
    if (nowMs - this.#rateRefusedSinceMs >= BURST_MS) this.#ignored += 1
    return this.#ignored > limit || this.#rateRefusals > BURST_FACTOR * limit
  }
}
