/**
 * WAL copier: copies the write-ahead log to the database file while another connection commits.
 *
 * A checkpoint takes tens of milliseconds for a log of many pages. Here it delays no commit: the writer then
 * copies only what was committed meanwhile, and empties the log (`wal.ts`). The two take turns: until
 * `copy` has returned, the writer must not copy. A snapshot is open for that time, because SQLite restarts a
 * log that is copied completely and that nobody reads (https://sqlite.org/walformat.html#wal_locks).
 */
import type { Database, Statement } from 'better-sqlite3'
import type { Durability } from '../../log/durability.ts'
import type { CopiedFrames } from '../copied-frames.ts'
import { openCopier, openReader } from './database.ts'
import { Wal } from './wal.ts'

export class WalCopier {
  readonly #db: Database
  readonly #wal: Wal
  readonly #reader: Database
  readonly #openSnapshot: Statement

  /** Opens the database, which the writer must have opened before. */
  constructor(dataDir: string, durability: Durability) {
    this.#db = openCopier(dataDir, durability)
    this.#wal = new Wal(this.#db)
    this.#reader = openReader(dataDir)
    this.#openSnapshot = this.#reader.prepare('SELECT count(*) FROM sqlite_schema')
  }

  /** Returns what is copied; null if nothing was, because it failed or because readers need the log as it is. */
  copy(): CopiedFrames | null {
    try {
      this.#reader.exec('BEGIN')
      try {
        this.#openSnapshot.get()
        return this.#wal.copy()
      } finally {
        this.#reader.exec('COMMIT')
      }
    } catch {
      // The disk is full: the log still contains everything.
      return null
    }
  }

  close(): void {
    this.#reader.close()
    this.#db.close()
    this.#wal.close()
  }
}
