/**
 * Outbox: the user's own messages, from `sendMessage` until the server has answered for good.
 *
 * What got no answer is sent again: after a reconnect, after a timeout, when a `gap` takes back
 * what was shown, and after a refusal that allows it, once `retryAfterMs` is over. The same
 * `tempId` makes one message, but the server remembers only the newest 1,024 of a group. So after a
 * reconnect a message is sent again only when its group's catch-up has brought everything the group
 * got meanwhile: if the message is in it, that is the answer (IDM-1, CUP-2).
 * Order: a group's messages leave one at a time, each after the answer to the one before, so that
 * a repeated one is not overtaken. A larger `window` is faster and gives that up in the case of a
 * refusal only. Groups do not wait for each other, until the user's rate limit is met: then the
 * pacer decides.
 * Bounded: over `MAX_UNANSWERED` messages, `overloaded`; `MAX_UNDER_WAY` are sent without an answer.
 */
import { ChatError, errors } from '../protocol/errors.ts'
import type { Answer } from '../protocol/methods.ts'
import type { Message } from '../protocol/records.ts'
import type { RequestFields } from '../protocol/requests.ts'
import { backoffMs } from './backoff.ts'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Pacer } from './pacer.ts'

const MAX_UNANSWERED = 1_000
/** Refused all at once they are still far from the number for which the server closes (4029). */
const MAX_UNDER_WAY = 32
/** `internal` may be caused by the message itself: it is not tried for ever. */
const MAX_INTERNAL = 5
/** So many later events are never repeated on: far below the server's 1,024. */
const MAX_LATER_EVENTS = 512

type Fields = RequestFields<'send_message'>
type Sent = Answer<'send_message'>

export interface OutboxOptions {
  /** One attempt. Rejects with a `ChatError` where refused, with a `ClientError` without an answer. */
  readonly send: (fields: Fields) => Promise<Sent>
  /** Whether everything the group got up to now was seen. */
  readonly isCaughtUp: (groupId: string) => boolean
  /** The highest seq that was seen of a group. */
  readonly lastSeq: (groupId: string) => number
  readonly clock: Clock
  readonly pacer: Pacer
  /** Messages of one group that may be under way at once, from 1. */
  readonly window: number
}

interface Entry {
  readonly fields: Fields
  readonly resolve: (sent: Sent) => void
  readonly reject: (error: Error) => void
  /** Counts attempts, so that what became of an older one is told from the newest. */
  attempt: number
  underWay: boolean
  refusals: number
  /** The message as it was shown since it was last sent. */
  shown: Message | null
}

/** One group's messages, oldest first. */
interface Queue {
  readonly entries: Entry[]
  underWay: number
  cancelPause: (() => void) | null
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #queues = new Map<string, Queue>()
  readonly #maxUnderWay: number
  #size = 0
  #underWay = 0
  #isOnline = false
  #closed: Error | null = null

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#maxUnderWay = Math.max(MAX_UNDER_WAY, options.window)
    options.pacer.onOpen(() => this.#pumpAll())
  }

  /** Messages without a final answer. */
  get size(): number {
    return this.#size
  }

