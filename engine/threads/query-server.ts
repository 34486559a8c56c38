/**
 * Query server: the answering end of the ports of a thread that answers reads.
 *
 * Queries of all shards wait in one fair queue and are answered in slices of 2 ms, or one query if that
 * takes longer. Between slices the thread receives new queries, so that a user with many or slow queries
 * delays those of others by one slice (INP-2). The answers of a slice leave as one batch per port.
 */
import type { MessagePort } from 'node:worker_threads'
import { ChatError } from '../../protocol/errors.ts'
import { FairQueue } from './fair-queue.ts'
import { post, unpack } from './packing.ts'

/** One query between threads, with the user on whose behalf it is asked. */
export type AskedQuery<Q> = readonly [id: number, query: Q, userId: string]

/** The answer: the id, then the result, or the text of the error, or null if storage is unavailable. */
export type QueryAnswer = readonly [id: number, ok: boolean, result: unknown]

export interface QueryServerDeps<Q> {
  /** Answers one query. An error that it throws is the answer. */
  readonly run: (query: Q) => unknown
  /** Runs the queries of one slice, which are all older than it. */
  readonly together: (slice: () => void) => void
  /** Runs a task in the next turn of the event loop. */
  readonly defer: (task: () => void) => void
  /** Milliseconds of a monotonic clock. */
  readonly steadyNow: () => number
}

interface Waiting<Q> {
  readonly port: MessagePort
  readonly id: number
  readonly query: Q
}

const SLICE_MS = 2

export class QueryServer<Q> {
  readonly #deps: QueryServerDeps<Q>
  readonly #queue = new FairQueue<Waiting<Q>>()
  #closed = false

  constructor(deps: QueryServerDeps<Q>) {
    this.#deps = deps
  }

  /** Answers the queries of this port from here on. */
  serve(port: MessagePort): void {
    port.on('message', (batch: Uint8Array) => {
      if (this.#queue.isEmpty) this.#deps.defer(() => this.#slice())
      for (const [id, query, userId] of unpack<AskedQuery<Q>[]>(batch)) {
        this.#queue.push(userId, { port, id, query })
      }
    })
  }

  /** From here on nothing is answered. */
  close(): void {
    this.#closed = true
  }

  #slice(): void {
    if (this.#closed) return
    const { run, together, defer, steadyNow } = this.#deps
    const answers = new Map<MessagePort, QueryAnswer[]>()
    const until = steadyNow() + SLICE_MS
    together(() => {
      do {
        const next = this.#queue.shift()
        if (!next) break
        const answer = answerOf(run, next)
        const own = answers.get(next.port)
        if (own) own.push(answer)
        else answers.set(next.port, [answer])
      } while (steadyNow() < until)
    })
    for (const [port, own] of answers) post(port, own)
    if (!this.#queue.isEmpty) defer(() => this.#slice())
  }
}

function answerOf<Q>(run: (query: Q) => unknown, { id, query }: Waiting<Q>): QueryAnswer {
  try {
    return [id, true, run(query)]
  } catch (error) {
    if (error instanceof ChatError && error.code === 'storage_unavailable') return [id, false, null]
    return [id, false, error instanceof Error ? error.message : String(error)]
  }
}
