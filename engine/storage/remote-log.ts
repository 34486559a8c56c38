/**
 * Remote log: a shard worker's end of the storage threads.
 *
 * What one turn appended leaves as one batch to the writer; what it asked leaves as one batch to
 * the reader. `MAX_READS` bounds what may be asked at once, the shard what may be uncommitted.
 */
import type { MessagePort } from 'node:worker_threads'
import { ChatError } from '../../protocol/errors.ts'
import type { Defer } from '../shards/batch.ts'
import { post, unpack } from '../shards/packing.ts'
import type { Log, LogEntry, LogListener, ReadName, ReadQuery, Reads } from './log.ts'

/** Reads that one shard may have open; over it they are refused as `overloaded`. */
const MAX_READS = 16_384
const RETRY_AFTER_MS = 500

/** What the writer tells a shard. */
export type WriterNote = { readonly committed: number } | { readonly failing: string }

/** What the reader answers: id, then the result or the text of the error. */
export type ReadAnswer = readonly [id: number, ok: boolean, result: unknown]

interface PendingRead {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

export class RemoteLog implements Log {
  readonly #writer: MessagePort
  readonly #reader: MessagePort
  readonly #defer: Defer
  readonly #pending = new Map<number, PendingRead>()
  #turn: LogEntry[] = []
  #asked: [id: number, query: ReadQuery][] = []
  #offset = 0
  #readId = 0

  constructor(writer: MessagePort, reader: MessagePort, listener: LogListener, defer: Defer) {
    this.#writer = writer
    this.#reader = reader
    this.#defer = defer
    writer.on('message', (note: WriterNote) => {
      if ('committed' in note) listener.committed(note.committed)
      else listener.failing(note.failing)
    })
    reader.on('message', (batch: Uint8Array) => {
      for (const [id, ok, result] of unpack<ReadAnswer[]>(batch)) this.#answer(id, ok, result)
    })
  }

  append(entry: LogEntry): number {
    if (this.#turn.length === 0) {
      this.#defer(() => {
        post(this.#writer, this.#turn)
        this.#turn = []
      })
    }
    this.#turn.push(entry)
    this.#offset += 1
    return this.#offset
  }

  read<N extends ReadName>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    if (this.#pending.size >= MAX_READS) {
      return Promise.reject(new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS }))
    }
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) {
        this.#defer(() => {
          post(this.#reader, this.#asked)
          this.#asked = []
        })
      }
      this.#readId += 1
      this.#pending.set(this.#readId, { resolve, reject })
      this.#asked.push([this.#readId, query as unknown as ReadQuery])
    })
  }

  /** Ends the ports; the thread can end. */
  close(): void {
    this.#writer.close()
    this.#reader.close()
  }

  #answer(id: number, ok: boolean, result: unknown): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    if (ok) pending.resolve(result as never)
    else pending.reject(new Error(String(result)))
  }
}
