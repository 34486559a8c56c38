/**
 * Inline log: the log of a shard that runs on the thread of the writer.
 *
 * It uses the same write loop and reader as separate threads do. Entries and queries are passed to them
 * directly.
 */
import type { LaneBatch, Log, LogListener } from '../log/log.ts'
import type { ReadQuery, Reads } from '../stored/reads.ts'
import type { QueryRunner } from './query-runner.ts'
import type { WriteLoop, WriteSource } from './write-loop.ts'

export class InlineLog implements Log {
  readonly #loop: WriteLoop
  readonly #reader: QueryRunner<'events'>
  readonly #source: WriteSource

  constructor(
    loop: WriteLoop,
    reader: QueryRunner<'events'>,
    lanes: readonly number[],
    listener: LogListener,
  ) {
    this.#loop = loop
    this.#reader = reader
    this.#source = {
      lanes,
      committed: (reached) => listener.committed(reached),
      failing: (reason) => listener.failing(lanes, reason),
      refused: (lane, owner, from, reason) => listener.refused(lane, owner, from, reason),
    }
    loop.addSource(this.#source)
  }

  append(batches: readonly LaneBatch[]): void {
    for (const batch of batches) this.#loop.push(this.#source, batch)
  }

  async events(query: ReadQuery<'events'>): Promise<Reads['events']['result']> {
    return this.#reader.run(query)
  }

  /** The loop closes with the storage. */
  close(): void {}
}
