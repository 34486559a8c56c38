/**
 * Held bytes: what all clients together have sent and the server has not processed yet: bodies of
 * requests, attachments, files under upload. Bounded: above the limit the newest is refused, and one owner may
 * have a quarter of it, so that one user cannot refuse the others (INP-2).
 */
export class HeldBytes {
  readonly limit: number
  #held = 0
  readonly #byOwner = new Map<string, number>()

  constructor(limit: number) {
    this.limit = limit
  }

  /** Counts the bytes for their owner, if that is known; false if there is no room. */
  add(bytes: number, owner = ''): boolean {
    const own = this.#byOwner.get(owner) ?? 0
    if (this.#held + bytes > this.limit || (owner !== '' && own + bytes > this.limit / 4)) return false
    this.#held += bytes
    if (owner !== '') this.#byOwner.set(owner, own + bytes)
    return true
  }

  /** The bytes are no longer held. The owner is that of `add`. */
  remove(bytes: number, owner = ''): void {
    this.#held -= bytes
    if (owner === '') return
    const own = (this.#byOwner.get(owner) ?? 0) - bytes
    if (own > 0) this.#byOwner.set(owner, own)
    else this.#byOwner.delete(owner)
  }
}
