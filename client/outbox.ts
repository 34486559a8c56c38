/**
 * Outbox: the user's own messages, from `sendMessage` to the final answer of the server.
 *
 * A message without an answer is sent again: after a reconnect, after a timeout, when a `gap` event
 * reverts it, and after a retryable error, once `retryAfterMs` has passed. A `tempId` creates one
 * message, but the server remembers only the newest 1,024 of a group. So after a reconnect a message
 * is sent again only when its group's catch-up has ended: if the catch-up contains the message, that
 * is the answer (IDM-1, CUP-2).
 * Order: the messages of a group are sent one at a time, each after the answer to the one before, so
 * that later messages do not overtake a retry. A larger `window` is faster, and the order can change
 * after an error. Groups do not wait for each other, except for the pacer when the user's rate limit
 * is reached.
 * Bounded: above `MAX_UNANSWERED` messages, `overloaded`; at most `MAX_IN_FLIGHT` are in flight.
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
/** Far below the number of rate-limited requests for which the server closes the connection (4029). */
const MAX_IN_FLIGHT = 32
/** `internal` may be caused by the message itself: the number of retries is limited. */
const MAX_INTERNAL = 5
/** A message with more later events is not sent again. Far below the server's 1,024. */
const MAX_LATER_EVENTS = 512

type Fields = RequestFields<'send_message'>
type Sent = Answer<'send_message'>

export interface OutboxOptions {
  /** One attempt. Rejects with the server's `ChatError`, or with a `ClientError` without an answer. */
  readonly send: (fields: Fields) => Promise<Sent>
  /** Whether all events of the group up to now were received. */
  readonly isCaughtUp: (groupId: string) => boolean
  /** The highest seq that was received of a group. */
  readonly lastSeq: (groupId: string) => number
  readonly clock: Clock
  readonly pacer: Pacer
  /** Messages of one group that may be in flight at once, from 1. */
  readonly window: number
}

interface Entry {
  readonly fields: Fields
  readonly resolve: (sent: Sent) => void
  readonly reject: (error: Error) => void
  /** The number of attempts, to ignore the result of an older one. */
  attempt: number
  inFlight: boolean
  failures: number
  /** The message, if it was received as `new_message` since it was last sent. */
  shown: Message | null
}

/** One group's messages, oldest first. */
interface Queue {
  readonly entries: Entry[]
  inFlight: number
  cancelPause: (() => void) | null
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #queues = new Map<string, Queue>()
  readonly #maxInFlight: number
  #size = 0
  #inFlight = 0
  #isOnline = false
  #closed: Error | null = null

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#maxInFlight = Math.max(MAX_IN_FLIGHT, options.window)
    options.pacer.onOpen(() => this.#pumpAll())
  }

  /** Messages without a final answer. */
  get size(): number {
    return this.#size
  }

