/**
 * Pacer: delays the requests of one budget after the user's rate limit was reached (LIM-1).
 *
 * Until the first `rate_limited` error the gate is open and requests are sent immediately. The error
 * closes it for `retryAfterMs`. From then on the gate closes after each request for the longest
 * `retryAfterMs` so far, about the time in which the server refills one token, until it opens and
 * nothing is left to send. So a client causes single errors, never the series that ends with 4029.
 */
import type { RequestName } from '../protocol/requests.ts'
import type { Clock } from './clock.ts'
import { requestTable } from './wire.ts'

export class Pacer {
  readonly #clock: Clock
  /** Called in rotation when the gate opens. */
  readonly #listeners: (() => void)[] = []
  #intervalMs = 0
  #cancel: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a request may be sent now. */
  get isOpen(): boolean {
    return this.#cancel === null
  }

  /** `listener` is called each time the gate opens, and may send one request. */
  onOpen(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** A request was sent. */
  sent(): void {
    if (this.#intervalMs > 0) this.#shut(this.#intervalMs)
  }

  /** A request failed with `rate_limited`. */
  limited(retryAfterMs: number): void {
    this.#intervalMs = Math.max(this.#intervalMs, retryAfterMs)
    this.#shut(retryAfterMs)
  }

  #shut(ms: number): void {
    this.#cancel?.()
    this.#cancel = this.#clock.after(ms, () => this.#opened())
  }

  #opened(): void {
    this.#cancel = null
    // The first listener rotates, so that messages and calls share the limit.
    const first = this.#listeners.shift()
    if (first) this.#listeners.push(first)
    for (const listener of this.#listeners) listener()
    if (this.isOpen) this.#intervalMs = 0
  }

  /** Opens the gate and resets the interval. */
  reset(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#intervalMs = 0
  }
}

/** One pacer for each budget of the table, shared by messages and calls. */
export class Pacers {
  readonly #clock: Clock
  readonly #byBudget = new Map<string, Pacer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(name: RequestName): Pacer {
    const { budget = '' } = requestTable.get(name) ?? {}
    const known = this.#byBudget.get(budget)
    if (known) return known
    const pacer = new Pacer(this.#clock)
    this.#byBudget.set(budget, pacer)
    return pacer
  }

  reset(): void {
    for (const pacer of this.#byBudget.values()) pacer.reset()
  }
}
