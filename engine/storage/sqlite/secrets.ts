/**
 * Secrets: random keys of one data folder, which never leave its storage threads.
 *
 * A key is created at the first start and does not change: the ids of direct chats are derived from it.
 * Every backup contains it.
 */
import { randomBytes } from 'node:crypto'
import type { Database } from 'better-sqlite3'

const SECRET_BYTES = 32

/** Creates the keys that the folder does not have yet. `random` is replaced for repeatable runs. */
export function makeSecrets(db: Database, random: (bytes: number) => Uint8Array = randomBytes): void {
  db.prepare('INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)').run(
    'direct_id',
    random(SECRET_BYTES),
  )
}
