/**
 * Lane: the end of one lane of the log as its shard sees it, and what waits for it.
 */
import type { LogEntry } from '../stored/log-entry.ts'
import { HeldBack, type HeldTotals } from './held-back.ts'

export class Lane {
  readonly number: number
  readonly held: HeldBack
  /** Entries of this turn, which leave when it ends. */
  turn: LogEntry[] = []
  /** Offsets of the newest entry and of the newest committed entry. */
  appended = 0
  committed = 0
  /** Why the lane cannot be committed now, or null. */
  failing: string | null = null

  constructor(number: number, totals: HeldTotals) {
    this.number = number
    this.held = new HeldBack(totals)
  }
}
