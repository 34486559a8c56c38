/**
 * Backup: one moment of the database, copied to a file while another process goes on writing it.
 *
 * SQLite's online backup starts again whenever somebody else commits between two of its steps, and
 * under a busy writer may never end. A read transaction held open all along pins the moment, so that
 * each page is copied once and the steps still leave room to say how far it is. Meanwhile the
 * writer's WAL cannot shrink: it grows by what is written during the copy, and is emptied after it.
 * The copy gets its name only when it has been checked and is on the disk.
 */
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type * as Sqlite from 'better-sqlite3'
import { StorageError } from '../../base/storage-error.ts'
import { databasePath, openReader } from './database.ts'
import { Database } from './driver.ts'

/** About 16 MiB: some ten milliseconds of copying. */
const STEP_PAGES = 4_096

/** How far it is. */
export interface BackupProgress {
  readonly pages: number
  readonly totalPages: number
}

/** A copy that is whole and has not got its name yet. */
export interface PreparedBackup {
  readonly bytes: number
  /** Gives it its name. @throws StorageError where something has that name. */
  publish(): void
  /** Removes what has not got its name. */
  discard(): void
}

/**
 * Copies the database of a data directory beside `file`, and checks the copy.
 * @throws StorageError where there is no database, no room, or the copy is damaged.
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
    // It holds everybody's messages.
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

/** Reads all of the copy, and makes it one file that needs no others beside it. */
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

/** A link fails where the name is taken; a rename would replace what has it. */
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
