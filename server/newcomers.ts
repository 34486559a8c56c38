/**
 * Newcomers: the sockets that have not brought a token yet, limited per address and in all.
 *
 * What such a socket has sent is in memory and nobody answers for it. Where the limit is reached, a
 * newcomer replaces the oldest that had a second's time; a client that sends its token at once is
 * not held up by sockets that send nothing. Where all are younger, as after a restart with many
 * clients, the newcomer is refused and comes again.
 * Bounded: `max` in all.
 */
export interface NewcomersOptions {
  readonly max: number
  readonly maxPerAddress: number
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
}

export interface Newcomer {
  readonly address: string
  /** Ends it for another one. */
  giveWay(): void
}

/** Which limit is reached. */
export type NewcomerRefusal = 'address' | 'all'

const PATIENCE_MS = 1_000

export class Newcomers {
  readonly #options: NewcomersOptions
  /** With the time of arrival, the oldest first. */
  readonly #all = new Map<Newcomer, number>()
  readonly #byAddress = new Map<string, Set<Newcomer>>()

  constructor(options: NewcomersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#all.size
  }

  /** Makes room for one more of `address`, or says why there is none. */
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

  /** It has brought a token, or is gone. */
  remove(newcomer: Newcomer): void {
    if (!this.#all.delete(newcomer)) return
    const own = this.#byAddress.get(newcomer.address)
    own?.delete(newcomer)
    if (own?.size === 0) this.#byAddress.delete(newcomer.address)
  }

  #replace(among: ReadonlySet<Newcomer> | ReadonlyMap<Newcomer, number>): boolean {
    const [oldest] = among.keys()
    if (!oldest || this.#options.now() - (this.#all.get(oldest) ?? 0) < PATIENCE_MS) return false
    this.remove(oldest)
    oldest.giveWay()
    return true
  }
}
