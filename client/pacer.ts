/**
 * Pacer: how the requests of one budget leave after the user's rate limit was met (LIM-1).
 *
 * Until the first `rate_limited` the gate is open and requests leave at once. A refusal closes it
 * for `retryAfterMs`. From then on the gate closes behind each request for the longest time that a
 * refusal named, about the time in which the server refills one token, until it opens and nobody
 * has anything to send. So a client causes single refusals, never the series that ends with 4029.
 */
import { type RequestName, type RequestSpec, requests } from '../protocol/requests.ts'
import type { Clock } from './clock.ts'

export class Pacer {
  readonly #clock: Clock
  /** Called in turn when the gate opens. */
  readonly #listeners: (() => void)[] = []
  #distanceMs = 0
  #cancel: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a request may leave now. */
  get isOpen(): boolean {
    return this.#cancel === null
  }

  /** `listener` is called each time the gate opens, and may send one request. */
  onOpen(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** A request has left. */
  left(): void {
    if (this.#distanceMs > 0) this.#shut(this.#distanceMs)
  }

  /** A request was refused as `rate_limited`. */
  refused(retryAfterMs: number): void {
    this.#distanceMs = Math.max(this.#distanceMs, retryAfterMs)
    this.#shut(retryAfterMs)
  }

  #shut(ms: number): void {
    this.#cancel?.()
    this.#cancel = this.#clock.after(ms, () => this.#opened())
  }

  #opened(): void {
    this.#cancel = null
    // Each is first in its turn, so that messages and calls share what the limit allows.
    const first = this.#listeners.shift()
    if (first) this.#listeners.push(first)
    for (const listener of this.#listeners) listener()
    if (this.isOpen) this.#distanceMs = 0
  }

  /** Opens the gate and forgets the refusals. */
  reset(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#distanceMs = 0
  }
}

/** One pacer for each budget of the table, shared by all that sends. */
export class Pacers {
  readonly #clock: Clock
  readonly #byBudget = new Map<string, Pacer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(name: RequestName): Pacer {
    const row: RequestSpec = requests[name]
    const budget = row.budget ?? 'events'
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
