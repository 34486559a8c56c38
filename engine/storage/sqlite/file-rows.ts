/**
 * File rows: selects the files that no user can download any more, for the janitor of their bytes.
 *
 * A file that no message shows is removed a day after it was added. A file whose last message was deleted
 * or recalled (`uses` -1) is removed at once. First it is marked, so that it is not found any more, then
 * its bytes are removed, then its row. A crash in between leaves work for the next round, but never a row
 * without bytes that could still be shown.
 */
import type { Database, Statement } from 'better-sqlite3'

/** A file that is being removed. */
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
        (SELECT file_id FROM files WHERE uses = 0 AND created_at < ? LIMIT ? + 0)`)
    this.#doomed = db.prepare(
      'SELECT file_id AS fileId, sha256 FROM files WHERE uses = -1 LIMIT ? + 0',
    ) as unknown as Statement<[number], DoomedFile>
    this.#forget = db.prepare('DELETE FROM files WHERE file_id = ? AND uses = -1')
    this.#uses = db
      .prepare('SELECT count(*) FROM files WHERE sha256 = ? AND uses >= 0')
      .pluck() as unknown as Statement<[string], number>
  }

  /** Marks at most `limit` files that were added before `before` and that no message shows. */
  giveUp(before: number, limit: number): void {
    this.#giveUp.run(before, limit)
  }

  /** At most `limit` of the marked files. */
  doomed(limit: number): readonly DoomedFile[] {
    return this.#doomed.all(limit)
  }

  /** Whether a file that is not marked has this content. */
  isUsed(sha256: string): boolean {
    return (this.#uses.get(sha256) ?? 0) > 0
  }

  /** Removes the row of a file that is still marked. */
  forget(fileId: string): void {
    this.#forget.run(fileId)
  }
}
