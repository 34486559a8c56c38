/**
 * Migrations: numbered SQL files, each applied once, in order, in one transaction with the number.
 * `PRAGMA user_version` is the number of the last one. The statements of a released file never change.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { StorageError } from '../../base/storage-error.ts'

const folder = new URL('../schema/', import.meta.url)

/** Brings the schema up to date. @throws StorageError for a file written by a newer version. */
export function migrate(db: Database): void {
  const files = readdirSync(folder)
    .filter((name) => /^\d{3}-.*\.sql$/.test(name))
    .sort()
  const current = db.pragma('user_version', { simple: true }) as number
  if (current > files.length) {
    throw new StorageError(
      `the database has schema ${current}, this version knows ${files.length}: use a newer version of tertulia`,
    )
  }
  for (const [index, name] of files.entries()) {
    const version = Number.parseInt(name, 10)
    if (version !== index + 1) throw new StorageError(`migration ${name} is out of order`)
    if (version <= current) continue
    db.transaction(() => {
      db.exec(readFileSync(new URL(name, folder), 'utf8'))
      db.pragma(`user_version = ${version}`)
    }).immediate()
  }
}
