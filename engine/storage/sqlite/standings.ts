/**
 * Standings: the columns of `groups` with the position of each group.
 *
 * There is one update per group and transaction, at its end, for any number of events and posts. They
 * therefore always agree with the events and posts.
 */
import type { Database, Statement } from 'better-sqlite3'

interface Standing {
  lastSeq: number
  /** 0 if no post was written in this transaction. */
  lastPostSeq: number
  activeAt: number
}

/** Used by the one writer, inside its transactions. */
export class Standings {
  readonly #update: Statement<number[]>
  /** The positions of this transaction, by group key. */
  readonly #changed = new Map<number, Standing>()

  constructor(db: Database) {
    this.#update = db.prepare(`
      UPDATE groups SET last_seq = max(last_seq, ?), last_post_seq = max(last_post_seq, ?),
        active_at = CASE WHEN ? > last_post_seq THEN ? ELSE active_at END
      WHERE group_key = ?`)
  }

  /** A post was written. */
  posted(group: number, seq: number, at: number): void {
    const standing = this.recorded(group, seq)
    standing.lastPostSeq = seq
    standing.activeAt = at
  }

  /** An event was written. */
  recorded(group: number, seq: number): Standing {
    let standing = this.#changed.get(group)
    if (!standing) {
      standing = { lastSeq: seq, lastPostSeq: 0, activeAt: 0 }
      this.#changed.set(group, standing)
    }
    standing.lastSeq = seq
    return standing
  }

  /** Writes the positions at the end of the transaction. */
  write(): void {
    for (const [group, { lastSeq, lastPostSeq, activeAt }] of this.#changed) {
      this.#update.run(lastSeq, lastPostSeq, lastPostSeq, activeAt, group)
    }
    this.#changed.clear()
  }

  /** Discards them: the transaction is rolled back. */
  forget(): void {
    this.#changed.clear()
  }
}