  /**
   * Sends a message when it is its turn; resolves with `message_sent`. Above 0 `attempt` means that it may
   * have been sent already.
   */
  add(fields: Fields, attempt = 0): Promise<Sent> {
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
        attempt,
        inFlight: false,
        failures: 0,
        shown: null,
      })
      this.#size += 1
      this.#pump(queue)
    })
  }

  /** A connection is open: new messages are sent now, the others when their group is caught up. */
  online(): void {
    this.#isOnline = true
    this.#closed = null
    this.#pumpAll()
  }

  /** The connection has ended; `send` rejects the messages in flight. */
  offline(): void {
    this.#isOnline = false
    this.#closed = null
  }

  /** Whether a message of the group was sent and has no answer. */
  hasUnanswered(groupId: string): boolean {
    return this.#queues.get(groupId)?.entries.some(({ attempt }) => attempt > 0) ?? false
  }

  /** A message of the user was received, perhaps before it was durable. */
  shown(message: Message): void {
    for (const entry of this.#queues.get(message.groupId)?.entries ?? []) {
      if (entry.fields.tempId === message.tempId && entry.attempt > 0) entry.shown = message
    }
  }

  /** These seqs were lost in a crash: messages there without an acknowledgement are sent again. */
  lost(groupId: string, from: number, to: number): void {
    const queue = this.#queues.get(groupId)
    for (const entry of queue?.entries ?? []) {
      if (!queue || !entry.shown || entry.shown.seq < from || entry.shown.seq > to) continue
      entry.shown = null
      if (entry.inFlight) this.#transmit(queue, entry)
    }
  }

  /** The catch-up of a group has ended: messages received up to `durableSeq` are acknowledged. */
  caughtUp(groupId: string, durableSeq: number): void {
    const queue = this.#queues.get(groupId)
    if (!queue) return
    for (const entry of [...queue.entries]) {
      if (!entry.inFlight && entry.shown && entry.shown.seq <= durableSeq)
        this.#confirm(queue, entry, entry.shown)
    }
    this.#pump(queue)
  }

  /** The catch-up of all groups has ended. */
  allCaughtUp(): void {
    this.#pumpAll()
  }

  /** Rejects all messages, and new ones until `offline` or `online` is called. */
  close(error: Error): void {
    this.#isOnline = false
    this.#closed = error
    const queues = [...this.#queues.values()]
    this.#queues.clear()
    this.#size = 0
    this.#inFlight = 0
    for (const { entries, cancelPause } of queues) {
      cancelPause?.()
      for (const entry of entries.splice(0)) entry.reject(error)
    }
  }

  #queueOf(groupId: string): Queue {
    const known = this.#queues.get(groupId)
    if (known) return known
    const queue: Queue = { entries: [], inFlight: 0, cancelPause: null }
    this.#queues.set(groupId, queue)
    return queue
  }

  #pumpAll(): void {
    for (const queue of this.#queues.values()) this.#pump(queue)
  }

  #pump(queue: Queue): void {
    // A confirmed entry is removed from the list, so that `at` points to the next one.
    for (let at = 0; this.#canSend(queue); ) {
      const entry = queue.entries[at]
      if (!entry) return
      if (entry.inFlight) {
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
      entry.inFlight = true
      queue.inFlight += 1
      this.#inFlight += 1
      this.#options.pacer.sent()
      this.#transmit(queue, entry)
    }
  }

  #canSend(queue: Queue): boolean {
    if (!this.#isOnline || queue.cancelPause || queue.inFlight >= this.#options.window) return false
    return this.#options.pacer.isOpen && this.#inFlight < this.#maxInFlight
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
      error instanceof ClientError || (error instanceof ChatError && isRetryable(error, ++entry.failures))
    if (!again) {
      this.#remove(queue, entry)
      entry.reject(error)
      return
    }
    this.#release(queue, entry)
    if (error instanceof ChatError) this.#pause(queue, entry, error)
    this.#pumpAll()
  }

  #release(queue: Queue, entry: Entry): void {
    if (!entry.inFlight) return
    entry.inFlight = false
    queue.inFlight -= 1
    this.#inFlight -= 1
  }

  #pause(queue: Queue, { failures }: Entry, error: ChatError): void {
    const { clock, pacer } = this.#options
    const delayMs = error.retryAfterMs ?? backoffMs(failures, clock)
    if (error.code === 'rate_limited') {
      pacer.limited(delayMs)
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

  /** Removes an answered entry from its queue; false if it was removed before. */
  #remove(queue: Queue, entry: Entry): boolean {
    const at = queue.entries.indexOf(entry)
    if (at < 0) return false
    queue.entries.splice(at, 1)
    this.#size -= 1
    this.#release(queue, entry)
    if (queue.entries.length === 0) {
      queue.cancelPause?.()
      this.#queues.delete(entry.fields.groupId)
    }
    this.#pumpAll()
    return true
  }
}

function isRetryable({ code }: ChatError, failures: number): boolean {
  return errors[code].retry && (code !== 'internal' || failures < MAX_INTERNAL)
}
