/**
 * Log model: what one member has been shown of a group, as a careful client would keep it.
 *
 * Notes every violation of ORD-1 on the way: an event that comes twice or below one that came
 * before in the same stream, a number spoken for two messages, a gap that does not cover what is
 * missing. `shown` is what remains after the gaps have taken theirs back.
 */
import type { Event } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'

/** Who sent it and under which key: what a message is, whatever became of it. */
export function identityOf(message: Message): string {
  return `${message.senderId}/${message.tempId}`
}

export class LogModel {
  readonly groupId: string
  readonly shown = new Map<number, string>()
  readonly violations: string[] = []
  /** For each number ever seen, what it was spoken for. */
  readonly #spoken = new Map<number, string>()
  lastSeq = 0

  constructor(groupId: string) {
    this.groupId = groupId
  }

  /** Takes an event of the stream; those of other groups and answers are passed over. */
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
    const before = this.#spoken.get(seq)
    if (before !== undefined && before !== what) this.violations.push(`${seq} was ${before}, is ${what}`)
    this.#spoken.set(seq, what)
    this.shown.set(seq, what)
    this.lastSeq = Math.max(this.lastSeq, seq)
  }
}
