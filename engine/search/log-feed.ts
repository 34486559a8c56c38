/**
 * Log feed: reads from the log for search: which groups have new entries, what changed in them, and
 * who is a member. The log itself is the list of changes: entries above a group's mark are new
 * messages, or events whose `target_seq` names a message to index again. Every read is short.
 */
import type { Database, Statement } from 'better-sqlite3'
import { events } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import { type MessageRow, messageColumns, toMessage } from '../storage/sqlite/message-rows.ts'
import type { Document } from './search-index.ts'

/** A group and the newest sequence number of its log. */
export interface GroupHead {
  readonly group: number
  readonly groupId: string
  readonly lastSeq: number
}

/** Some of the changes in a group. Once they are applied, the index is current up to `upTo`. */
export interface Changes {
  readonly documents: readonly Document[]
  readonly upTo: number
}

export class LogFeed {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  #inSnapshot = false

  /** `db` is a separate connection for reading. `close` closes it. */
  constructor(db: Database) {
    this.#db = db
    this.#sql = prepare(db)
  }

  /** The next `limit` groups by key. */
  groupsAfter(key: number, limit: number): readonly GroupHead[] {
    return this.#sql.groupsAfter.all(key, limit)
  }

  group(groupId: string): GroupHead | undefined {
    return this.#sql.group.get(groupId)
  }

  /** Changes above `after`: at most `limit` new messages, and at most `limit` changed ones. */
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
        // A message above the mark was read in its current state already.
        const row = target <= after ? this.#sql.post.get(group, target) : undefined
        if (row) documents.push(toDocument(group, row))
      }
      return { documents, upTo }
    })
  }

  /** Keys of the user's groups, at most `limit` of them. */
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
   * All reads within `read` see the same state. It is also faster: after a commit in between, SQLite
   * would read the pages of the file again.
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

/** The text by which a message is found: its content and file name. Empty once it is deleted or recalled. */
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
  readonly removed: 0 | 1
}

function toDocument(group: number, row: DocumentRow): Document {
  const { seq, sender, createdAt, content, fileName, removed } = row
  const text = removed ? '' : fileName === null ? content : `${content}\n${fileName}`
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
    f.name AS fileName, m.deleted_at IS NOT NULL OR m.recalled_at IS NOT NULL AS removed
    FROM messages m LEFT JOIN files f ON f.file_id = m.file_id`
  const { message_edited, message_deleted, message_recalled } = events
  const groupHead = `SELECT group_key AS "group", group_id AS groupId, ${lastSeq('g.group_key')} AS lastSeq FROM groups g`
  return {
    begin: db.prepare('BEGIN'),
    end: db.prepare('COMMIT'),
    groupsAfter: all<[number, number], GroupHead>(
      `${groupHead} WHERE g.group_key > ? ORDER BY g.group_key LIMIT ? + 0`,
    ),
    group: all<[string], GroupHead>(`${groupHead} WHERE g.group_id = ?`),
    lastSeq: number<[{ group: number }]>(`SELECT ${lastSeq('$group')}`),
    fresh: all<[number, number, number], DocumentRow>(
      `${document} WHERE m.group_key = ? AND m.seq > ? ORDER BY m.seq LIMIT ? + 0`,
    ),
    touched: db
      .prepare(`
        SELECT seq, target_seq FROM events
        WHERE group_key = ? AND seq > ? AND seq <= ? AND target_seq IS NOT NULL
          AND code IN (${message_edited.code}, ${message_deleted.code}, ${message_recalled.code})
        ORDER BY seq LIMIT ? + 0`)
      .raw() as unknown as Statement<[number, number, number, number], [seq: number, target: number]>,
    post: all<[number, number], DocumentRow>(`${document} WHERE m.group_key = ? AND m.seq = ?`),
    groupsOf: number<[userId: string, limit: number]>(`
      SELECT m.group_key FROM users u JOIN members m ON m.user_key = u.user_key WHERE u.user_id = ? LIMIT ? + 0`),
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
