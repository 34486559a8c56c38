/**
 * Backup command: `tertulia backup FILE`, with or without a running server.
 *
 * It copies the database at one point in time, then the files that the database may reference, into
 * `FILE.files`. FILE gets its name last: if it exists, the backup is complete. Existing files are never
 * overwritten.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { StorageError } from '../engine/base/storage-error.ts'
import { copyFiles } from '../engine/files/copy-files.ts'
import { prepareBackup } from '../engine/storage/sqlite/backup.ts'
import { settings, settingsFromEnv } from './config.ts'
import { progressLines } from './progress-lines.ts'
import type { CommandContext } from './serve.ts'

const MIB = 1_048_576

/** Creates the backup; resolves with the exit code. @throws StorageError, ConfigError */
export async function backup(file: string, context: CommandContext): Promise<number> {
  const dataDir = settingsFromEnv(context.env).dataDir ?? settings.dataDir.default
  const files = `${file}.files`
  const partialFiles = `${files}.${process.pid}.partial`
  for (const path of [file, files]) if (existsSync(path)) throw new StorageError(`${path} already exists`)

  const report = progressLines(context.err)
  const database = await prepareBackup(dataDir, file, ({ pages, totalPages }) =>
    report(() => `database: ${Math.floor((100 * pages) / Math.max(totalPages, 1))} %`),
  )
  try {
    const copied = copyFiles(dataDir, partialFiles, ({ files: count, bytes }) =>
      report(() => `files: ${count}, ${inMib(bytes)}`),
    )
    if (copied.files > 0) renameSync(partialFiles, files)
    try {
      database.publish()
    } catch (error) {
      rmSync(files, { recursive: true, force: true })
      throw error
    }
    context.err(`${file}: ${inMib(database.bytes)}, checked`)
    context.err(copied.files === 0 ? 'no files' : `${files}: ${copied.files} files, ${inMib(copied.bytes)}`)
    return 0
  } finally {
    database.discard()
    rmSync(partialFiles, { recursive: true, force: true })
  }
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}
