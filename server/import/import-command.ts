/**
 * Import command: `tertulia import FILE` writes the history of another system to a data folder.
 *
 * The file is read from its first line in each run; what is stored already is skipped, so that a run
 * which was interrupted continues, and a repeated one changes nothing.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { settings, settingsFromEnv } from '../config.ts'
import { progressLines } from '../progress-lines.ts'
import type { CommandContext } from '../serve.ts'
import type { ImportCounts } from './import-counts.ts'
import { ImportError } from './import-error.ts'
import type { LineRecord } from './import-record.ts'
import { Importer } from './importer.ts'
import type { RecordChunk } from './record-chunk.ts'
import { recordChunks } from './record-chunks.ts'

/** Imports the file; resolves with the exit code. @throws ImportError, StorageError, ConfigError */
export async function importFile(file: string, context: CommandContext): Promise<number> {
  const dataDir = settingsFromEnv(context.env).dataDir ?? settings.dataDir.default
  const now = Date.now()
  const startedAt = performance.now()
  const report = progressLines(context.err)
  // A file that cannot be read creates no data folder.
  requireReadable(file)
  const log = (_: object, message: string) => context.err(message)
  const importer = new Importer(dataDir, now, { info: log, warn: log, error: log })
  try {
    for await (const chunk of recordChunks(file, now)) {
      const { progress, firstLine } = chunk
      try {
        importer.apply(recordsOf(chunk))
      } catch (error) {
        throw error instanceof ImportError ? stoppedAt(file, firstLine, error) : error
      }
      report(() => `${Math.floor(100 * progress)} %: ${counted(importer.counts)}`)
    }
    importer.finish((groups) => report(() => `read marks of ${groups} groups`))
    const seconds = (performance.now() - startedAt) / 1_000
    context.out(`${file}: imported ${counted(importer.counts)} in ${seconds.toFixed(1)} s`)
    for (const note of notes(importer)) context.err(note)
    return 0
  } finally {
    importer.close()
  }
}

function requireReadable(file: string): void {
  try {
    accessSync(file, constants.R_OK)
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException
    throw new ImportError(`${file} cannot be read: ${code === 'ENOENT' ? 'it does not exist' : code}`)
  }
  if (statSync(file).isDirectory()) throw new ImportError(`${file} cannot be read: it is a folder`)
}

function* recordsOf({ records, errors }: RecordChunk): Generator<LineRecord> {
  yield* records
  if (errors !== '') throw new ImportError(errors)
}

function stoppedAt(file: string, firstLine: number, { message }: ImportError): ImportError {
  const stored = firstLine === 1 ? 'nothing is imported' : `the lines before ${firstLine} are imported`
  return new ImportError(`${file} cannot be imported:\n${message}\n${stored}; fix the file and run it again`)
}

function counted({ messages, groups, members, repeated }: ImportCounts): string {
  const before = repeated > 0 ? ` (${repeated} messages were imported before)` : ''
  return `${messages} messages, ${groups} groups, ${members} members${before}`
}

function notes(importer: Importer): readonly string[] {
  const { unordered, unknown, dropped } = importer.counts
  const without = importer.withoutAdmin()
  return [
    ...(unordered > 0 ? [`${unordered} messages are older than the message before them in their group`] : []),
    ...(unknown > 0 ? [`${unknown} replies and read marks name a message that is not in the file`] : []),
    ...(dropped > 0
      ? [`${dropped} pins above the limit of their group, and bans of its members, are not imported`]
      : []),
    ...(without > 0 ? [`${without} groups have members, but no admin`] : []),
  ]
}
