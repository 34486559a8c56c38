/**
 * Inline log: the log of a shard that runs on the thread of the writer.
 *
 * The write loop and the reader are the same as on threads of their own; entries and queries are passed
 * to them directly.
 */
import type { Log, LogListener } from '../log/log.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import {
  isSearch,
  type ReadName,
  type ReadQuery,
  type Reads,
  type SearchRead,
  type StoredRead,
} from '../stored/reads.ts'
import type { Defer } from '../threads/batch.ts'
import type { WriteLoop } from './write-loop.ts'

/** Answers queries at once. */
export interface QueryRunner<All extends ReadName> {
  run<N extends All>(query: ReadQuery<N>): Reads[N]['result']
}

export class InlineLog implements Log {
  readonly #loop: WriteLoop
  readonly #reader: QueryRunner<StoredRead>
  readonly #search: QueryRunner<SearchRead>
  readonly #listener: LogListener
  readonly #defer: Defer
  #turn: LogEntry[] = []
  #offset = 0

  constructor(
    loop: WriteLoop,
    reader: QueryRunner<StoredRead>,
    search: QueryRunner<SearchRead>,
    listener: LogListener,
    defer: Defer,
  ) {
    this.#loop = loop
    this.#reader = reader
    this.#search = search
    this.#listener = listener
    this.#defer = defer
    loop.addSource(listener)
  }

  append(entry: LogEntry): number {
    if (this.#turn.length === 0) {
      this.#defer(() => {
        const entries = this.#turn
        this.#turn = []
        this.#loop.push(this.#listener, entries)
      })
    }
    this.#turn.push(entry)
    this.#offset += 1
    return this.#offset
  }

  async read<N extends ReadName>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return isSearch(query) ? this.#search.run(query as never) : this.#reader.run(query as never)
  }
}
