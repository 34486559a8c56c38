/**
 * Database: the path of the database file, how it is opened, and the lock for its single writer.
 *
 * WAL with the writer's own checkpoints (`wal_autocheckpoint = 0`), `synchronous` by durability:
 * NORMAL survives `kill -9`, FULL also power loss (https://sqlite.org/pragma.html#pragma_synchronous).
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type * as Sqlite from 'better-sqlite3'
import { createFolder } from '../../base/create-folder.ts'
import { StorageError } from '../../base/storage-error.ts'
import { FileFolder, hasContent, prepareFolder } from '../../files/file-folder.ts'
import type { Durability } from '../../log/durability.ts'
import { Database } from './driver.ts'
import { migrate } from './migrate.ts'
import { completeNameWords } from './name-words.ts'
import { makeSecrets } from './secrets.ts'

/** Path of the database file in a data directory. */
export function databasePath(dataDir: string): string {
  return join(dataDir, 'tertulia.db')
}

/** Path of the write-ahead log of the database file. */
export function walPath(dataDir: string): string {
  return `${databasePath(dataDir)}-wal`
}

/** The lock that prevents a second process from writing the same data directory. */
export interface DirectoryLock {
  release(): void
}

/**
 * Creates the data directory and locks it for this process. It uses SQLite's file lock, which the system
 * releases when the process ends for any reason.
 * @throws StorageError if the directory cannot be created or written, or is locked.
 */
export function lockDirectory(dataDir: string): DirectoryLock {
  try {
    createFolder(dataDir)
    const db = new Database(join(dataDir, 'tertulia.lock'), { timeout: 0 })
    try {
      db.pragma('journal_mode = MEMORY')
      db.exec('CREATE TABLE IF NOT EXISTS owner (pid INTEGER); BEGIN EXCLUSIVE')
      prepareFolder(new FileFolder(dataDir))
    } catch (error) {
      db.close()
      throw error
    }
    return { release: () => db.close() }
  } catch (error) {
    throw unusable(dataDir, error)
  }
}

/**
 * Opens the file for the one writer and brings its schema up to date.
 * @throws StorageError if it cannot be used, or is missing beside other data of a chat.
 */
export function openWriter(dataDir: string, durability: Durability): Sqlite.Database {
  try {
    requireDatabase(dataDir)
    const db = new Database(databasePath(dataDir), { timeout: 0 })
    try {
      db.pragma('journal_mode = WAL')
      db.pragma(synchronousFor(durability))
      db.pragma('wal_autocheckpoint = 0')
      // Deleted content is overwritten, not only marked as free. // PRV-3
      db.pragma('secure_delete = ON')
      db.pragma('journal_size_limit = 16777216')
      db.pragma('cache_size = -65536')
      db.pragma('temp_store = MEMORY')
      migrate(db)
      completeNameWords(db)
      makeSecrets(db)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    throw unusable(dataDir, error)
  }
}

/** An empty database beside files or an index is not a new chat: a disk is not mounted, or a restore is incomplete. */
function requireDatabase(dataDir: string): void {
  const path = databasePath(dataDir)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  const found = ['search.db', 'tertulia.db-wal'].filter((name) => existsSync(join(dataDir, name)))
  if (hasContent(new FileFolder(dataDir))) found.push('files')
  if (found.length === 0) return
  throw new StorageError(
    `data directory ${dataDir} cannot be used: tertulia.db is missing or empty, and beside it is ${found.join(', ')} ` +
      'of a chat. Restore tertulia.db from a backup; to begin an empty chat, move these away',
  )
}

/** Opens the file for copying the WAL to it, and nothing else. The writer must have opened it before. */
export function openCopier(dataDir: string, durability: Durability): Sqlite.Database {
  const db = new Database(databasePath(dataDir), { timeout: 0, fileMustExist: true })
  db.pragma(synchronousFor(durability))
  db.pragma('wal_autocheckpoint = 0')
  return db
}

function synchronousFor(durability: Durability): string {
  return `synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`
}

/** Opens the file for reading only. The writer must have opened it before. */
export function openReader(dataDir: string): Sqlite.Database {
  const db = new Database(databasePath(dataDir), { readonly: true, timeout: 1_000 })
  db.pragma('cache_size = -65536')
  return db
}

/** Explanations of system error codes, by prefix: SQLite's codes have longer forms. */
const reasons: readonly (readonly [code: string, reason: string])[] = [
  ['SQLITE_BUSY', 'another process uses it'],
  ['SQLITE_FULL', 'the disk is full'],
  ['ENOSPC', 'the disk is full'],
  ['SQLITE_NOTADB', 'its tertulia.db is damaged or not a database'],
  ['SQLITE_CORRUPT', 'its tertulia.db is damaged or not a database'],
  ['ENOTDIR', 'a part of its path is a file'],
  ['EEXIST', 'a part of its path is a file'],
  ['EACCES', 'it cannot be written'],
  ['EPERM', 'it cannot be written'],
  ['EROFS', 'it cannot be written'],
  ['SQLITE_IOERR', 'the disk is full, or reports errors'],
  ['SQLITE_READONLY', 'it cannot be written'],
  ['SQLITE_CANTOPEN', 'it cannot be written'],
]

function unusable(dataDir: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const { code = '', message } = error as { readonly code?: string; readonly message?: string }
  const known = reasons.find(([prefix]) => code.startsWith(prefix))
  const why = known ? `${known[1]} (${code})` : (message ?? String(error))
  return new StorageError(`data directory ${dataDir} cannot be used: ${why}`, { cause: error })
}
