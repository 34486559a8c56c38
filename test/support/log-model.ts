/**
 * Log model: what one member has been shown of a group, as a correct client stores it.
 *
 * Records every violation of ORD-1: a duplicate event, an event below an earlier one of the same stream, a
 * seq used for two messages, a gap that does not cover the missing events. `shown` contains what remains
 * after the gaps removed their part.
 */
import type { Event } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'

/** The sender and the key: the identity of a message, whatever its state. */
export function identityOf(message: Message): string {
  return `${message.senderId}/${message.tempId}`
}

export class LogModel {
  readonly groupId: string
  readonly shown = new Map<number, string>()
  readonly violations: string[] = []
  /** For each seq ever seen, the message that it was used for. */
  readonly #assigned = new Map<number, string>()
  lastSeq = 0

  constructor(groupId: string) {
    this.groupId = groupId
  }

  /** Applies an event of the stream; events of other groups and answers are ignored. */
  take(event: Event): void {
    if (event.event === 'new_message') {
      const { message } = event.fields
      if (message.groupId === this.groupId) this.#add(message.seq, identityOf(message))
    } else if (event.event === 'gap' && event.fields.groupId === this.groupId) {
      const { seq, from, to } = event.fields
      this.#add(seq, `gap ${from}-${to}`)
      for (const number of this.shown.keys()) if (number >= from && number <= to) this.shown.delete(number)
    } else if (event.event === 'group_created' && event.fields.groupId === this.groupId) {
      this.#add(event.fields.seq, 'group_created')
    }
  }

  #add(seq: number, what: string): void {
    if (this.shown.has(seq)) this.violations.push(`${seq} came twice`)
    if (seq <= this.lastSeq) this.violations.push(`${seq} came after ${this.lastSeq}`)
    const before = this.#assigned.get(seq)
    if (before !== undefined && before !== what) this.violations.push(`${seq} was ${before}, is ${what}`)
    this.#assigned.set(seq, what)
    this.shown.set(seq, what)
    this.lastSeq = Math.max(this.lastSeq, seq)
  }
}
