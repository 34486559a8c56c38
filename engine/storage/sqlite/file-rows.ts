/**
 * File rows: which files nobody can have any more, for the janitor of their bytes.
 *
 * A file that no message shows is given up a day after it was added; one whose last message was
 * deleted or recalled (`uses` -1) at once. First it is marked, so that nobody finds it, then its
 * bytes go, then its row: a crash in between leaves something for the next round, never a row
 * without bytes that somebody could still be shown.
 */
import type { Database, Statement } from 'better-sqlite3'

/** A file that is on its way out. */
export interface DoomedFile {
  readonly fileId: string
  readonly sha256: string
}

export class FileRows {
  readonly #giveUp: Statement<[number, number]>
  readonly #doomed: Statement<[number], DoomedFile>
  readonly #forget: Statement<[string]>
  readonly #uses: Statement<[string], number>

  constructor(db: Database) {
    this.#giveUp = db.prepare(`
      UPDATE files SET uses = -1 WHERE file_id IN
        (SELECT file_id FROM files WHERE uses = 0 AND created_at < ? LIMIT ?)`)
    this.#doomed = db.prepare(
      'SELECT file_id AS fileId, sha256 FROM files WHERE uses = -1 LIMIT ?',
    ) as unknown as Statement<[number], DoomedFile>
    this.#forget = db.prepare('DELETE FROM files WHERE file_id = ? AND uses = -1')
    this.#uses = db
      .prepare('SELECT count(*) FROM files WHERE sha256 = ? AND uses >= 0')
      .pluck() as unknown as Statement<[string], number>
  }

  /** Marks files that were added before `before` and that no message shows; `limit` of them. */
  giveUp(before: number, limit: number): void {
    this.#giveUp.run(before, limit)
  }

  /** Files that are marked, `limit` of them. */
  doomed(limit: number): readonly DoomedFile[] {
    return this.#doomed.all(limit)
  }

  /** Whether a file that somebody may have has this content. */
  isUsed(sha256: string): boolean {
    return (this.#uses.get(sha256) ?? 0) > 0
  }

  /** Removes the row of a file that is still marked. */
  forget(fileId: string): void {
    this.#forget.run(fileId)
  }
}
