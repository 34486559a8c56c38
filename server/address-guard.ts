/**
 * Address guard: refuses an address from which too many authentications have failed (AUT-2).
 *
 * Only failures count, so that ten thousand good connections from one address pass. A minute
 * after its first failure an address starts anew.
 * Bounded: over `maxAddresses` the one that has been known longest is forgotten.
 */
export interface AddressGuardOptions {
  /** Failures a minute and address; 0 is no limit. */
  readonly perMinute: number
  readonly maxAddresses: number
  /** Milliseconds. */
  readonly now: () => number
}

const MINUTE_MS = 60_000

export class AddressGuard {
  readonly #options: AddressGuardOptions
  readonly #failures = new Map<string, { count: number; readonly sinceMs: number }>()

  constructor(options: AddressGuardOptions) {
    this.#options = options
  }

  /** Addresses with failures, for the metrics. */
  get addresses(): number {
    return this.#failures.size
  }

  /** Milliseconds until the address may try again; 0 where it may now. */
  blockedForMs(address: string): number {
    const { perMinute, now } = this.#options
    const failed = this.#failures.get(address)
    if (perMinute === 0 || !failed || failed.count < perMinute) return 0
    return Math.max(0, failed.sinceMs + MINUTE_MS - now())
  }

  /** Counts a failed authentication. */
  failed(address: string): void {
    const { perMinute, maxAddresses, now } = this.#options
    if (perMinute === 0) return
    const known = this.#failures.get(address)
    if (known && now() - known.sinceMs < MINUTE_MS) {
      known.count++
      return
    }
    this.#failures.delete(address)
    if (this.#failures.size >= maxAddresses) {
      const [oldest] = this.#failures.keys()
      if (oldest !== undefined) this.#failures.delete(oldest)
    }
    this.#failures.set(address, { count: 1, sinceMs: now() })
  }

  /** Forgets failures older than a minute; called now and then. */
  sweep(): void {
    const now = this.#options.now()
    for (const [address, { sinceMs }] of this.#failures) {
      if (now - sinceMs >= MINUTE_MS) this.#failures.delete(address)
    }
  }
}