  /** Sends a message as soon as it is its turn; resolves with `message_sent`. */
  add(fields: Fields): Promise<Sent> {
    if (this.#closed) return Promise.reject(this.#closed)
    if (this.#size >= MAX_UNANSWERED) {
      return Promise.reject(new ChatError('overloaded', 'too many messages without an answer'))
    }
    return new Promise((resolve, reject) => {
      const queue = this.#queueOf(fields.groupId)
      queue.entries.push({
        fields,
        resolve,
        reject,
        attempt: 0,
        underWay: false,
        refusals: 0,
        shown: null,
      })
      this.#size += 1
      this.#pump(queue)
    })
  }

  /** There is a connection: what was never sent leaves, the rest when its group is caught up. */
  online(): void {
    this.#isOnline = true
    this.#closed = null
    this.#pumpAll()
  }

  /** There is no connection; what was under way on it is rejected by `send`. */
  offline(): void {
    this.#isOnline = false
    this.#closed = null
  }

  /** Whether a message of the group was sent and has no answer. */
  hasUnanswered(groupId: string): boolean {
    return this.#queues.get(groupId)?.entries.some(({ attempt }) => attempt > 0) ?? false
  }

  /** A message of the user's own was shown, perhaps before it was as durable as promised. */
  shown(message: Message): void {
    for (const entry of this.#queues.get(message.groupId)?.entries ?? []) {
      if (entry.fields.tempId === message.tempId && entry.attempt > 0) entry.shown = message
    }
  }

  /** A crash has taken these numbers: what was shown there and not acknowledged is sent again. */
  taken(groupId: string, from: number, to: number): void {
    const queue = this.#queues.get(groupId)
    for (const entry of queue?.entries ?? []) {
      if (!queue || !entry.shown || entry.shown.seq < from || entry.shown.seq > to) continue
      entry.shown = null
      if (entry.underWay) this.#transmit(queue, entry)
    }
  }

  /** The catch-up of a group has ended. What was shown up to `durableSeq` is answered by that. */
  caughtUp(groupId: string, durableSeq: number): void {
    const queue = this.#queues.get(groupId)
    if (!queue) return
    for (const entry of [...queue.entries]) {
      if (!entry.underWay && entry.shown && entry.shown.seq <= durableSeq)
        this.#confirm(queue, entry, entry.shown)
    }
    this.#pump(queue)
  }

  /** The catch-up of all groups has ended. */
  allCaughtUp(): void {
    this.#pumpAll()
  }

  /** Rejects all, and what is added before `offline` or `online` is called again. */
  close(error: Error): void {
    this.#isOnline = false
    this.#closed = error
    const queues = [...this.#queues.values()]
    this.#queues.clear()
    this.#size = 0
    this.#underWay = 0
    for (const { entries, cancelPause } of queues) {
      cancelPause?.()
      for (const entry of entries.splice(0)) entry.reject(error)
    }
  }

  #queueOf(groupId: string): Queue {
    const known = this.#queues.get(groupId)
    if (known) return known
    const queue: Queue = { entries: [], underWay: 0, cancelPause: null }
    this.#queues.set(groupId, queue)
    return queue
  }

  #pumpAll(): void {
    for (const queue of this.#queues.values()) this.#pump(queue)
  }

  #pump(queue: Queue): void {
    // An entry that is confirmed leaves the list, and the next one takes its place.
    for (let at = 0; this.#mayLeave(queue); ) {
      const entry = queue.entries[at]
      if (!entry) return
      if (entry.underWay) {
        at += 1
        continue
      }
      if (entry.attempt > 0) {
        const { groupId } = entry.fields
        if (!this.#options.isCaughtUp(groupId)) return
        if (entry.shown && this.#options.lastSeq(groupId) - entry.shown.seq > MAX_LATER_EVENTS) {
          this.#confirm(queue, entry, entry.shown)
          continue
        }
      }
      entry.underWay = true
      queue.underWay += 1
      this.#underWay += 1
      this.#options.pacer.left()
      this.#transmit(queue, entry)
    }
  }

  #mayLeave(queue: Queue): boolean {
    if (!this.#isOnline || queue.cancelPause || queue.underWay >= this.#options.window) return false
    return this.#options.pacer.isOpen && this.#underWay < this.#maxUnderWay
  }

  #transmit(queue: Queue, entry: Entry): void {
    entry.attempt += 1
    entry.shown = null
    const { attempt } = entry
    this.#options.send(entry.fields).then(
      (sent) => {
        if (this.#remove(queue, entry)) entry.resolve(sent)
      },
      (error: Error) => {
        if (entry.attempt === attempt && queue.entries.includes(entry)) this.#failed(queue, entry, error)
      },
    )
  }

  #failed(queue: Queue, entry: Entry, error: Error): void {
    const again =
      error instanceof ClientError || (error instanceof ChatError && mayRepeat(error, ++entry.refusals))
    if (!again) {
      this.#remove(queue, entry)
      entry.reject(error)
      return
    }
    this.#back(queue, entry)
    if (error instanceof ChatError) this.#pause(queue, entry, error)
    this.#pumpAll()
  }

  #back(queue: Queue, entry: Entry): void {
    if (!entry.underWay) return
    entry.underWay = false
    queue.underWay -= 1
    this.#underWay -= 1
  }

  #pause(queue: Queue, { refusals }: Entry, error: ChatError): void {
    const { clock, pacer } = this.#options
    const delayMs = error.retryAfterMs ?? backoffMs(refusals, clock)
    if (error.code === 'rate_limited') {
      pacer.refused(delayMs)
      return
    }
    queue.cancelPause?.()
    queue.cancelPause = clock.after(delayMs, () => {
      queue.cancelPause = null
      this.#pump(queue)
    })
  }

  #confirm(queue: Queue, entry: Entry, message: Message): void {
    if (this.#remove(queue, entry)) entry.resolve({ tempId: entry.fields.tempId, success: true, message })
  }

  /** Removes an entry that is answered from its queue; false where it was removed before. */
  #remove(queue: Queue, entry: Entry): boolean {
    const at = queue.entries.indexOf(entry)
    if (at < 0) return false
    queue.entries.splice(at, 1)
    this.#size -= 1
    this.#back(queue, entry)
    if (queue.entries.length === 0) {
      queue.cancelPause?.()
      this.#queues.delete(entry.fields.groupId)
    }
    this.#pumpAll()
    return true
  }
}

function mayRepeat({ code }: ChatError, refusals: number): boolean {
  return errors[code].retry && (code !== 'internal' || refusals < MAX_INTERNAL)
}
