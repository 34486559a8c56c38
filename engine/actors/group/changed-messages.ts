/**
 * Changed messages: recently edited, deleted or reacted posts in their current state.
 *
 * Between a change and its commit the log still has the old post, and the newest events in memory have
 * the original post. Code that needs a post looks here first, so that each change builds on the previous
 * one, and a reader sees what members have been shown. A post is removed once its change is committed and
 * no earlier read is running: later reads find it in the log.
 * Bounded by what may be uncommitted (`HeldBack`); above `MAX_CHANGED` committed posts are removed.
 */
import type { Message } from '../../../protocol/records.ts'

const MAX_CHANGED = 64

interface Changed {
  /** After the newest change. */
  readonly message: Message
  /** The seq of that change. */
  readonly changeSeq: number
  /** Earlier versions, ascending: the one that members were last shown, and later ones. */
  readonly earlier: { readonly message: Message; readonly seq: number }[]
  /** Offset of the change in the shard's log. */
  readonly offset: number
}

export class ChangedMessages {
  readonly #changed = new Map<number, Changed>()

  /** Number of recently changed posts. */
  get size(): number {
    return this.#changed.size
  }

  /** The current post, if it was changed recently. */
  find(seq: number): Message | undefined {
    return this.#changed.get(seq)?.message
  }

  /** The version of the post that members were last shown; `message` is the one in the log or in memory. */
  shown(message: Message, publishedSeq: number): Message {
    return this.findShown(message.seq, publishedSeq) ?? message
  }

  /** The same, if the post was changed recently. */
  findShown(seq: number, publishedSeq: number): Message | undefined {
    const changed = this.#changed.get(seq)
    if (!changed) return undefined
    if (changed.changeSeq <= publishedSeq) return changed.message
    return changed.earlier.findLast(({ seq: since }) => since <= publishedSeq)?.message
  }

  /** Records a change of `before` to `message` by the event `changeSeq`. */
  set(message: Message, before: Message, changeSeq: number, offset: number, publishedSeq: number): void {
    const { seq } = message
    const known = this.#changed.get(seq)
    // Several changes may wait to be shown: readers see the newest of those that were shown.
    const earlier = known?.earlier ?? []
    earlier.push({ message: before, seq: known?.changeSeq ?? 0 })
    earlier.splice(
      0,
      earlier.findLastIndex(({ seq: since }) => since <= publishedSeq),
    )
    this.#changed.delete(seq)
    this.#changed.set(seq, { message, changeSeq, earlier, offset })
  }

  /** Sets the current name in posts by this user. */
  rename(senderId: string, senderName: string): void {
    for (const [seq, changed] of this.#changed) {
      if (changed.message.senderId !== senderId) continue
      const message = { ...changed.message, senderName }
      const earlier = changed.earlier.map((one) => ({ ...one, message: { ...one.message, senderName } }))
      this.#changed.set(seq, { ...changed, message, earlier })
    }
  }

  /** Removes versions that the log has by now, oldest first; calls `leaving` for each. */
  tidy(committedOffset: number, publishedSeq: number, leaving: (message: Message) => void): void {
    for (const [seq, { offset, changeSeq, message }] of this.#changed) {
      if (this.#changed.size <= MAX_CHANGED || offset > committedOffset || changeSeq > publishedSeq) return
      this.#changed.delete(seq)
      leaving(message)
    }
  }
}
