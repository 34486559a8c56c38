/**
 * Outbox: the user's own messages, from `sendMessage` until the server has answered for good.
 *
 * The same `tempId` makes one message however often it is sent (SPEC 5.3), so that what got no
 * answer is simply sent again: after a reconnect, after a timeout, when a `gap` takes back what
 * was shown, and after a refusal that allows it, once `retryAfterMs` is over.
 * Order: a group's messages leave one at a time, each after the answer to the one before, so that
 * a repeated one is not overtaken. A larger `window` is faster and gives that up in the case of a
 * refusal only. Groups do not wait for each other, until the user's rate limit is met: from then
 * on one message leaves at a time, whatever its group, until the outbox is empty.
 * Bounded: over `MAX_UNANSWERED` a message is refused as `overloaded`.
 */
import { ChatError, errors } from '../protocol/errors.ts'
import type { Answer } from '../protocol/methods.ts'
import type { Message } from '../protocol/records.ts'
import type { RequestFields } from '../protocol/requests.ts'
import { backoffMs } from './backoff.ts'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'

const MAX_UNANSWERED = 1_000
/** `internal` may be the message's own fault: it is not tried for ever. */
const MAX_INTERNAL = 5

type Fields = RequestFields<'send_message'>
type Sent = Answer<'send_message'>

export interface OutboxOptions {
  /** One attempt. Rejects with a `ChatError` where refused, with a `ClientError` without an answer. */
  readonly send: (fields: Fields) => Promise<Sent>
  readonly clock: Clock
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
  /** Where it was shown since it was last sent; 0 before. */
  shownSeq: number
}

/** How the user's rate limit lets messages leave. */
type Pace =
  | { readonly name: 'free' }
  | { readonly name: 'one by one' }
  | { readonly name: 'paused'; readonly cancel: () => void }

/** One group's messages, oldest first. */
interface Queue {
  readonly entries: Entry[]
  underWay: number
  cancelPause: (() => void) | null
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #queues = new Map<string, Queue>()
  #size = 0
  #underWay = 0
  #state: 'online' | 'offline' | Error = 'offline'
  #pace: Pace = { name: 'free' }

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Messages without a final answer. */
  get size(): number {
    return this.#size
  }

  /** Sends a message as soon as it is its turn; resolves with `message_sent`. */
  add(fields: Fields): Promise<Sent> {
    if (this.#state instanceof Error) return Promise.reject(this.#state)
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
        shownSeq: 0,
      })
      this.#size += 1
      this.#pump(queue)
    })
  }

  /** A connection is there: what has no answer is sent again, in order. */
  online(): void {
    this.#state = 'online'
    this.#pumpAll()
  }

  /** There is no connection, or not any more; what was under way on it is rejected by `send`. */
  offline(): void {
    this.#state = 'offline'
  }

  /** A message of the user's own was shown, perhaps before it was as durable as promised. */
  shown({ groupId, tempId, seq }: Message): void {
    for (const entry of this.#queues.get(groupId)?.entries ?? []) {
      if (entry.fields.tempId === tempId) entry.shownSeq = seq
    }
  }

  /** A crash has taken these numbers: what was shown there and not acknowledged is sent again. */
  taken(groupId: string, from: number, to: number): void {
    const queue = this.#queues.get(groupId)
    for (const entry of queue?.entries ?? []) {
      if (queue && entry.underWay && entry.shownSeq >= from && entry.shownSeq <= to) {
        this.#transmit(queue, entry)
      }
    }
  }

  /** Rejects all, and what is added until there may be a connection again. */
  close(error: Error): void {
    this.#state = error
    this.#setPace({ name: 'free' })
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
    for (const queue of [...this.#queues.values()]) this.#pump(queue)
  }

  #pump(queue: Queue): void {
    for (const entry of queue.entries) {
      if (!this.#mayLeave(queue)) return
      if (entry.underWay) continue
      entry.underWay = true
      queue.underWay += 1
      this.#underWay += 1
      this.#transmit(queue, entry)
    }
  }

  #mayLeave(queue: Queue): boolean {
    if (this.#state !== 'online' || queue.cancelPause || queue.underWay >= this.#options.window) return false
    return this.#pace.name === 'free' || (this.#pace.name === 'one by one' && this.#underWay === 0)
  }

  #transmit(queue: Queue, entry: Entry): void {
    entry.attempt += 1
    entry.shownSeq = 0
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
    this.#pump(queue)
  }

  #back(queue: Queue, entry: Entry): void {
    if (!entry.underWay) return
    entry.underWay = false
    queue.underWay -= 1
    this.#underWay -= 1
  }

  #pause(queue: Queue, { refusals }: Entry, error: ChatError): void {
    const { clock } = this.#options
    const delayMs = error.retryAfterMs ?? backoffMs(refusals, clock)
    if (error.code === 'rate_limited') {
      const cancel = clock.after(delayMs, () => {
        this.#pace = { name: 'one by one' }
        this.#pumpAll()
      })
      this.#setPace({ name: 'paused', cancel })
      return
    }
    queue.cancelPause?.()
    queue.cancelPause = clock.after(delayMs, () => {
      queue.cancelPause = null
      this.#pump(queue)
    })
  }

  /** Takes an entry that is answered out of its queue; false where it had been already. */
  #remove(queue: Queue, entry: Entry): boolean {
    const at = queue.entries.indexOf(entry)
    if (at < 0) return false
    queue.entries.splice(at, 1)
    this.#size -= 1
    this.#back(queue, entry)
    if (this.#size === 0) this.#setPace({ name: 'free' })
    if (queue.entries.length === 0) {
      queue.cancelPause?.()
      this.#queues.delete(entry.fields.groupId)
    }
    if (this.#pace.name === 'free') this.#pump(queue)
    else this.#pumpAll()
    return true
  }

  #setPace(pace: Pace): void {
    if (this.#pace.name === 'paused') this.#pace.cancel()
    this.#pace = pace
  }
}

function mayRepeat({ code }: ChatError, refusals: number): boolean {
  return errors[code].retry && (code !== 'internal' || refusals < MAX_INTERNAL)
}
