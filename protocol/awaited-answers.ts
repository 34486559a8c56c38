/**
 * Awaited answers: the requests of one client that have no answer yet, by their `ref` (TRN-4).
 *
 * Bounded by `max`: above it a request is refused as `overloaded`. The owner rejects all that is left
 * when it ends (`rejectAll`).
 */
import { ChatError } from './errors.ts'
import type { Event } from './events.ts'

interface Awaited {
  readonly resolve: (fields: never) => void
  readonly reject: (error: Error) => void
}

export class AwaitedAnswers {
  readonly #max: number
  readonly #byRef = new Map<number, Awaited>()
  #ref = 0

  constructor(max: number) {
    this.#max = max
  }

  /** A `ref` that no awaited answer has, never 0. @throws ChatError `overloaded` */
  nextRef(): number {
    if (this.#byRef.size >= this.#max) {
      throw new ChatError('overloaded', 'too many requests without an answer', { retryAfterMs: 100 })
    }
    do this.#ref = (this.#ref + 1) >>> 0
    while (this.#ref === 0 || this.#byRef.has(this.#ref))
    return this.#ref
  }

  /** A request with this `ref` is about to be sent. */
  add(ref: number, resolve: (fields: never) => void, reject: (error: Error) => void): void {
    this.#byRef.set(ref, { resolve, reject })
  }

  /** The request is not awaited any more. */
  remove(ref: number): void {
    this.#byRef.delete(ref)
  }

  /** Settles the request that the event answers. An answer that nobody awaits is ignored. */
  settle({ ref, event, fields }: Event): void {
    const awaited = this.#byRef.get(ref)
    if (!awaited) return
    this.#byRef.delete(ref)
    if (event === 'error') awaited.reject(ChatError.fromFields(fields))
    else if (event === 'message_error') awaited.reject(ChatError.fromFields(fields.error))
    else awaited.resolve(fields as never)
  }

  rejectAll(error: Error): void {
    const awaited = [...this.#byRef.values()]
    this.#byRef.clear()
    for (const { reject } of awaited) reject(error)
  }
}
