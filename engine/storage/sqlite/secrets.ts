/**
 * Secrets: random keys that belong to one data folder and never leave its storage threads.
 *
 * A key is made at the first start and does not change: the ids of direct chats follow from it.
 * It is part of every backup.
 */
import { randomBytes } from 'node:crypto'
import type { Database } from 'better-sqlite3'

const SECRET_BYTES = 32

/** Makes the keys that the folder does not have yet. `random` is replaced where runs are repeated. */
export function makeSecrets(db: Database, random: (bytes: number) => Uint8Array = randomBytes): void {
  db.prepare('INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)').run(
    'direct_id',
    random(SECRET_BYTES),
  )
}
