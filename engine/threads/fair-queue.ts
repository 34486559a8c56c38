/**
 * Fair queue: the queries of many users for one thread, the users in turn (INP-2).
 *
 * A user with many queries waits for their own queries; any other user waits for at most one query of
 * each user. Bounded by the open queries that each `QueryPort` allows.
 */
export class FairQueue<T> {
  /** By user; the user who is next comes first. */
  readonly #waiting = new Map<string, T[]>()

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  push(userId: string, item: T): void {
    const items = this.#waiting.get(userId)
    if (items) items.push(item)
    else this.#waiting.set(userId, [item])
  }

  /** Removes and returns the first item of the user who is next. */
  shift(): T | undefined {
    const [next] = this.#waiting
    if (!next) return undefined
    const [userId, items] = next
    const item = items.shift()
    this.#waiting.delete(userId)
    if (items.length > 0) this.#waiting.set(userId, items)
    return item
  }
}
