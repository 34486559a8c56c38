/**
 * Recent events: the newest durable events of a group, in memory.
 *
 * From `floor` on, all events are here, committed or not: a reader of newer events never needs the log,
 * and a reader of older events finds the rest in the log, because only committed events are removed.
 * Contains `MIN_EVENTS` to twice as many events, and more only while they are not committed.
 */

import { events } from '../../../protocol/events.ts'
import type { Message } from '../../../protocol/records.ts'
import { hasUserNames, withContent, withUserNames } from '../../stored/stored-frame.ts'
import type { LoggedEvent } from '../../stored/stored-group.ts'

const MIN_EVENTS = 256

export class RecentEvents {
  #events: LoggedEvent[]
  /** Offsets of the events in the log; 0 for events that were loaded. */
  #offsets: number[]
  #floor: number

  /** Starts with the loaded events; `complete` if they are the whole log of the group. */
  constructor(loaded: readonly LoggedEvent[], complete: boolean) {
    this.#events = [...loaded]
    this.#offsets = loaded.map(() => 0)
    this.#floor = complete ? 1 : (loaded[0]?.seq ?? 1)
  }

  /** Every durable event with `seq >= floor` is here. */
  get floor(): number {
    return this.#floor
  }

  /** Adds the newest event, then removes old ones that are committed up to `committedOffset`. */
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

  /** Replaces the post by `message`, also the text in its edits. // PRV-3 */
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

  /** Sets the current name in posts of this user and in events about them. */
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

  /** The same events one at a time, so that only the needed ones are visited; with `newest` in descending order. */
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
