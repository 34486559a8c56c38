/**
 * Held bytes: what Socket.IO clients have sent and the server has not processed yet: bodies of polls,
 * attachments, files under upload. One limit for all clients; above it the newest is refused.
 */
export class HeldBytes {
  readonly #max: number
  #held = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Counts the bytes; false if there is no room. */
  add(bytes: number): boolean {
    if (this.#held + bytes > this.#max) return false
    this.#held += bytes
    return true
  }

  remove(bytes: number): void {
    this.#held -= bytes
  }
}
