/**
 * Backup command: `tertulia backup FILE`, beside a running server or without one.
 *
 * First the database, at one moment; then the files that it may name, into `FILE.files`. FILE gets
 * its name last of all: where it is, the backup is whole. Nothing that exists is overwritten.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { copyFiles } from '../engine/files/copy-files.ts'
import { prepareBackup } from '../engine/storage/sqlite/backup.ts'
import { StorageError } from '../engine/storage/storage-error.ts'
import { settings, settingsFromEnv } from './config.ts'
import type { CommandContext } from './serve.ts'

const TELL_EVERY_MS = 1_000
const MIB = 1_048_576

/** Makes the backup; resolves with the exit code. @throws StorageError, ConfigError */
export async function backup(file: string, context: CommandContext): Promise<number> {
  const dataDir = settingsFromEnv(context.env).dataDir ?? settings.dataDir.default
  const files = `${file}.files`
  const partialFiles = `${files}.${process.pid}.partial`
  for (const path of [file, files]) if (existsSync(path)) throw new StorageError(`${path} is there already`)

  const tell = nowAndThen(context.err)
  const database = await prepareBackup(dataDir, file, ({ pages, totalPages }) =>
    tell(() => `database: ${Math.floor((100 * pages) / Math.max(totalPages, 1))} %`),
  )
  try {
    const copied = copyFiles(dataDir, partialFiles, ({ files: count, bytes }) =>
      tell(() => `files: ${count}, ${inMib(bytes)}`),
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

/** Says something at most once a second, after the first second. */
function nowAndThen(say: (line: string) => void): (line: () => string) => void {
  let lastMs = performance.now()
  return (line) => {
    if (performance.now() - lastMs < TELL_EVERY_MS) return
    lastMs = performance.now()
    say(line())
  }
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}
