/**
 * Writer: converts log entries to rows, one transaction per batch.
 *
 * A post writes only one row, and so does a receipt. The counters for unread counts lag
 * (`UnreadCounters`): they are updated before a group's membership changes, when too much is not counted,
 * and when there is nothing else to do.
 */
import type { Database, Statement } from 'better-sqlite3'
import { parseMessageId } from '../../../protocol/ids.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import type { EngineLogger } from '../../base/engine-logger.ts'
import type { LogEntry } from '../../stored/log-entry.ts'
import { storedFrame } from '../../stored/stored-frame.ts'
import { EntryError, isStorageFailure } from '../entry-error.ts'
import { eraseOld } from './erase-old.ts'
import { NameWords } from './name-words.ts'
import { Standings } from './standings.ts'
import { UnreadCounters } from './unread.ts'
import { Wal } from './wal.ts'

/** Keys cached in memory, of groups and of users each. Above this number the cache is emptied. */
const MAX_CACHED_KEYS = 100_000

export class Writer {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  readonly #applyAll: (entries: readonly LogEntry[]) => void
  readonly #groupKeys = new Map<string, number>()
  readonly #userKeys = new Map<string, number>()
  readonly #unread: UnreadCounters
  readonly #standings: Standings
  readonly #wal: Wal
  /** Something was replaced or deleted since the WAL was emptied. */
  #erased = false
  readonly #nameWords: NameWords

  constructor(db: Database) {
    this.#db = db
    this.#wal = new Wal(db)
    this.#sql = prepare(db)
    this.#unread = new UnreadCounters(db)
    this.#standings = new Standings(db)
    this.#nameWords = new NameWords(db)
    this.#applyAll = db.transaction((entries: readonly LogEntry[]) => {
      for (const entry of entries) this.#applyEntry(entry)
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
      // Keys assigned in the transaction were rolled back with it.
      this.#groupKeys.clear()
      this.#userKeys.clear()
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

  /** Moves the WAL into the file and empties it. Returns false if a reader still needs it. */
  checkpoint(): boolean {
    const isEmpty = this.#wal.empty(this.#erased)
    if (isEmpty) this.#erased = false
    return isEmpty
  }

  close(): void {
    this.#db.close()
    this.#wal.close()
  }

  #applyEntry(entry: LogEntry): void {
    try {
      this.#apply(entry)
    } catch (error) {
      throw isStorageFailure(error) ? error : new EntryError(entry, error)
    }
  }

