/**
 * Storage for tests: the real file, made to fail from outside.
 */
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { databasePath } from '../../engine/storage/sqlite/database.ts'

/** Holds the file's write lock, so that every commit fails, until the returned function is called. */
export function blockWrites(dataDir: string): () => void {
  const db = new Database(databasePath(dataDir))
  db.exec('BEGIN IMMEDIATE')
  const unblock = () => {
    if (db.open) db.close()
  }
  onTestFinished(unblock)
  return unblock
}
