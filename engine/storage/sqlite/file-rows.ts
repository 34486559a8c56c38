/**
 * File rows: selects the files that no user can download any more, for the janitor of their bytes.
 *
 * A file that no message shows is marked a day after it was added, a file whose last message was deleted
 * or recalled at once (`uses` -1). A marked file is not found any more. It is in use again if a message that
 * found it before, or the same upload, is committed afterwards. Its bytes are removed in a later round, then
 * its row: a crash in between leaves work for the next round, but never a row without bytes that could still
 * be shown.
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
  readonly #used: Statement<[string, string], number>

  constructor(db: Database) {
    this.#giveUp = db.prepare(`
      UPDATE files SET uses = -1 WHERE file_id IN
        (SELECT file_id FROM files WHERE uses = 0 AND created_at < ? LIMIT ? + 0)`)
    this.#doomed = db.prepare(
      'SELECT file_id AS fileId, sha256 FROM files WHERE uses = -1 LIMIT ? + 0',
    ) as unknown as Statement<[number], DoomedFile>
    this.#forget = db.prepare('DELETE FROM files WHERE file_id = ? AND uses = -1')
    this.#used = db
      .prepare('SELECT 1 FROM files WHERE sha256 = ? AND (file_id <> ? OR uses >= 0) LIMIT 1')
      .pluck() as unknown as Statement<[string, string], number>
  }

  /** Marks at most `limit` files that were added before `before` and that no message shows. */
  giveUp(before: number, limit: number): void {
    this.#giveUp.run(before, limit)
  }

  /** At most `limit` of the marked files. */
  doomed(limit: number): readonly DoomedFile[] {
    return this.#doomed.all(limit)
  }

  /** Whether a file has this content; `exceptFileId` counts only if it is not marked. */
  isUsed(sha256: string, exceptFileId = ''): boolean {
    return this.#used.get(sha256, exceptFileId) !== undefined
  }

  /** Removes the row of a file that is still marked. */
  forget(fileId: string): void {
    this.#forget.run(fileId)
  }
}
