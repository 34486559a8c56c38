/**
 * Writer: turns log entries into rows, a transaction a batch.
 *
 * A post is one row and nothing else. The counters behind unread counts follow: a group's posts
 * above `counted_seq` are counted before its membership changes, when there are many of them, and
 * when all is quiet. What was not counted when a process died is still above `counted_seq`.
 */
import type { Database, Statement } from 'better-sqlite3'
import { parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import type { LogEntry } from '../log.ts'

/** Keys kept in memory, of groups and of users each; over it the cache starts anew. */
const MAX_CACHED_KEYS = 100_000
/** Posts of a group that readers count themselves; then the counters catch up. */
const MAX_UNCOUNTED = 256

export class Writer {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  readonly #applyAll: (entries: readonly LogEntry[]) => void
  readonly #groupKeys = new Map<string, number>()
  readonly #userKeys = new Map<string, number>()
  /** Groups with posts that are not counted yet, by key, and how many. */
  readonly #uncounted = new Map<number, number>()

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepare(db)
    this.#applyAll = db.transaction((entries: readonly LogEntry[]) => {
      for (const entry of entries) this.#apply(entry)
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
      throw error
    }
  }

  /** Brings all counters up to date, while there is nothing else to do. */
  settle(): void {
    this.#db
      .transaction(() => {
        for (const group of this.#uncounted.keys()) this.#count(group)
      })
      .immediate()
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
        )
        break
      }
      case 'member': {
        const { member } = entry
        const group = this.#groupKey(entry.groupId)
        this.#count(group)
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
      case 'member_left': {
        const group = this.#groupKey(entry.groupId)
        this.#count(group)
        sql.dropMember.run(group, this.#userKey(entry.userId))
        break
      }
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
    const uncounted = (this.#uncounted.get(group) ?? 0) + 1
    this.#uncounted.set(group, uncounted)
    if (uncounted >= MAX_UNCOUNTED) this.#count(group)
    if (this.#uncounted.size > MAX_CACHED_KEYS) for (const other of this.#uncounted.keys()) this.#count(other)
  }

  /** Counts a group's posts above `counted_seq`. Rolled back with the transaction it is part of. */
  #count(group: number): void {
    const sql = this.#sql
    this.#uncounted.delete(group)
    const since = sql.countedSeq.get(group) ?? 0
    const own = sql.newPosts.all(group, since)
    if (own.length === 0) return
    let posts = 0
    let upTo = since
    for (const [sender, count, newest] of own) {
      posts += count
      upTo = Math.max(upTo, newest)
      sql.countOwn.run(count, group, sender)
    }
    for (const [userId, count] of sql.newMentions.all(group, since)) {
      sql.countMentions.run(count, group, this.#userKey(userId))
    }
    sql.countPosts.run(posts, upTo, group)
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
  const raw = <Row>(sql: string) => db.prepare(sql).raw() as unknown as Statement<[number, number], Row>
  return {
    groupKey: pluck('SELECT group_key FROM groups WHERE group_id = ?'),
    userKey: pluck('SELECT user_key FROM users WHERE user_id = ?'),
    addUser: db.prepare('INSERT INTO users (user_id) VALUES (?)'),
    putUser: db.prepare(`
      INSERT INTO users (user_id, name, picture) VALUES (?, ?, ?)
      ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, picture = excluded.picture`),
    addGroup: db.prepare(`
      INSERT INTO groups (group_id, kind, visibility, created_by, created_at, name, topic, avatar_url)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    putLease: db.prepare(`
      INSERT INTO leases (group_id, ceiling) VALUES (?, ?)
      ON CONFLICT (group_id) DO UPDATE SET ceiling = excluded.ceiling`),
    countedSeq: pluck('SELECT counted_seq FROM groups WHERE group_key = ?'),
    newPosts: raw<[sender: number, count: number, newest: number]>(`
      SELECT sender_key, count(*), max(seq) FROM messages
      WHERE group_key = ? AND seq > ? GROUP BY sender_key`),
    newMentions: raw<[userId: string, count: number]>(`
      SELECT mentioned.value, count(*)
      FROM messages m JOIN json_each(m.mentions) AS mentioned JOIN users u ON u.user_key = m.sender_key
      WHERE m.group_key = ? AND m.seq > ? AND m.mentions IS NOT NULL AND mentioned.value <> u.user_id
      GROUP BY mentioned.value`),
    countPosts: db.prepare('UPDATE groups SET posts = posts + ?, counted_seq = ? WHERE group_key = ?'),
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
