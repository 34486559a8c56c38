/**
 * Log feed: what search reads of the log: which groups have news, what changed in them, who is
 * where. The log is its own list of changes: above a group's mark stand the posts that are new, and
 * the events whose `target_seq` says which post to look at again. Every read is short.
 */
import type { Database, Statement } from 'better-sqlite3'
import { events } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import { type MessageRow, messageColumns, toMessage } from '../storage/sqlite/message-rows.ts'
import type { Document } from './search-index.ts'

/** The newest number of a group's log. */
export interface GroupNews {
  readonly group: number
  readonly groupId: string
  readonly lastSeq: number
}

/** A piece of what changed in a group: with it the index stands at `upTo`. */
export interface Changes {
  readonly documents: readonly Document[]
  readonly upTo: number
}

export class LogFeed {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  #inSnapshot = false

  /** `db` is a connection of its own, to read with; it is closed with this. */
  constructor(db: Database) {
    this.#db = db
    this.#sql = prepare(db)
  }

  /** The next `limit` groups by key. */
  groupsAfter(key: number, limit: number): readonly GroupNews[] {
    return this.#sql.groupsAfter.all(key, limit)
  }

  group(groupId: string): GroupNews | undefined {
    return this.#sql.group.get(groupId)
  }

  /** What changed above `after`, `limit` posts of each kind at most. */
  changes(group: number, after: number, limit: number): Changes {
    return this.snapshot(() => {
      const fresh = this.#sql.fresh.all(group, after, limit)
      const full = fresh.length === limit
      const lastSeq = this.#sql.lastSeq.get({ group }) ?? after
      let upTo = full ? (fresh.at(-1) as DocumentRow).seq : Math.max(lastSeq, after)
      const touched = this.#sql.touched.all(group, after, upTo, limit)
      if (touched.length === limit) upTo = (touched.at(-1) as [number, number])[0]
      const documents = fresh.filter(({ seq }) => seq <= upTo).map((row) => toDocument(group, row))
      for (const target of new Set(touched.map(([, target]) => target))) {
        // What is above the mark came as it is now.
        const row = target <= after ? this.#sql.post.get(group, target) : undefined
        if (row) documents.push(toDocument(group, row))
      }
      return { documents, upTo }
    })
  }

  /** Keys of the groups that a user is in, or of some of them. */
  groupsOf(userId: string, limit = -1): readonly number[] {
    return this.#sql.groupsOf.all(userId, limit)
  }

  isMember(group: number, userId: string): boolean {
    return this.#sql.isMember.get(userId, group) !== undefined
  }

  userKey(userId: string): number | undefined {
    return this.#sql.userKey.get(userId)
  }

  groupKey(groupId: string): number | undefined {
    return this.#sql.groupKey.get(groupId)
  }

  /** The id of a group by its key. */
  groupId(group: number): string | undefined {
    return this.#sql.groupId.get(group)
  }

  message(group: number, seq: number): Message | null {
    const row = this.#sql.message.get(group, seq)
    return row ? toMessage(row.group_id, row) : null
  }

  /**
   * All that `read` reads is of the same moment. Many reads are better in one: with each commit in
   * between SQLite would read the pages of the file anew.
   */
  snapshot<T>(read: () => T): T {
    if (this.#inSnapshot) return read()
    this.#sql.begin.run()
    this.#inSnapshot = true
    try {
      return read()
    } finally {
      this.#inSnapshot = false
      this.#sql.end.run()
    }
  }

  close(): void {
    this.#db.close()
  }
}

/** What a message is found by: what it says, and the name of its file; nothing once it is gone. */
export function searchableText(message: Message): string {
  if (message.deletedAt !== undefined || message.recalledAt !== undefined) return ''
  return message.file ? `${message.content}\n${message.file.fileName}` : message.content
}

interface DocumentRow {
  readonly seq: number
  readonly sender: number
  readonly createdAt: number
  readonly content: string
  readonly fileName: string | null
  readonly gone: 0 | 1
}

function toDocument(group: number, row: DocumentRow): Document {
  const { seq, sender, createdAt, content, fileName, gone } = row
  const text = gone ? '' : fileName === null ? content : `${content}\n${fileName}`
  return { group, seq, sender, createdAt, text }
}

function prepare(db: Database) {
  const number = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as Statement<Args, number>
  const all = <Args extends unknown[], Row>(sql: string) => db.prepare(sql) as unknown as Statement<Args, Row>
  const lastSeq = (group: string) => `max(
    ifnull((SELECT max(seq) FROM messages m WHERE m.group_key = ${group}), 0),
    ifnull((SELECT max(seq) FROM events e WHERE e.group_key = ${group}), 0))`
  const document = `SELECT m.seq, m.sender_key AS sender, m.created_at AS createdAt, m.content,
    f.name AS fileName, m.deleted_at IS NOT NULL OR m.recalled_at IS NOT NULL AS gone
    FROM messages m LEFT JOIN files f ON f.file_id = m.file_id`
  const { message_edited, message_deleted, message_recalled } = events
  const news = `SELECT group_key AS "group", group_id AS groupId, ${lastSeq('g.group_key')} AS lastSeq FROM groups g`
  return {
    begin: db.prepare('BEGIN'),
    end: db.prepare('COMMIT'),
    groupsAfter: all<[number, number], GroupNews>(
      `${news} WHERE g.group_key > ? ORDER BY g.group_key LIMIT ?`,
    ),
    group: all<[string], GroupNews>(`${news} WHERE g.group_id = ?`),
    lastSeq: number<[{ group: number }]>(`SELECT ${lastSeq('$group')}`),
    fresh: all<[number, number, number], DocumentRow>(
      `${document} WHERE m.group_key = ? AND m.seq > ? ORDER BY m.seq LIMIT ?`,
    ),
    touched: db
      .prepare(`
        SELECT seq, target_seq FROM events
        WHERE group_key = ? AND seq > ? AND seq <= ? AND target_seq IS NOT NULL
          AND code IN (${message_edited.code}, ${message_deleted.code}, ${message_recalled.code})
        ORDER BY seq LIMIT ?`)
      .raw() as unknown as Statement<[number, number, number, number], [seq: number, target: number]>,
    post: all<[number, number], DocumentRow>(`${document} WHERE m.group_key = ? AND m.seq = ?`),
    groupsOf: number<[userId: string, limit: number]>(`
      SELECT m.group_key FROM users u JOIN members m ON m.user_key = u.user_key WHERE u.user_id = ? LIMIT ?`),
    isMember: number<[userId: string, group: number]>(`
      SELECT 1 FROM users u JOIN members m ON m.user_key = u.user_key WHERE u.user_id = ? AND m.group_key = ?`),
    userKey: number<[string]>('SELECT user_key FROM users WHERE user_id = ?'),
    groupKey: number<[string]>('SELECT group_key FROM groups WHERE group_id = ?'),
    groupId: db.prepare('SELECT group_id FROM groups WHERE group_key = ?').pluck() as unknown as Statement<
      [number],
      string
    >,
    message: all<[number, number], MessageRow & { readonly group_id: string }>(`
      SELECT g.group_id, ${messageColumns} JOIN groups g ON g.group_key = m.group_key
      WHERE m.group_key = ? AND m.seq = ?`),
  }
}
