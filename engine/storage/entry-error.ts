/**
 * Entry errors: a log entry that cannot be applied, as opposed to a storage that fails.
 *
 * A full or broken disk passes, so that the same entries are tried again. An entry that breaks a
 * constraint or holds a value that SQLite cannot bind never passes: it fails its own group or user
 * (`WriteLoop`), and the log goes on.
 */
import type { LogEntry } from '../stored/log-entry.ts'

/** The primary result codes of SQLite that tell of the storage, not of the statement. */
const STORAGE_CODES =
  /^SQLITE_(?:PERM|BUSY|LOCKED|NOMEM|READONLY|INTERRUPT|IOERR|CORRUPT|FULL|CANTOPEN|PROTOCOL|SCHEMA|NOLFS|AUTH|NOTADB|INTERNAL)(?:_|$)/

/** An entry that was refused by the storage for what it is. The transaction was rolled back. */
export class EntryError extends Error {
  override readonly name = 'EntryError'
  readonly entry: LogEntry

  constructor(entry: LogEntry, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.entry = entry
  }
}

/** Whether the storage fails, whatever the entry. Anything else is the fault of the entry. */
export function isStorageFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && STORAGE_CODES.test(code)
}
