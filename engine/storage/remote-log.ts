/**
 * Remote log: a shard worker's end of the writer thread.
 *
 * What one turn appends is sent as one message. The shard bounds what may be uncommitted. A disk that
 * hangs reports no error: if the writer commits nothing for five seconds, all lanes are failing.
 */
import type { MessagePort } from 'node:worker_threads'
import type { LaneBatch, LaneOffset, Log, LogListener } from '../log/log.ts'
import type { ReadQuery, Reads } from '../stored/reads.ts'
import { post } from '../threads/packing.ts'
import type { QueryPort } from '../threads/query-port.ts'
import { StallGuard, type StallGuardDeps } from '../threads/stall-guard.ts'

/** What the writer sends to a shard. */
export type WriterNote =
  | { readonly committed: readonly LaneOffset[] }
  | { readonly failing: string }
  | { readonly refused: string; readonly lane: number; readonly from: number; readonly reason: string }

export interface RemoteLogOptions {
  readonly writer: MessagePort
  readonly reader: QueryPort<ReadQuery>
  /** The lanes of the shard. */
  readonly lanes: readonly number[]
  readonly after: StallGuardDeps['after']
}

export class RemoteLog implements Log {
  readonly #writer: MessagePort
  readonly #reader: QueryPort<ReadQuery>
  readonly #guard: StallGuard
  /** Entries sent to the writer, and those that are committed. */
  #appended = 0
  #committed = 0
  /** By lane, the offset that was reported last. */
  readonly #offsets: number[] = []

  constructor({ writer, reader, lanes, after }: RemoteLogOptions, listener: LogListener) {
    this.#writer = writer
    this.#reader = reader
    this.#guard = new StallGuard({
      after,
      isWaiting: () => this.#appended > this.#committed,
      onStalled: () => listener.failing(lanes, 'storage does not answer'),
    })
    writer.on('message', (note: WriterNote) => {
      if ('failing' in note) return listener.failing(lanes, note.failing)
      if ('refused' in note) return listener.refused(note.lane, note.refused, note.from, note.reason)
      this.#guard.advanced()
      for (const [lane, offset] of note.committed) {
        this.#committed += offset - (this.#offsets[lane] ?? 0)
        this.#offsets[lane] = offset
      }
      listener.committed(note.committed)
    })
  }

  append(batches: readonly LaneBatch[]): void {
    for (const { entries } of batches) this.#appended += entries.length
    post(this.#writer, batches)
    this.#guard.watch()
  }

  events(query: ReadQuery<'events'>, userId: string): Promise<Reads['events']['result']> {
    return this.#reader.ask(query, userId)
  }

  /** Ends the timer and the port; the thread can end. */
  close(): void {
    this.#guard.close()
    this.#writer.close()
  }
}
