/**
 * Log: everything an actor writes goes through this interface, and most of its reads.
 *
 * `append` queues an entry and returns its offset in this shard's stream; entries become durable in
 * order, and `committed` reports up to which offset. Offsets are assigned locally and synchronously;
 * reads are asynchronous. SQLite is one implementation.
 */
import type { LogEntry } from '../stored/log-entry.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'

/** What the log tells its shard. */
export interface LogListener {
  /** Everything up to `offset` is as durable as configured. */
  committed(offset: number): void
  /** A commit failed; what is not committed stays queued and is tried again. */
  failing(reason: string): void
  /**
   * An entry could not be applied. All entries of its owner (`ownerOf`) from offset `from` on are
   * left out, for a group up to the `restart` that answers this. Comes before they count as committed.
   */
  refused(owner: string, from: number, reason: string): void
}

export interface Log {
  /** Queues an entry and returns its offset, 1 for the first. Leaves with the turn. */
  append(entry: LogEntry): number
  /**
   * Reads on behalf of a user. If reads of many users wait, the users are served in turn (INP-2); a read
   * that belongs to no user, such as the loading of a group, uses the id that is read instead.
   * Rejects if the reader failed or its queue is full.
   */
  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
}
