/**
 * Query port: the asking end of a thread that answers reads.
 *
 * The queries of one turn are sent as one batch. At most `maxOpen` queries are open; above that a query
 * is refused as `overloaded`. If the other thread has not answered for five seconds, all queries are
 * refused as `storage_unavailable` until it answers again.
 */
import type { MessagePort } from 'node:worker_threads'
import { overloaded, storageUnavailable } from '../base/refusals.ts'
import type { Defer } from './batch.ts'
import { post, unpack } from './packing.ts'
import type { AskedQuery, QueryAnswer } from './query-server.ts'
import { StallGuard, type StallGuardDeps } from './stall-guard.ts'
import { startTimer } from './timer.ts'

interface Pending<Q> {
  readonly query: Q
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** Makes the result of what the other thread answered to a query. */
export type ParseAnswer<Q> = (query: Q, answer: unknown) => unknown

export class QueryPort<Q> {
  readonly #port: MessagePort
  readonly #defer: Defer
  readonly #maxOpen: number
  readonly #parse: ParseAnswer<Q>
  readonly #pending = new Map<number, Pending<Q>>()
  #asked: AskedQuery<Q>[] = []
  #lastId = 0
  readonly #guard: StallGuard
  /** The other thread does not answer now. */
  #stalled = false

  constructor(
    port: MessagePort,
    defer: Defer,
    maxOpen: number,
    parse: ParseAnswer<Q>,
    after: StallGuardDeps['after'] = startTimer,
  ) {
    this.#port = port
    this.#defer = defer
    this.#maxOpen = maxOpen
    this.#parse = parse
    this.#guard = new StallGuard({
      after,
      isWaiting: () => this.#pending.size > 0,
      onStalled: () => this.#refuseAll(),
    })
    port.on('message', (batch: Uint8Array) => {
      this.#stalled = false
      this.#guard.advanced()
      for (const [id, ok, result] of unpack<QueryAnswer[]>(batch)) this.#answer(id, ok, result)
    })
  }

  /**
   * Asks on behalf of a user: the other thread serves users in turn. Rejects if that thread failed, or if
   * too many queries are open.
   */
  ask<Result>(query: Q, userId: string): Promise<Result> {
    if (this.#stalled) return Promise.reject(storageUnavailable())
    if (this.#pending.size >= this.#maxOpen) {
      return Promise.reject(overloaded())
    }
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) {
        this.#defer(() => {
          post(this.#port, this.#asked)
          this.#asked = []
        })
      }
      this.#lastId += 1
      this.#pending.set(this.#lastId, { query, resolve, reject })
      this.#guard.watch()
      this.#asked.push([this.#lastId, query, userId])
    })
  }

  /** Ends the port; the thread can end. */
  close(): void {
    this.#guard.close()
    this.#port.close()
  }

  #refuseAll(): void {
    this.#stalled = true
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of waiting) reject(storageUnavailable())
  }

  #answer(id: number, ok: boolean, result: unknown): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    if (ok) pending.resolve(this.#parse(pending.query, result) as never)
    else pending.reject(result === null ? storageUnavailable() : new Error(String(result)))
  }
}
