/**
 * Query port: the asking end of a thread that answers reads.
 *
 * What one turn asked leaves as one batch. `maxOpen` bounds what may be asked at once; over it a
 * read is refused as `overloaded`.
 */
import type { MessagePort } from 'node:worker_threads'
import { ChatError } from '../../protocol/errors.ts'
import type { Defer } from '../shards/batch.ts'
import { post, unpack } from '../shards/packing.ts'
import type { ReadName, ReadQuery, Reads } from './log.ts'

const RETRY_AFTER_MS = 500

/** What is answered: id, then the result or the text of the error. */
export type ReadAnswer = readonly [id: number, ok: boolean, result: unknown]

interface PendingRead {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

export class QueryPort {
  readonly #port: MessagePort
  readonly #defer: Defer
  readonly #maxOpen: number
  readonly #pending = new Map<number, PendingRead>()
  #asked: [id: number, query: ReadQuery][] = []
  #lastId = 0

  constructor(port: MessagePort, defer: Defer, maxOpen: number) {
    this.#port = port
    this.#defer = defer
    this.#maxOpen = maxOpen
    port.on('message', (batch: Uint8Array) => {
      for (const [id, ok, result] of unpack<ReadAnswer[]>(batch)) this.#answer(id, ok, result)
    })
  }

  /** Rejects where the other thread failed, or too much is open. */
  ask<N extends ReadName>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    if (this.#pending.size >= this.#maxOpen) {
      return Promise.reject(new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS }))
    }
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) {
        this.#defer(() => {
          post(this.#port, this.#asked)
          this.#asked = []
        })
      }
      this.#lastId += 1
      this.#pending.set(this.#lastId, { resolve, reject })
      this.#asked.push([this.#lastId, query as unknown as ReadQuery])
    })
  }

  /** Ends the port; the thread can end. */
  close(): void {
    this.#port.close()
  }

  #answer(id: number, ok: boolean, result: unknown): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    if (ok) pending.resolve(result as never)
    else pending.reject(new Error(String(result)))
  }
}
