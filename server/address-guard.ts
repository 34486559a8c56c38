/**
 * Address guard: blocks an address after too many failed authentications (AUT-2).
 *
 * Only failures count, so ten thousand valid connections from one address pass. The count of an address
 * restarts one minute after its first failure.
 * Bounded: above `maxAddresses` the oldest entry is deleted.
 */
export interface AddressGuardOptions {
  /** Failures per minute and address; 0 means no limit. */
  readonly perMinute: number
  readonly maxAddresses: number
  /** Milliseconds. */
  readonly now: () => number
  /** Called with each failure, for others that count the failures of the same addresses. */
  readonly onFailed?: ((address: string) => void) | undefined
}

interface Failures {
  count: number
  readonly sinceMs: number
}

const MINUTE_MS = 60_000
/** Addresses with failures at the same time. */
export const MAX_ADDRESSES = 10_000

export class AddressGuard {
  readonly #options: AddressGuardOptions
  readonly #failures = new Map<string, Failures>()

  constructor(options: AddressGuardOptions) {
    this.#options = options
  }

  /** The number of addresses with failures, for the metrics. */
  get addresses(): number {
    return this.#failures.size
  }

  /** Milliseconds until the address may try again; 0 if it is not blocked. */
  blockedForMs(address: string): number {
    const { perMinute, now } = this.#options
    const failed = this.#failures.get(address)
    if (perMinute === 0 || !failed || failed.count < perMinute) return 0
    return Math.max(0, failed.sinceMs + MINUTE_MS - now())
  }

  /** Blocks an address that has failed too often elsewhere too. */
  block(address: string, forMs: number): void {
    const { perMinute, now } = this.#options
    this.#add(address, { count: perMinute, sinceMs: now() - MINUTE_MS + forMs })
  }

  /** Counts a failed authentication. */
  failed(address: string): void {
    const { perMinute, now, onFailed } = this.#options
    if (perMinute === 0) return
    onFailed?.(address)
    const known = this.#failures.get(address)
    if (known && now() - known.sinceMs < MINUTE_MS) {
      known.count++
      return
    }
    this.#add(address, { count: 1, sinceMs: now() })
  }

  /** Deletes entries older than a minute; called about every ten seconds. */
  sweep(): void {
    const now = this.#options.now()
    for (const [address, { sinceMs }] of this.#failures) {
      if (now - sinceMs >= MINUTE_MS) this.#failures.delete(address)
    }
  }

  #add(address: string, failures: Failures): void {
    this.#failures.delete(address)
    if (this.#failures.size >= this.#options.maxAddresses) {
      const [oldest] = this.#failures.keys()
      if (oldest !== undefined) this.#failures.delete(oldest)
    }
    this.#failures.set(address, failures)
  }
}
