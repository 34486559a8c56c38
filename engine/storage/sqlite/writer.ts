/**
 * Writer: turns log entries into rows, a transaction a batch.
 *
 * Unread counts never scan: each group counts its posts, each member knows the count at which
 * they joined and how many of the posts since are their own. Within a batch these counters are
 * gathered and written once, at the end or before a membership changes, which reads them.
 */
import type { Database, Statement } from 'better-sqlite3'
import { parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import type { LogEntry } from '../log.ts'

/** Keys kept in memory, of groups and of users each; over it the cache starts anew. */
const MAX_CACHED_KEYS = 100_000

interface Counters {
  posts: number
  activeAt: number
  /** By user key: the posts they sent and the mentions they got. */
  readonly own: Map<number, number>
  readonly mentions: Map<number, number>
}

export class Writer {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  readonly #applyAll: (entries: readonly LogEntry[]) => void
  readonly #groupKeys = new Map<string, number>()
  readonly #userKeys = new Map<string, number>()
  readonly #counters = new Map<number, Counters>()

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepare(db)
    this.#applyAll = db.transaction((entries: readonly LogEntry[]) => {
      for (const entry of entries) this.#apply(entry)
      this.#flushCounters()
    }).immediate
  }

  /** Commits all entries or, where it throws, none. The same entries may be tried again. */
  commit(entries: readonly LogEntry[]): void {
    try {
      this.#applyAll(entries)
    } catch (error) {
      // Keys made in the transaction were rolled back with it.
      this.#groupKeys.clear()
      this.#userKeys.clear()
      this.#counters.clear()
      throw error
    }
  }

  /** Moves the WAL into the file and empties it; does nothing where a reader is in the way. */
  checkpoint(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
  }

  close(): void {
    this.#db.close()
  }

  #apply(entry: LogEntry): void {
    const sql = this.#sql
    switch (entry.type) {
      case 'message':
        this.#applyMessage(entry.message)
        break
      case 'event':
        sql.addEvent.run(this.#groupKey(entry.groupId), entry.seq, entry.code, entry.at, entry.frame)
        break
      case 'group': {
        const { group } = entry
        sql.addGroup.run(
          group.groupId,
          group.kind,
          group.visibility,
          this.#userKey(group.createdBy),
          group.createdAt,
          group.name ?? null,
          group.topic ?? null,
          group.avatarUrl ?? null,
          group.createdAt,
        )
        break
      }
      case 'member': {
        this.#flushCounters()
        const { member } = entry
        const group = this.#groupKey(entry.groupId)
        sql.putMember.run(
          group,
          this.#userKey(member.userId),
          member.role,
          member.joinedSeq,
          member.joinedAt,
          group,
        )
        break
      }
      case 'member_left':
        this.#flushCounters()
        sql.dropMember.run(this.#groupKey(entry.groupId), this.#userKey(entry.userId))
        break
      case 'lease':
        sql.putLease.run(entry.groupId, entry.ceiling)
        break
      case 'user':
        sql.putUser.run(entry.userId, entry.name, entry.picture)
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
      message.fileId ?? null,
      message.mentions ? JSON.stringify(message.mentions) : null,
    )
    let counters = this.#counters.get(group)
    if (!counters) {
      counters = { posts: 0, activeAt: 0, own: new Map(), mentions: new Map() }
      this.#counters.set(group, counters)
    }
    counters.posts += 1
    counters.activeAt = message.createdAt
    counters.own.set(sender, (counters.own.get(sender) ?? 0) + 1)
    for (const userId of message.mentions ?? []) {
      if (userId === message.senderId) continue
      const user = this.#userKey(userId)
      counters.mentions.set(user, (counters.mentions.get(user) ?? 0) + 1)
    }
  }

  #flushCounters(): void {
    for (const [group, { posts, activeAt, own, mentions }] of this.#counters) {
      this.#sql.countPosts.run(posts, activeAt, group)
      for (const [user, count] of own) this.#sql.countOwn.run(count, group, user)
      for (const [user, count] of mentions) this.#sql.countMentions.run(count, group, user)
    }
    this.#counters.clear()
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
    return remember(this.#userKeys, userId, found ?? Number(this.#sql.addUser.run(userId).lastInsertRowid))
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
    addGroup: db.prepare(`
      INSERT INTO groups (group_id, kind, visibility, created_by, created_at, name, topic, avatar_url, active_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    putLease: db.prepare(`
      INSERT INTO leases (group_id, ceiling) VALUES (?, ?)
      ON CONFLICT (group_id) DO UPDATE SET ceiling = excluded.ceiling`),
    countPosts: db.prepare('UPDATE groups SET posts = posts + ?, active_at = ? WHERE group_key = ?'),
    putMember: db.prepare(`
      INSERT INTO members (group_key, user_key, role, joined_seq, joined_at, posts_before)
      VALUES (?, ?, ?, ?, ?, (SELECT posts FROM groups WHERE group_key = ?))
      ON CONFLICT (group_key, user_key) DO UPDATE SET role = excluded.role`),
    dropMember: db.prepare('DELETE FROM members WHERE group_key = ? AND user_key = ?'),
    countOwn: db.prepare('UPDATE members SET own_posts = own_posts + ? WHERE group_key = ? AND user_key = ?'),
    countMentions: db.prepare(
      'UPDATE members SET mentions = mentions + ? WHERE group_key = ? AND user_key = ?',
    ),
    addMessage: db.prepare(`
      INSERT INTO messages (group_key, seq, sender_key, type, content, created_at, temp_id, reply_seq, file_id, mentions)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    addEvent: db.prepare('INSERT INTO events (group_key, seq, code, at, frame) VALUES (?, ?, ?, ?, ?)'),
  }
}
