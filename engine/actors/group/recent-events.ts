/**
 * Recent events: the newest durable events of a group, in memory.
 *
 * From `floor` on every event is here, committed or not, so that a reader of newer events never needs
 * the log and an older one finds the rest there: only committed events are removed. Holds between
 * `MIN_EVENTS` and twice as many, more only while they are not committed yet.
 */

import { events } from '../../../protocol/events.ts'
import type { Message } from '../../../protocol/records.ts'
import { hasUserNames, withContent, withUserNames } from '../../stored/stored-frame.ts'
import type { LoggedEvent } from '../../stored/stored-group.ts'

const MIN_EVENTS = 256

export class RecentEvents {
  #events: LoggedEvent[]
  /** Offsets in the shard's log stream, beside the events; 0 for what was loaded. */
  #offsets: number[]
  #floor: number

  /** Starts with what the log gave; `complete` where that is the whole log of the group. */
  constructor(loaded: readonly LoggedEvent[], complete: boolean) {
    this.#events = [...loaded]
    this.#offsets = loaded.map(() => 0)
    this.#floor = complete ? 1 : (loaded[0]?.seq ?? 1)
  }

  /** Every durable event with `seq >= floor` is here. */
  get floor(): number {
    return this.#floor
  }

  /** Adds the newest event, then lets old ones go that are committed up to `committedOffset`. */
  push(event: LoggedEvent, offset: number, committedOffset: number): void {
    this.#events.push(event)
    this.#offsets.push(offset)
    if (this.#events.length < MIN_EVENTS * 2) return
    const excess = this.#events.length - MIN_EVENTS
    if ((this.#offsets[excess - 1] ?? 0) > committedOffset) return
    this.#floor = (this.#events[excess] as LoggedEvent).seq
    this.#events = this.#events.slice(excess)
    this.#offsets = this.#offsets.slice(excess)
  }

  /** The post is as `message` says from now on, and its edits say the same. // PRV-3 */
  replace(message: Message): void {
    let at = this.#indexAbove(message.seq - 1)
    if (this.#events[at]?.seq === message.seq) this.#events[at] = { seq: message.seq, message }
    for (; at < this.#events.length; at++) {
      const event = this.#events[at] as LoggedEvent
      if ('message' in event || event.target !== message.seq) continue
      if (event.code !== events.message_edited.code) continue
      this.#events[at] = { ...event, frame: withContent(event.frame, message) }
    }
  }

  /** Posts by this user, and events about them, show this name from now on. */
  rename(userId: string, name: string): void {
    const nameOf = (other: string) => (other === userId ? name : undefined)
    for (const [at, event] of this.#events.entries()) {
      if (!('message' in event)) {
        if (!hasUserNames(event.code)) continue
        this.#events[at] = { ...event, frame: withUserNames(event.frame, nameOf) }
      } else if (event.message.senderId === userId) {
        this.#events[at] = { seq: event.seq, message: { ...event.message, senderName: name } }
      }
    }
  }

  /** Events with `after < seq <= upTo`, the first `limit` of them. `after + 1` is not below the floor. */
  range(after: number, upTo: number, limit: number): readonly LoggedEvent[] {
    const start = this.#indexAbove(after)
    const end = Math.min(this.#indexAbove(upTo), start + limit)
    return this.#events.slice(start, end)
  }

  /** The same events one by one, those that are asked for only; with `newest` from the last one down. */
  *walk(after: number, upTo: number, newest: boolean): Generator<LoggedEvent> {
    const start = this.#indexAbove(after)
    const end = this.#indexAbove(upTo)
    for (let i = 0; i < end - start; i++) {
      yield this.#events[newest ? end - 1 - i : start + i] as LoggedEvent
    }
  }

  /** The event with this number, if it is here. */
  find(seq: number): LoggedEvent | undefined {
    const event = this.#events[this.#indexAbove(seq - 1)]
    return event?.seq === seq ? event : undefined
  }

  /** Index of the first event with `seq > after`. */
  #indexAbove(after: number): number {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle] as LoggedEvent).seq > after) high = middle
      else low = middle + 1
    }
    return low
  }
}
