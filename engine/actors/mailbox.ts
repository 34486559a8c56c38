/**
 * Mailbox: the mail of an actor that is loading, or waiting for its lease, in order.
 *
 * Bounded: `push` returns false when it is full, and the caller answers `overloaded`.
 */
const MAX_MAIL = 4_096

export class Mailbox<T> {
  /** Null while it is empty: a loaded actor never needs it again. */
  #mail: T[] | null = null

  get size(): number {
    return this.#mail?.length ?? 0
  }

  push(item: T): boolean {
    if (this.size >= MAX_MAIL) return false
    this.#mail ??= []
    this.#mail.push(item)
    return true
  }

  /** Removes and returns all mail. Mail pushed while it is handled comes after it. */
  takeAll(): readonly T[] {
    const mail = this.#mail ?? []
    this.#mail = null
    return mail
  }
}
