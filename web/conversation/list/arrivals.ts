/**
 * Arrivals: which messages a screen reader announces, each once.
 *
 * The newest seq that was seen is remembered: a message is an arrival if its seq is higher. Older pages
 * and places that were jumped to are lower, so that they are never announced. A message that is not
 * part of the window is announced by the last message of the group.
 */
import type { Item, MessageItem } from '../../../client/store/types.ts'

/** Above this number, arrivals at one time are announced as a number. */
const MAX_SINGLE = 3

export class Arrivals {
  /** Null before anything of the group was seen. */
  #seen: number | null = null

  /**
   * The new messages of others, in order. The first call only remembers what is there. `isEmpty`: the group
   * is known to have no messages.
   */
  take(items: readonly Item[], last: MessageItem | undefined, isEmpty = false): readonly MessageItem[] {
    const candidates = new Map<number, MessageItem>()
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i] as Item
      if (item.kind !== 'message' || item.seq === undefined) continue
      if (this.#seen !== null && item.seq <= this.#seen) break
      candidates.set(item.seq, item)
    }
    if (last?.seq !== undefined && last.seq > (this.#seen ?? 0)) candidates.set(last.seq, last)
    if (candidates.size === 0) {
      if (isEmpty) this.#seen ??= 0
      return []
    }
    const isFirst = this.#seen === null
    this.#seen = Math.max(this.#seen ?? 0, ...candidates.keys())
    if (isFirst) return []
    return [...candidates.values()]
      .filter((item) => !item.mine && item.deletedAt === undefined && item.recalledAt === undefined)
      .sort((a, b) => (a.seq as number) - (b.seq as number))
  }
}

/** The texts to announce for new messages. */
export function announcementsOf(
  arrivals: readonly MessageItem[],
  one: (item: MessageItem) => string,
  many: (count: number) => string,
): readonly string[] {
  return arrivals.length > MAX_SINGLE ? [many(arrivals.length)] : arrivals.map(one)
}
