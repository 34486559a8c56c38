/**
 * Changed messages: posts that were edited, deleted, reacted to a moment ago, as they are now.
 *
 * Between a change and its commit the log still has the post as it was, and the newest events in
 * memory have it as it was posted. Whoever needs a post asks here first, so that one change is
 * made on top of the other, and a reader sees what members have been shown. A post leaves once
 * its change is committed and no read that began before is under way: from then on the log knows.
 * Bounded by what may be uncommitted (`HeldBack`); above `KEPT` it tidies up.
 */
import type { Message } from '../../../protocol/records.ts'

const KEPT = 64

interface Changed {
  /** As the newest change left it. */
  readonly message: Message
  /** The seq of that change. */
  readonly changeSeq: number
  /** As members were shown it before that change. */
  readonly before: Message
  /** Offset of the change in the shard's log. */
  readonly offset: number
}

export class ChangedMessages {
  readonly #changed = new Map<number, Changed>()

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
    return changed.changeSeq <= publishedSeq ? changed.message : changed.before
  }

  /** Remembers a change of `before` into `message`, made by the event `changeSeq`. */
  set(message: Message, before: Message, changeSeq: number, offset: number, publishedSeq: number): void {
    const shown = this.shown(before, publishedSeq)
    this.#changed.delete(message.seq)
    this.#changed.set(message.seq, { message, changeSeq, before: shown, offset })
  }

  /** Posts by this user show this name from now on. */
  rename(senderId: string, senderName: string): void {
    for (const [seq, changed] of this.#changed) {
      if (changed.message.senderId !== senderId) continue
      const message = { ...changed.message, senderName }
      this.#changed.set(seq, { ...changed, message, before: { ...changed.before, senderName } })
    }
  }

  /** Lets go, oldest first, what the log has by now; `leaving` hears of each. */
  tidy(committedOffset: number, publishedSeq: number, leaving: (message: Message) => void): void {
    for (const [seq, { offset, changeSeq, message }] of this.#changed) {
      if (this.#changed.size <= KEPT || offset > committedOffset || changeSeq > publishedSeq) return
      this.#changed.delete(seq)
      leaving(message)
    }
  }
}
