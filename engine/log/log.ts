/**
 * Log: the durable entries of all groups and users, in one order per lane.
 *
 * A shard appends the entries of one turn to its lanes; the listener reports, per lane, what was
 * committed, what cannot be committed now and what was refused. An offset is the number of entries that
 * the shard has appended to a lane since it opened the log. Nothing depends on where the log is stored:
 * SQLite on a thread is one implementation.
 */
import type { LogEntry } from '../stored/log-entry.ts'
import type { ReadQuery, Reads } from '../stored/reads.ts'

/** What one turn of a shard appends to a lane. */
export interface LaneBatch {
  readonly lane: number
  readonly entries: readonly LogEntry[]
}

/** A lane, and the offset up to which it is committed. */
export type LaneOffset = readonly [lane: number, offset: number]

/** What the log reports to a shard about its lanes. */
export interface LogListener {
  /** These lanes are as durable as configured up to these offsets, and accept writes. */
  committed(reached: readonly LaneOffset[]): void
  /** These lanes cannot be committed now; what is not committed stays queued and is tried again. */
  failing(lanes: readonly number[], reason: string): void
  /**
   * An entry could not be applied. All entries of its owner (`ownerOf`) from offset `from` on are fenced:
   * they are left out, for a group up to the `restart` that answers this. Is called before `committed`.
   */
  refused(lane: number, owner: string, from: number, reason: string): void
}

export interface Log {
  /**
   * Appends the batches of one turn, at most one for each lane. The entries of a batch are committed
   * together, and the batches of a lane in order.
   */
  append(batches: readonly LaneBatch[]): void
  /** Reads the events of a group from a seq on, on behalf of a user (`Views`). */
  events(query: ReadQuery<'events'>, userId: string): Promise<Reads['events']['result']>
  /** Ends timers and ports. */
  close(): void
}
