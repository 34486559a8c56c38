/**
 * Changed messages: recently edited, deleted or reacted posts in their current state.
 *
 * Between a change and its commit the log still has the old post, and the newest events in memory have
 * the original post. Code that needs a post looks here first, so that each change builds on the previous
 * one, and a reader sees what members have been shown. A post is removed once its change is committed
 * and no read that began before is under way: from then on the log has it.
 * Bounded by what may be uncommitted (`HeldBack`); above `MAX_CHANGED` committed posts are removed.
 */
import type { Message } from '../../../protocol/records.ts'

const MAX_CHANGED = 64

interface Changed {
  /** As the newest change left it. */
  readonly message: Message
  /** The seq of that change. */
  readonly changeSeq: number
  /** As earlier events left it, ascending: the first one that members have been shown, and those behind it. */
  readonly earlier: { readonly message: Message; readonly seq: number }[]
  /** Offset of the change in the shard's log. */
  readonly offset: number
}

export class ChangedMessages {
  readonly #changed = new Map<number, Changed>()

  /** The number of posts that were changed lately. */
  get size(): number {
    return this.#changed.size
  }

  /** The post as it is, if it was changed lately. */
  find(seq: number): Message | undefined {
    return this.#changed.get(seq)?.message
  }

  /** The post as members have been shown it; `message` is what the log or the memory has. */
  shown(message: Message, publishedSeq: number): Message {
    return this.findShown(message.seq, publishedSeq) ?? message
  }

  /** The same, if the post was changed lately. */
  findShown(seq: number, publishedSeq: number): Message | undefined {
    const changed = this.#changed.get(seq)
    if (!changed) return undefined
    if (changed.changeSeq <= publishedSeq) return changed.message
    return changed.earlier.findLast(({ seq: since }) => since <= publishedSeq)?.message
  }

  /** Remembers a change of `before` into `message`, made by the event `changeSeq`. */
  set(message: Message, before: Message, changeSeq: number, offset: number, publishedSeq: number): void {
    const { seq } = message
    const known = this.#changed.get(seq)
    // Several changes may wait to be shown: a reader sees the newest of those that were.
    const earlier = known?.earlier ?? []
    earlier.push({ message: before, seq: known?.changeSeq ?? 0 })
    earlier.splice(
      0,
      earlier.findLastIndex(({ seq: since }) => since <= publishedSeq),
    )
    this.#changed.delete(seq)
    this.#changed.set(seq, { message, changeSeq, earlier, offset })
  }

  /** Posts by this user show this name from now on. */
  rename(senderId: string, senderName: string): void {
    for (const [seq, changed] of this.#changed) {
      if (changed.message.senderId !== senderId) continue
      const message = { ...changed.message, senderName }
      const earlier = changed.earlier.map((one) => ({ ...one, message: { ...one.message, senderName } }))
      this.#changed.set(seq, { ...changed, message, earlier })
    }
  }

  /** Removes, oldest first, what the log has by now; calls `leaving` for each. */
  tidy(committedOffset: number, publishedSeq: number, leaving: (message: Message) => void): void {
    for (const [seq, { offset, changeSeq, message }] of this.#changed) {
      if (this.#changed.size <= MAX_CHANGED || offset > committedOffset || changeSeq > publishedSeq) return
      this.#changed.delete(seq)
      leaving(message)
    }
  }
}
