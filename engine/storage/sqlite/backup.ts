/**
 * Backup: copies a snapshot of the database to a file while another process continues to write.
 *
 * SQLite's online backup starts again when another connection commits between two of its steps, so that
 * it may never end under a busy writer. A read transaction that is open for the whole copy fixes the
 * snapshot: each page is copied once, and progress can be reported between the steps. Meanwhile, the
 * writer's WAL cannot shrink: it grows by what is written during the copy, and is emptied afterwards.
 * The copy gets its name only when it was checked and is stored durably.
 */
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type * as Sqlite from 'better-sqlite3'
import { StorageError } from '../../base/storage-error.ts'
import { databasePath, openReader } from './database.ts'
import { Database } from './driver.ts'

/** About 16 MiB: some ten milliseconds of copying. */
const STEP_PAGES = 4_096

/** Progress of the copy. */
export interface BackupProgress {
  readonly pages: number
  readonly totalPages: number
}

/** A complete copy that does not have its final name yet. */
export interface PreparedBackup {
  readonly bytes: number
  /** Gives it its final name. @throws StorageError if a file with this name exists. */
  publish(): void
  /** Removes the copy if it does not have its final name. */
  discard(): void
}

/**
 * Copies the database of a data directory to a file beside `file`, and checks the copy.
 * @throws StorageError if there is no database, the disk is full, or the copy is damaged.
 */
export async function prepareBackup(
  dataDir: string,
  file: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<PreparedBackup> {
  const partial = `${file}.${process.pid}.partial`
  const discard = () => {
    for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${partial}${suffix}`, { force: true })
  }
  try {
    discard()
    await copy(dataDir, partial, onProgress)
    check(partial)
    // It contains the messages of all users.
    chmodSync(partial, 0o600)
    sync(partial)
    return { bytes: statSync(partial).size, publish: () => publish(partial, file), discard }
  } catch (error) {
    discard()
    if (error instanceof StorageError) throw error
    throw new StorageError(`no backup was made: ${(error as Error).message}`, { cause: error })
  }
}

async function copy(
  dataDir: string,
  partial: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<void> {
  const db = openExisting(dataDir)
  try {
    db.exec('BEGIN')
    // The transaction begins with the first read.
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    await db.backup(partial, {
      progress({ totalPages, remainingPages }) {
        onProgress({ pages: totalPages - remainingPages, totalPages })
        return STEP_PAGES
      },
    })
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}

function openExisting(dataDir: string): Sqlite.Database {
  try {
    return openReader(dataDir)
  } catch (error) {
    throw new StorageError(`${databasePath(dataDir)} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Reads the whole copy to check it, and converts it to one file that needs no others beside it. */
function check(partial: string): void {
  const db = new Database(partial)
  try {
    db.pragma('journal_mode = DELETE')
    const found = db.pragma('quick_check', { simple: true })
    if (found !== 'ok') throw new StorageError(`the copy is damaged, as the database may be: ${found}`)
  } finally {
    db.close()
  }
}

/** A link fails if the name exists; a rename would replace the existing file. */
function publish(partial: string, file: string): void {
  try {
    linkSync(partial, file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new StorageError(code === 'EEXIST' ? `${file} is there already` : `no backup was made: ${message}`)
  }
  rmSync(partial)
  sync(dirname(file))
}

function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
