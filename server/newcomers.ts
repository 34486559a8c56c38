/**
 * Newcomers: the clients that are not authenticated yet, limited by the memory that they can use (INP-2).
 *
 * What such a client has sent is held in memory and belongs to no known user. With uWebSockets.js an incomplete
 * message cannot be observed, so each newcomer counts with the most that it may send. One bound applies to all
 * of them, seven eighths of it to one address. When it is reached, the address that uses most loses its
 * oldest newcomer that is at least a second old: a client that sends its token at once is not blocked by
 * clients that send nothing. If all are younger, as when many clients reconnect after a restart, the newcomer
 * is refused and retries. Bounded: `maxBytes` in total; one newcomer is always allowed.
 */
/** What a client may send before it is authenticated: a token of 8 KiB, and the JSON around it. */
export const MAX_NEWCOMER_BYTES = 16_384

/** The same over a transport that cannot raise it afterwards: a message of an authenticated client, and a token. */
export function fixedNewcomerBytes(maxMessageBytes: number): number {
  return maxMessageBytes + MAX_NEWCOMER_BYTES
}

export interface NewcomersOptions {
  readonly maxBytes: number
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
}

export interface Newcomer {
  readonly address: string
  /** Closes it to make room for another one. */
  evict(): void
}

/** The limit that is reached. */
export type NewcomerRefusal = 'address' | 'all'

interface Entry {
  readonly bytes: number
  readonly sinceMs: number
}

interface OfAddress {
  bytes: number
  /** Oldest first. */
  readonly entries: Map<Newcomer, Entry>
}

const MIN_AGE_MS = 1_000
/** What one address may use of the bound. */
const ADDRESS_SHARE = 7 / 8
/** What newcomers may use that are allowed more than they need. */
const LARGE_SHARE = 3 / 8

export class Newcomers {
  readonly #options: NewcomersOptions
  readonly #byAddress = new Map<string, OfAddress>()
  #bytes = 0

  constructor(options: NewcomersOptions) {
    this.#options = options
  }

  /** What all newcomers may use. */
  get bytes(): number {
    return this.#bytes
  }

  /** Makes room for a newcomer of `address` that uses at most `bytes`, or returns the limit that is reached. */
  makeRoom(address: string, bytes: number): NewcomerRefusal | null {
    const { maxBytes } = this.#options
    for (;;) {
      const own = this.#byAddress.get(address)
      if (!own || own.bytes + bytes <= maxBytes * ADDRESS_SHARE) break
      if (!this.#evictFrom([own], 0)) return 'address'
    }
    while (this.#bytes > 0 && this.#bytes + bytes > maxBytes) {
      if (!this.#evictFrom(this.#byAddress.values(), 0)) return 'all'
    }
    return null
  }

  /**
   * Makes room for a limit that is larger than a newcomer needs. It leaves five eighths to others, and
   * replaces only newcomers that use as much. Returns false if there is no room.
   */
  makeLargeRoom(bytes: number): boolean {
    const share = this.#options.maxBytes * LARGE_SHARE
    if (bytes > share) return false
    while (this.#bytes + bytes > share) {
      if (!this.#evictFrom(this.#byAddress.values(), bytes)) return false
    }
    return true
  }

  add(newcomer: Newcomer, bytes: number): void {
    const entry = { bytes, sinceMs: this.#options.now() }
    const own = this.#byAddress.get(newcomer.address)
    if (own) {
      own.bytes += bytes
      own.entries.set(newcomer, entry)
    } else this.#byAddress.set(newcomer.address, { bytes, entries: new Map([[newcomer, entry]]) })
    this.#bytes += bytes
  }

  /** It is authenticated or has disconnected. */
  remove(newcomer: Newcomer): void {
    const own = this.#byAddress.get(newcomer.address)
    const entry = own?.entries.get(newcomer)
    if (!own || !entry) return
    own.entries.delete(newcomer)
    own.bytes -= entry.bytes
    this.#bytes -= entry.bytes
    if (own.entries.size === 0) this.#byAddress.delete(newcomer.address)
  }

  /** Closes the oldest newcomer with `minBytes` of the address that uses most. False if all are too young. */
  #evictFrom(addresses: Iterable<OfAddress>, minBytes: number): boolean {
    const youngestMs = this.#options.now() - MIN_AGE_MS
    let found: Newcomer | null = null
    let most = 0
    for (const { bytes, entries } of addresses) {
      if (bytes <= most) continue
      for (const [newcomer, entry] of entries) {
        if (entry.sinceMs > youngestMs) break
        if (entry.bytes < minBytes) continue
        found = newcomer
        most = bytes
        break
      }
    }
    if (!found) return false
    this.remove(found)
    found.evict()
    return true
  }
}
