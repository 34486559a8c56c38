/**
 * Standings: the columns of `groups` that say where each group stands.
 *
 * One update for each group of a transaction, at its end, so that they say the same as the events and
 * posts of the transaction however many those are.
 */
import type { Database, Statement } from 'better-sqlite3'

interface Standing {
  lastSeq: number
  /** 0 where none was posted in this transaction. */
  lastPostSeq: number
  activeAt: number
}

/** Used by the one writer, inside its transactions. */
export class Standings {
  readonly #update: Statement<number[]>
  /** Of this transaction, by the key of the group. */
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

  /** Writes them: the transaction ends. */
  write(): void {
    for (const [group, { lastSeq, lastPostSeq, activeAt }] of this.#changed) {
      this.#update.run(lastSeq, lastPostSeq, lastPostSeq, activeAt, group)
    }
    this.#changed.clear()
  }

  /** The transaction is rolled back. */
  forget(): void {
    this.#changed.clear()
  }
}
