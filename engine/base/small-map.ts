/**
 * Small map: a map that takes little memory while it has few entries.
 *
 * A `Map` with one entry takes about 200 bytes, this one 100; a server has several for each connected user,
 * and most contain one entry. Above `FEW` entries it is a `Map`. Bounded by its owner.
 */

const FEW = 8

export class SmallMap<K, V> implements Iterable<readonly [K, V]> {
  /** Keys and values in turn; null while there are none. */
  #entries: readonly (K | V)[] | Map<K, V> | null = null

  constructor(entries: Iterable<readonly [K, V]> = []) {
    for (const [key, value] of entries) this.set(key, value)
  }

  get size(): number {
    const entries = this.#entries
    if (entries === null) return 0
    return entries instanceof Map ? entries.size : entries.length / 2
  }

  get(key: K): V | undefined {
    const entries = this.#entries
    if (entries === null) return undefined
    if (entries instanceof Map) return entries.get(key)
    const at = placeOf(entries, key)
    return at < 0 ? undefined : (entries[at + 1] as V)
  }

  has(key: K): boolean {
    const entries = this.#entries
    if (entries === null) return false
    return entries instanceof Map ? entries.has(key) : placeOf(entries, key) >= 0
  }

  set(key: K, value: V): this {
    const entries = this.#entries
    if (entries instanceof Map) entries.set(key, value)
    // A literal and `concat` have no room to spare.
    else if (entries === null) this.#entries = [key, value]
    else {
      const at = placeOf(entries, key)
      if (at >= 0) this.#entries = entries.with(at + 1, value)
      else if (entries.length < 2 * FEW) this.#entries = entries.concat([key, value])
      else this.#entries = new Map(this).set(key, value)
    }
    return this
  }

  delete(key: K): boolean {
    const entries = this.#entries
    if (entries === null) return false
    if (entries instanceof Map) return entries.delete(key)
    const at = placeOf(entries, key)
    if (at < 0) return false
    this.#entries = entries.length === 2 ? null : entries.toSpliced(at, 2)
    return true
  }

  /** The entries in the order in which their keys were set first. */
  *[Symbol.iterator](): IterableIterator<readonly [K, V]> {
    const entries = this.#entries
    if (entries === null) return
    if (entries instanceof Map) return yield* entries
    for (let at = 0; at < entries.length; at += 2) yield [entries[at] as K, entries[at + 1] as V]
  }

  *keys(): IterableIterator<K> {
    for (const [key] of this) yield key
  }
}

/** Where the key is, or -1. */
function placeOf<K, V>(entries: readonly (K | V)[], key: K): number {
  for (let at = 0; at < entries.length; at += 2) if (entries[at] === key) return at
  return -1
}
