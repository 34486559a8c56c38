/**
 * Remote log: a shard worker's end of the storage threads.
 *
 * What one turn appended leaves as one batch to the writer; what it asked leaves as one batch to
 * the reader, or to search. `MAX_READS` and `MAX_SEARCHES` bound what may be asked at once, the
 * shard what may be uncommitted.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Log, LogListener } from '../log/log.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import { isSearch, type ReadName, type ReadQuery, type Reads } from '../stored/reads.ts'
import type { Defer } from '../threads/batch.ts'
import { post } from '../threads/packing.ts'
import { QueryPort } from '../threads/query-port.ts'
import { parseAnswer } from './summary-texts.ts'

/** Reads that one shard may have open; over it they are refused as `overloaded`. */
const MAX_READS = 16_384
/** Searches likewise: a second of work, about. */
const MAX_SEARCHES = 128

/** What the writer tells a shard. */
export type WriterNote =
  | { readonly committed: number }
  | { readonly failing: string }
  | { readonly refused: string; readonly from: number; readonly reason: string }

/** A shard's ends of the threads that it speaks with. */
export interface LogPorts {
  readonly writer: MessagePort
  readonly reader: MessagePort
  readonly search: MessagePort
}

export class RemoteLog implements Log {
  readonly #writer: MessagePort
  readonly #reader: QueryPort<ReadQuery>
  readonly #search: QueryPort<ReadQuery>
  readonly #defer: Defer
  #turn: LogEntry[] = []
  #offset = 0

  constructor({ writer, reader, search }: LogPorts, listener: LogListener, defer: Defer) {
    this.#writer = writer
    this.#reader = new QueryPort(reader, defer, MAX_READS, parseAnswer)
    this.#search = new QueryPort(search, defer, MAX_SEARCHES, parseAnswer)
    this.#defer = defer
    writer.on('message', (note: WriterNote) => {
      if ('committed' in note) listener.committed(note.committed)
      else if ('failing' in note) listener.failing(note.failing)
      else listener.refused(note.refused, note.from, note.reason)
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

  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    return (isSearch(query) ? this.#search : this.#reader).ask(query as unknown as ReadQuery, userId)
  }

  /** Ends the ports; the thread can end. */
  close(): void {
    this.#writer.close()
    this.#reader.close()
    this.#search.close()
  }
}
