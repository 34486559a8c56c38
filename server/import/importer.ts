/**
 * Importer: writes the records of another system as if they had been written here, at their times.
 *
 * Everything has numbers of its group, in the order of the file (IDN-5). One call of `apply` is one transaction.
 * Memory: the records of one call, and the groups of the last ones (`open-groups.ts`).
 */
import { statSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import type { EngineLogger } from '../../engine/base/engine-logger.ts'
import { Contacts } from '../../engine/storage/sqlite/contacts.ts'
import {
  type DirectoryLock,
  lockDirectory,
  openWriter,
  walPath,
} from '../../engine/storage/sqlite/database.ts'
import { ImportedRows } from '../../engine/storage/sqlite/imported-rows.ts'
import { prepareReads } from '../../engine/storage/sqlite/read-statements.ts'
import { Writer } from '../../engine/storage/sqlite/writer.ts'
import { GroupImport } from './group-import.ts'
import { ImportBatch } from './import-batch.ts'
import { type ImportCounts, noCounts } from './import-counts.ts'
import type { ImportRecord, LineRecord, ReadRecord, UserRecord } from './import-record.ts'
import { MessageImport } from './message-import.ts'
import { OpenGroups } from './open-groups.ts'
import { ReadMarks } from './read-marks.ts'

/** Above this size the WAL is moved into the file. */
const MAX_WAL_BYTES = 64 * 1_048_576

export class Importer {
  readonly counts: ImportCounts = noCounts()
  readonly #dataDir: string
  readonly #lock: DirectoryLock
  readonly #db: Database
  readonly #writer: Writer
  readonly #rows: ImportedRows
  readonly #marks: ReadMarks
  readonly #batch: ImportBatch
  readonly #groups: OpenGroups
  readonly #messages: MessageImport
  readonly #groupImport: GroupImport

  /** Opens the data folder, and creates it if it does not exist. @throws StorageError if it is in use */
  constructor(dataDir: string, now: number, logger: EngineLogger) {
    this.#dataDir = dataDir
    this.#lock = lockDirectory(dataDir)
    try {
      this.#db = openWriter(dataDir, 'process')
    } catch (error) {
      this.#lock.release()
      throw error
    }
    this.#writer = new Writer(this.#db)
    this.#writer.eraseOld(logger)
    this.#rows = new ImportedRows(this.#db)
    this.#marks = new ReadMarks(this.#rows, now)
    this.#batch = new ImportBatch(this.#writer)
    const flush = () => this.#flush()
    this.#groups = new OpenGroups(this.#rows, this.#batch, now, flush)
    this.#messages = new MessageImport(this.#rows, this.#batch, this.#groups, this.counts)
    this.#groupImport = new GroupImport({
      rows: this.#rows,
      contacts: new Contacts(prepareReads(this.#db)),
      batch: this.#batch,
      groups: this.#groups,
      counts: this.counts,
      flush,
    })
  }

  /** Imports all records, or none if one of them is refused. @throws ImportError that names the line */
  apply(records: Iterable<LineRecord>): void {
    const before = { ...this.counts }
    this.#groups.limit()
    try {
      this.#db
        .transaction(() => {
          for (const { record, line } of records) this.#apply(record, line)
          this.#flush()
        })
        .immediate()
    } catch (error) {
      this.#groups.forget()
      this.#messages.forget()
      this.#batch.forget()
      Object.assign(this.counts, before)
      throw error
    }
    this.#checkpoint()
  }

  /** Sets the read marks, after the last record: what was imported counts as read. */
  finish(onGroup: (done: number) => void): void {
    for (let done = 0, more = true; more; ) {
      const step = this.#db.transaction(() => this.#marks.step((entries) => this.#writer.commit(entries)))
      const groups = step.immediate()
      done += groups
      more = groups > 0
      onGroup(done)
      this.#checkpoint()
    }
    this.#writer.settle()
  }

  /** The number of groups that have members, but no admin. */
  withoutAdmin(): number {
    return this.#rows.withoutAdmin()
  }

  close(): void {
    this.#writer.checkpoint()
    this.#writer.close()
    this.#lock.release()
  }

  #apply(record: ImportRecord, line: number): void {
    switch (record.record) {
      case 'user':
        return this.#applyUser(record)
      case 'group':
        return this.#groupImport.group(record, line)
      case 'member':
        return this.#groupImport.member(record, line)
      case 'message':
        return this.#messages.wait(record, line)
      case 'read':
        return this.#applyRead(record, line)
      case 'ban':
        return this.#groupImport.ban(record, line)
    }
  }

  #applyUser({ userId, name, picture = '' }: UserRecord): void {
    // A newer name may have come with a token. IDN-2
    if (this.#rows.hasName(userId)) return
    this.#batch.add({ type: 'user', userId, name, picture })
    this.#flush()
  }

  #applyRead({ groupId, userId, id }: ReadRecord, line: number): void {
    const group = this.#groups.require('read', groupId, line)
    this.#flush()
    const read = this.#messages.find(group, id)
    if (!read) {
      this.counts.unknown += 1
      return
    }
    const member = this.#rows.member(group.key, userId)
    if (!member || member.readSeq >= read.seq) return
    this.#batch.add(this.#marks.readUpTo(group.groupId, member, read.seq))
    this.#flush()
  }

  /** Writes everything that waits. */
  #flush(): void {
    this.#messages.flush()
    this.#batch.write()
  }

  #checkpoint(): void {
    const wal = statSync(walPath(this.#dataDir), { throwIfNoEntry: false })
    if ((wal?.size ?? 0) > MAX_WAL_BYTES) this.#writer.checkpoint()
  }
}