  #apply(entry: LogEntry): void {
    const sql = this.#sql
    switch (entry.type) {
      case 'message':
        this.#applyMessage(entry.message)
        break
      case 'event': {
        const group = this.#groupKey(entry.groupId)
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
          this.#userKey(group.createdBy),
          group.createdAt,
          group.name ?? null,
          group.topic ?? null,
          group.avatarUrl ?? null,
          group.createdAt,
          group.groupId,
        )
        break
      }
      case 'member': {
        const { member } = entry
        const group = this.#groupKey(entry.groupId)
        const user = this.#userKey(member.userId)
        this.#unread.countPosts(group)
        sql.putMember.run(
          group,
          user,
          member.role,
          member.joinedSeq,
          member.joinedAt,
          member.mutedUntil,
          member.quietUntil,
          member.approached ? 1 : 0,
          member.joinedSeq,
          group,
        )
        // A user who accepts a direct chat has the messages since its beginning as unread. PRV-2
        this.#unread.read(group, user)
        // A user who rejoins gets their earlier receipts back (RCP-1).
        sql.restoreReceipts.run(group, user)
        sql.dropFormer.run(group, user)
        break
      }
      case 'member_left': {
        const group = this.#groupKey(entry.groupId)
        const user = this.#userKey(entry.userId)
        this.#unread.countPosts(group)
        sql.storeFormerReceipts.run(group, user)
        sql.dropOldest.run(group, group, limits.membersPerGroup)
        sql.dropMember.run(group, user)
        break
      }
      case 'former_member':
        sql.putFormerMember.run(
          this.#groupKey(entry.groupId),
          this.#userKey(entry.userId),
          entry.leftSeq,
          entry.byChoice ? 1 : 0,
          entry.mutedUntil,
        )
        break
      case 'former_member_back':
        sql.dropFormerMember.run(this.#groupKey(entry.groupId), this.#userKey(entry.userId))
        break
      case 'ban':
        sql.addBan.run(this.#groupKey(entry.groupId), this.#userKey(entry.userId))
        break
      case 'unban':
        sql.dropBan.run(this.#groupKey(entry.groupId), this.#userKey(entry.userId))
        break
      case 'invite':
        sql.addInvitation.run(
          this.#groupKey(entry.groupId),
          this.#userKey(entry.userId),
          this.#userKey(entry.by),
          entry.at,
        )
        break
      case 'uninvite':
        sql.dropInvitation.run(this.#groupKey(entry.groupId), this.#userKey(entry.userId))
        break
      case 'receipts': {
        const group = this.#groupKey(entry.groupId)
        const user = this.#userKey(entry.userId)
        const { delivered, read, readSeq } = entry
        sql.putReceipts.run(delivered, read, readSeq, group, user)
        this.#unread.read(group, user)
        break
      }
      case 'file': {
        const { file } = entry
        sql.addFile.run(
          file.fileId,
          this.#groupKey(entry.groupId),
          this.#userKey(entry.uploadedBy),
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
        sql.addBlock.run(this.#userKey(entry.userId), this.#userKey(entry.otherId), entry.at)
        break
      case 'unblock':
        sql.dropBlock.run(this.#userKey(entry.userId), this.#userKey(entry.otherId))
        break
      case 'presence':
        sql.putPresence.run(entry.userId, entry.status, entry.lastSeenAt ?? null)
        break
    }
  }

  #applyMessage(message: Message): void {
    const group = this.#groupKey(message.groupId)
    const sender = this.#userKey(message.senderId)
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
    const group = this.#groupKey(message.groupId)
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

  #groupKey(groupId: string): number {
    const cached = this.#groupKeys.get(groupId)
    if (cached !== undefined) return cached
    const key = this.#sql.groupKey.get(groupId)
    if (key === undefined) throw new Error(`no group ${groupId} in the log`)
    return remember(this.#groupKeys, groupId, key)
  }

  #userKey(userId: string): number {
    const cached = this.#userKeys.get(userId)
    if (cached !== undefined) return cached
    const found = this.#sql.userKey.get(userId)
    if (found !== undefined) return remember(this.#userKeys, userId, found)
    const added = Number(this.#sql.addUser.run(userId).lastInsertRowid)
    this.#nameWords.put(userId)
    return remember(this.#userKeys, userId, added)
  }
}

function remember(keys: Map<string, number>, id: string, key: number): number {
  if (keys.size >= MAX_CACHED_KEYS) keys.clear()
  keys.set(id, key)
  return key
}

function prepare(db: Database) {
  const pluck = (sql: string) => db.prepare(sql).pluck() as Statement<unknown[], number>
  return {
    groupKey: pluck('SELECT group_key FROM groups WHERE group_id = ?'),
    userKey: pluck('SELECT user_key FROM users WHERE user_id = ?'),
    addUser: db.prepare('INSERT INTO users (user_id) VALUES (?)'),
    putUser: db.prepare(`
      INSERT INTO users (user_id, name, picture) VALUES (?, ?, ?)
      ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, picture = excluded.picture`),
    putPresence: db.prepare(`
      INSERT INTO users (user_id, status, last_seen_at) VALUES (?, ?, ?)
      ON CONFLICT (user_id) DO UPDATE SET status = excluded.status, last_seen_at = excluded.last_seen_at`),
    putGroup: db.prepare(`
      INSERT INTO groups (group_id, kind, visibility, created_by, created_at, name, topic, avatar_url,
        active_at, ceiling)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ifnull((SELECT ceiling FROM leases WHERE group_id = ?), 0))
      ON CONFLICT (group_id) DO UPDATE SET visibility = excluded.visibility, name = excluded.name,
        topic = excluded.topic, avatar_url = excluded.avatar_url`),
    putFormerMember: db.prepare(`
      INSERT INTO former_members (group_key, user_key, left_seq, by_choice, muted_until) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (group_key, user_key) DO UPDATE SET left_seq = excluded.left_seq,
        by_choice = excluded.by_choice, muted_until = excluded.muted_until`),
    dropFormerMember: db.prepare('DELETE FROM former_members WHERE group_key = ? AND user_key = ?'),
    addBlock: db.prepare(
      'INSERT INTO blocks (user_key, blocked_key, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    dropBlock: db.prepare('DELETE FROM blocks WHERE user_key = ? AND blocked_key = ?'),
    addBan: db.prepare('INSERT INTO bans (group_key, user_key) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    dropBan: db.prepare('DELETE FROM bans WHERE group_key = ? AND user_key = ?'),
    addInvitation: db.prepare(`
      INSERT INTO invitations (group_key, user_key, invited_by, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    dropInvitation: db.prepare('DELETE FROM invitations WHERE group_key = ? AND user_key = ?'),
    addFile: db.prepare(`
      INSERT INTO files (file_id, group_key, uploader_key, name, mime_type, size, sha256, width, height,
        duration_ms, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    useFile: db.prepare('UPDATE files SET uses = max(uses, 0) + 1 WHERE file_id = ?'),
    // After the last message that showed it, the file is not available any more.
    leaveFile: db.prepare(
      'UPDATE files SET uses = CASE WHEN uses > 1 THEN uses - 1 ELSE -1 END WHERE file_id = ?',
    ),
    fileOf: db
      .prepare('SELECT file_id FROM messages WHERE group_key = ? AND seq = ? AND file_id IS NOT NULL')
      .pluck() as unknown as Statement<[number, number], string>,
    changeMessage: db.prepare(`
      UPDATE messages SET type = ?, content = ?, file_id = ?, mentions = ?, edited_at = ?, deleted_at = ?, deleted_by = ?,
        recalled_at = ?, reactions = ?, pinned_at = ?
      WHERE group_key = ? AND seq = ?`),
    putLease: db.prepare(`
      INSERT INTO leases (group_id, ceiling) VALUES (?, ?)
      ON CONFLICT (group_id) DO UPDATE SET ceiling = excluded.ceiling`),
    putCeiling: db.prepare('UPDATE groups SET ceiling = ? WHERE group_id = ?'),
    putMember: db.prepare(`
      INSERT INTO members (group_key, user_key, role, joined_seq, joined_at, muted_until, quiet_until,
        approached, posts_before, counted_read)
      SELECT ?, ?, ?, ?, ?, ?, ?, ?, posts, max(?, counted_seq) FROM groups WHERE group_key = ?
      ON CONFLICT (group_key, user_key) DO UPDATE SET role = excluded.role,
        muted_until = excluded.muted_until, quiet_until = excluded.quiet_until,
        approached = excluded.approached`),
    dropMember: db.prepare('DELETE FROM members WHERE group_key = ? AND user_key = ?'),
    putReceipts: db.prepare(
      'UPDATE members SET delivered = ?, read = ?, read_seq = ? WHERE group_key = ? AND user_key = ?',
    ),
    storeFormerReceipts: db.prepare(`
      INSERT INTO former_receipts (group_key, user_key, delivered, read)
      SELECT group_key, user_key, delivered, read FROM members
      WHERE group_key = ? AND user_key = ? AND delivered IS NOT NULL`),
    restoreReceipts: db.prepare(`
      UPDATE members SET delivered = former.delivered, read = former.read FROM former_receipts AS former
      WHERE former.group_key = members.group_key AND former.user_key = members.user_key
        AND members.group_key = ? AND members.user_key = ?`),
    dropFormer: db.prepare('DELETE FROM former_receipts WHERE group_key = ? AND user_key = ?'),
    // Only the newest receipts of former members are stored: deletes the others.
    dropOldest: db.prepare(`
      DELETE FROM former_receipts WHERE group_key = ? AND former_key <= (
        SELECT former_key FROM former_receipts WHERE group_key = ? ORDER BY former_key DESC LIMIT 1 OFFSET ?)`),
    addMessage: db.prepare(`
      INSERT INTO messages (group_key, seq, sender_key, type, content, created_at, temp_id, reply_seq, file_id, mentions)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    addEvent: db.prepare(
      'INSERT INTO events (group_key, seq, code, at, frame, target_seq) VALUES (?, ?, ?, ?, ?, ?)',
    ),
  }
}
