/**
 * Newcomers: the sockets that have not sent a token yet, limited per address and in total.
 *
 * What such a socket has sent is held in memory and belongs to no known user. When the limit is reached, a
 * newcomer replaces the oldest one that is at least a second old: a client that sends its token at once is
 * not blocked by sockets that send nothing. If all are younger, as when many clients reconnect after a
 * restart, the newcomer is refused and retries.
 * Bounded: `max` in total.
 */
/** What a client may send before it is authenticated: a token of 8 KiB, and the JSON around it. */
export const MAX_NEWCOMER_BYTES = 16_384

/** The same over a transport that cannot raise it afterwards: a message of an authenticated client, and a token. */
export function fixedNewcomerBytes(maxMessageBytes: number): number {
  return maxMessageBytes + MAX_NEWCOMER_BYTES
}

export interface NewcomersOptions {
  readonly max: number
  readonly maxPerAddress: number
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

const MIN_AGE_MS = 1_000

export class Newcomers {
  readonly #options: NewcomersOptions
  /** With the time of arrival, oldest first. */
  readonly #all = new Map<Newcomer, number>()
  readonly #byAddress = new Map<string, Set<Newcomer>>()

  constructor(options: NewcomersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#all.size
  }

  /** Makes room for one more socket of `address`, or returns the limit that is reached. */
  makeRoom(address: string): NewcomerRefusal | null {
    const { max, maxPerAddress } = this.#options
    const own = this.#byAddress.get(address)
    if (own && own.size >= maxPerAddress && !this.#replace(own)) return 'address'
    if (this.#all.size >= max && !this.#replace(this.#all)) return 'all'
    return null
  }

  add(newcomer: Newcomer): void {
    this.#all.set(newcomer, this.#options.now())
    const own = this.#byAddress.get(newcomer.address)
    if (own) own.add(newcomer)
    else this.#byAddress.set(newcomer.address, new Set([newcomer]))
  }

  /** It has sent a token or disconnected. */
  remove(newcomer: Newcomer): void {
    if (!this.#all.delete(newcomer)) return
    const own = this.#byAddress.get(newcomer.address)
    own?.delete(newcomer)
    if (own?.size === 0) this.#byAddress.delete(newcomer.address)
  }

  #replace(among: ReadonlySet<Newcomer> | ReadonlyMap<Newcomer, number>): boolean {
    const [oldest] = among.keys()
    if (!oldest || this.#options.now() - (this.#all.get(oldest) ?? 0) < MIN_AGE_MS) return false
    this.remove(oldest)
    oldest.evict()
    return true
  }
}
