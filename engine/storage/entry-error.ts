/**
 * Entry errors: a log entry that cannot be applied, as opposed to a storage that fails.
 *
 * A full or failing disk may recover, so that the same entries are tried again. An entry that violates a
 * constraint or contains a value that SQLite cannot bind can never be applied: it fails its own group or
 * user (`WriteLoop`), and all other entries are committed.
 */
import type { LogEntry } from '../stored/log-entry.ts'

/** The primary result codes of SQLite that concern the storage, not the statement. */
const STORAGE_CODES =
  /^SQLITE_(?:PERM|BUSY|LOCKED|NOMEM|READONLY|INTERRUPT|IOERR|CORRUPT|FULL|CANTOPEN|PROTOCOL|SCHEMA|NOLFS|AUTH|NOTADB|INTERNAL)(?:_|$)/

/** An entry that the storage refused because of its contents. The transaction was rolled back. */
export class EntryError extends Error {
  override readonly name = 'EntryError'
  readonly entry: LogEntry

  constructor(entry: LogEntry, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.entry = entry
  }
}

/** Whether the storage fails for any entry. Every other error is caused by the entry. */
export function isStorageFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && STORAGE_CODES.test(code)
}
