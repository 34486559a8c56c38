/**
 * People: the users that a user may know of, which are those with whom they share a group.
 *
 * Status is what the log knows: whoever shows it to others puts in who is online. The shared
 * groups are walked, so that a search costs what the caller's groups are large, not the whole.
 */
import type { Database, Statement } from 'better-sqlite3'
import type { User } from '../../../protocol/records.ts'
import { tokenize } from '../../search/tokens.ts'
import type { ReadQuery } from '../log.ts'

interface UserRow {
  readonly user_id: string
  readonly name: string
  readonly picture: string
  readonly last_seen_at: number | null
}

export class People {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  /** Those whose names have words that begin with the words asked for, and the one of that id first. */
  search({ userId, query, limit }: ReadQuery<'users'>): readonly User[] {
    const wanted = tokenize(query).map(({ text }) => text)
    const exactId = query.trim()
    const found: UserRow[] = []
    let exact: UserRow | null = null
    for (const row of this.#sql.shared.iterate(userId, userId)) {
      if (row.user_id === exactId) exact = row
      else if (wanted.length > 0 && fits(row.name || row.user_id, wanted)) found.push(row)
    }
    found.sort((a, b) => order(a, b))
    return (exact ? [exact, ...found] : found).slice(0, limit).map(toUser)
  }

  /** The other one of each direct chat, the latest talk first. */
  contacts({ userId, limit }: ReadQuery<'contacts'>): readonly User[] {
    return this.#sql.contacts.all(userId, limit).map(toUser)
  }
}

/** Every word that is wanted begins one of the name's. */
function fits(name: string, wanted: readonly string[]): boolean {
  // Most names are plain, and most of those do not fit: they need not be cut into words.
  if (plain.test(name) && !name.toLowerCase().includes(wanted[0] as string)) return false
  const words = tokenize(name)
  return wanted.every((begin) => words.some(({ text }) => text.startsWith(begin)))
}

const plain = /^[ -~]*$/

function order(a: UserRow, b: UserRow): number {
  const [left, right] = [a.name || a.user_id, b.name || b.user_id]
  return left < right ? -1 : left > right ? 1 : a.user_id < b.user_id ? -1 : 1
}

function toUser(row: UserRow): User {
  return {
    userId: row.user_id,
    name: row.name || row.user_id,
    status: 'offline',
    lastSeenAt: row.last_seen_at ?? undefined,
    picture: row.picture || undefined,
  }
}

function prepare(db: Database) {
  const all = <Args extends unknown[]>(sql: string) => db.prepare(sql) as unknown as Statement<Args, UserRow>
  return {
    shared: all<[userId: string, userId: string]>(`
      SELECT u.user_id, u.name, u.picture, u.last_seen_at FROM users u
      WHERE u.user_id <> ? AND u.user_key IN (
        SELECT other.user_key FROM users caller
        JOIN members mine ON mine.user_key = caller.user_key
        JOIN members other ON other.group_key = mine.group_key
        WHERE caller.user_id = ?)`),
    contacts: all<[userId: string, limit: number]>(`
      SELECT u.user_id, u.name, u.picture, u.last_seen_at,
        ifnull((SELECT p.created_at FROM messages p WHERE p.group_key = g.group_key ORDER BY p.seq DESC LIMIT 1),
          g.created_at) AS talked_at
      FROM users caller
      JOIN members mine ON mine.user_key = caller.user_key
      JOIN groups g ON g.group_key = mine.group_key AND g.kind = 'direct'
      JOIN members other ON other.group_key = g.group_key AND other.user_key <> caller.user_key
      JOIN users u ON u.user_key = other.user_key
      WHERE caller.user_id = ? ORDER BY talked_at DESC, g.group_key DESC LIMIT ?`),
  }
}
