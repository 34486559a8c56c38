/**
 * Held bytes: what all clients together have sent and the server has not processed yet: bodies of
 * requests, attachments, files under upload. Bounded: above the limit the newest is refused.
 */
export class HeldBytes {
  readonly limit: number
  #held = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Counts the bytes; false if there is no room. */
  add(bytes: number): boolean {
    if (this.#held + bytes > this.limit) return false
    this.#held += bytes
    return true
  }

  remove(bytes: number): void {
    this.#held -= bytes
  }
}
