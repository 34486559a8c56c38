/**
 * Writer: converts log entries to rows, one transaction per batch.
 *
 * A post writes only one row, and so does a receipt. The counters for unread counts lag
 * (`UnreadCounters`): they are updated before a group's membership changes, when too much is not counted,
 * and when there is nothing else to do.
 */
import type { Database } from 'better-sqlite3'
import { parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import type { EngineLogger } from '../../base/engine-logger.ts'
import type { LogEntry } from '../../stored/log-entry.ts'
import { storedFrame } from '../../stored/stored-frame.ts'
import type { CopiedFrames } from '../copied-frames.ts'
import { EntryError, isStorageFailure } from '../entry-error.ts'
import { eraseOld } from './erase-old.ts'
import { MembershipRows } from './membership-rows.ts'
import { NameWords } from './name-words.ts'
import { RowKeys } from './row-keys.ts'
import { Standings } from './standings.ts'
import { UnreadCounters } from './unread.ts'
import { Wal } from './wal.ts'
import { prepareWrites, type WriteStatements } from './write-statements.ts'

export class Writer {
  readonly #db: Database
  readonly #sql: WriteStatements
  readonly #applyAll: (entries: readonly LogEntry[]) => void
  readonly #keys: RowKeys
  readonly #unread: UnreadCounters
  readonly #standings: Standings
  readonly #wal: Wal
  /** Something was replaced or deleted since the WAL was emptied. */
  #erased = false
  readonly #nameWords: NameWords
  readonly #membership: MembershipRows

  constructor(db: Database) {
    this.#db = db
    this.#wal = new Wal(db)
    this.#sql = prepareWrites(db)
    this.#unread = new UnreadCounters(db)
    this.#standings = new Standings(db)
    this.#nameWords = new NameWords(db)
    this.#keys = new RowKeys(this.#sql, this.#nameWords)
    this.#membership = new MembershipRows(this.#sql, this.#keys, this.#unread)
    this.#applyAll = db.transaction((entries: readonly LogEntry[]) => {
      for (const entry of entries) {
        try {
          this.#apply(entry)
        } catch (error) {
          throw isStorageFailure(error) ? error : new EntryError(entry, error)
        }
      }
      this.#standings.write()
    }).immediate
  }

  /**
   * Commits all entries or, if it throws, none. The same entries may be tried again.
   * @throws EntryError if one of them can never be applied
   */
  commit(entries: readonly LogEntry[]): void {
    try {
      this.#applyAll(entries)
    } catch (error) {
      this.#keys.forget()
      this.#standings.forget()
      throw error
    }
  }

  /** Updates all counters; called when there is nothing else to do. */
  settle(): void {
    this.#db.transaction(() => this.#unread.settle()).immediate()
  }

  /** Converts a file of an earlier version. Called once, before others read it. */
  eraseOld(logger: EngineLogger): void {
    eraseOld(this.#db, this.#wal, logger)
  }

  /** Other code has deleted something. */
  erased(): void {
    this.#erased = true
  }

  /**
   * Copies the WAL to the file and empties it; another connection has copied `copied` of it. Returns false if a
   * reader still needs the WAL.
   */
  checkpoint(copied?: CopiedFrames): boolean {
    const isEmpty = this.#wal.empty(this.#erased, copied)
    if (isEmpty) this.#erased = false
    return isEmpty
  }

  close(): void {
    this.#db.close()
    this.#wal.close()
  }

  #apply(entry: LogEntry): void {
    const sql = this.#sql
    switch (entry.type) {
      case 'message':
        this.#applyMessage(entry.message)
        break
      case 'event': {
        const group = this.#keys.ofGroup(entry.groupId)
        sql.addEvent.run(
          group,
          entry.seq,
          entry.code,
          entry.at,
          storedFrame(entry.code, entry.frame),
          entry.target ?? null,
        )
        this.#standings.recorded(group, entry.seq)
        break
      }
      case 'change':
        this.#applyChange(entry.message)
        break
      case 'group': {
        const { group } = entry
        this.#erased = true
        sql.putGroup.run(
          group.groupId,
          group.kind,
          group.visibility,
          this.#keys.ofUser(group.createdBy),
          group.createdAt,
          group.name ?? null,
          group.topic ?? null,
          group.avatarUrl ?? null,
          group.createdAt,
          group.groupId,
        )
        break
      }
      case 'member':
      case 'member_left':
      case 'former_member':
      case 'former_member_back':
      case 'ban':
      case 'unban':
      case 'invite':
      case 'uninvite':
      case 'receipts':
        this.#membership.apply(entry)
        break
      case 'file': {
        const { file } = entry
        sql.addFile.run(
          file.fileId,
          this.#keys.ofGroup(entry.groupId),
          this.#keys.ofUser(entry.uploadedBy),
          file.fileName,
          file.mimeType,
          file.size,
          file.sha256,
          file.width ?? null,
          file.height ?? null,
          file.durationMs ?? null,
          entry.at,
        )
        break
      }
      case 'restart':
        break
      case 'lease':
        sql.putLease.run(entry.groupId, entry.ceiling)
        sql.putCeiling.run(entry.ceiling, entry.groupId)
        break
      case 'user':
        sql.putUser.run(entry.userId, entry.name, entry.picture)
        this.#nameWords.put(entry.userId)
        break
      case 'block':
        sql.addBlock.run(this.#keys.ofUser(entry.userId), this.#keys.ofUser(entry.otherId), entry.at)
        break
      case 'unblock':
        sql.dropBlock.run(this.#keys.ofUser(entry.userId), this.#keys.ofUser(entry.otherId))
        break
      case 'presence':
        sql.putPresence.run(entry.userId, entry.status, entry.lastSeenAt ?? null)
        break
    }
  }

  #applyMessage(message: Message): void {
    const group = this.#keys.ofGroup(message.groupId)
    const sender = this.#keys.ofUser(message.senderId)
    this.#sql.addMessage.run(
      group,
      message.seq,
      sender,
      message.type,
      message.content,
      message.createdAt,
      message.tempId ?? null,
      message.replyToId ? parseMessageId(message.replyToId).seq : null,
      message.file?.fileId ?? null,
      message.mentions ? JSON.stringify(message.mentions) : null,
    )
    if (message.file) this.#sql.useFile.run(message.file.fileId)
    this.#standings.posted(group, message.seq, message.createdAt)
    this.#unread.posted(group)
  }

  /** Replaces the state of a post. Nothing of the content of a deleted or recalled post remains. */
  #applyChange(message: Message): void {
    const sql = this.#sql
    const group = this.#keys.ofGroup(message.groupId)
    const removed = message.deletedAt !== undefined || message.recalledAt !== undefined
    this.#erased ||= removed || message.editedAt !== undefined
    if (removed) {
      for (const fileId of sql.fileOf.all(group, message.seq)) sql.leaveFile.run(fileId)
    }
    this.#unread.changing(group, message.seq, removed, message.mentions ?? [])
    sql.changeMessage.run(
      message.type,
      message.content,
      message.file?.fileId ?? null,
      message.mentions ? JSON.stringify(message.mentions) : null,
      message.editedAt ?? null,
      message.deletedAt ?? null,
      message.deletedBy ?? null,
      message.recalledAt ?? null,
      message.reactions ? JSON.stringify(message.reactions) : null,
      message.pinnedAt ?? null,
      group,
      message.seq,
    )
  }
}
