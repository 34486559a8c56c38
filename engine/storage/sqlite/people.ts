/**
 * People: searches the users that a user may see, which are those who share a group with the user.
 *
 * The status in the results is the stored one; the user's actor replaces it by the current presence. A
 * search reads the members of the caller's groups if they are few. Otherwise, it reads at most `MAX_STEPS`
 * rows of the index of name words. A cursor continues from there (INP-2).
 */
import type { Database, Statement } from 'better-sqlite3'
import type { User } from '../../../protocol/records.ts'
import { fitRows, isTooMuch, mapped, wireBytes } from '../../base/fit-rows.ts'
import type { ReadQuery, Reads } from '../../stored/reads.ts'
import type { NamePlace, UsersPage } from '../../stored/stored-user.ts'
import { tokenize } from '../../text/tokens.ts'
import { wordsOf } from './name-words.ts'
import { keysOf, nextCursor, remainingAfter } from './ranked-groups.ts'
import type { RankedRow } from './read-statements.ts'

/** If all of the caller's groups have at most this number of members, they are checked one by one. */
const MAX_FELLOWS = 1_000
/** Rows that one search reads in the index and to find a shared group. */
const MAX_STEPS = 2_000

interface UserRow {
  readonly user_key: number
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

  /**
   * The users whose names have words that begin with all words of the query, in the order of the first such
   * word. A user with exactly that id comes first. A page may be short or empty and still have a next one.
   */
  search({ userId, query, limit, cursor }: ReadQuery<'users'>): UsersPage {
    const caller = this.#sql.userKey.get(userId)
    const groups = new Set(caller === undefined ? [] : this.#sql.groupsOf.all(caller))
    const wanted = tokenize(query).map(({ text }) => text)
    const exactId = query.trim()
    const users: User[] = []
    const keys: string[] = []
    let bytes = 0
    const add = (user: User, word: string) => {
      users.push(user)
      keys.push(word)
      bytes += wireBytes(user)
    }
    const exact = cursor === undefined && exactId !== userId ? this.#sql.byId.get(exactId) : undefined
    if (exact && this.#isIn(exact.user_key, groups, MAX_STEPS) > 0) add(toUser(exact), '')
    const lead = wanted.reduce((longest, word) => (word.length > longest.length ? word : longest), '')
    if (caller === undefined || lead === '') return { users, keys }
    let steps = 0
    let next: NamePlace = cursor ?? [lead, 0]
    for (const place of this.#places(caller, groups, lead, cursor)) {
      if (users.length === limit || steps > MAX_STEPS) return { users, keys, next }
      const before = next
      next = place
      const [word, key] = place
      steps += 1
      if (key === caller) continue
      const row = this.#sql.byKey.get(key) as UserRow
      if (row.user_id === exactId || !fits(row.name || row.user_id, wanted, lead, word)) continue
      const looked = this.#isIn(key, groups, MAX_STEPS - steps)
      steps += Math.abs(looked)
      if (looked <= 0) continue
      const user = toUser(row)
      if (isTooMuch(bytes, user)) return { users, keys, next: before } // SLW-1
      add(user, word)
    }
    return steps > MAX_STEPS ? { users, keys, next } : { users, keys }
  }

  /** The places after the cursor whose word begins with `lead`: of a few fellow members, or of all users. */
  *#places(
    caller: number,
    groups: ReadonlySet<number>,
    lead: string,
    cursor: NamePlace | undefined,
  ): Generator<NamePlace> {
    const [word, key] = cursor ?? [lead, 0]
    const end = `${lead}\u{10ffff}`
    if ((this.#sql.fellows.get(caller) ?? 0) > MAX_FELLOWS) {
      yield* this.#sql.words.iterate(word, key, end, 2 * MAX_STEPS)
      return
    }
    const keys = new Set([...groups].flatMap((group) => this.#sql.membersOf.all(group)))
    const places = [...keys].flatMap((user) => this.#firstPlace(user, lead))
    places.sort(compare)
    for (const place of places) if (compare(place, [word, key]) > 0) yield place
  }

  #firstPlace(user: number, lead: string): NamePlace[] {
    const row = this.#sql.byKey.get(user) as UserRow
    const first = firstWord(row.name || row.user_id, lead)
    return first === undefined ? [] : [[first, user]]
  }

  /** The number of the user's groups that were checked to find one of `groups`; negative if none was found. */
  #isIn(user: number, groups: ReadonlySet<number>, maxSteps: number): number {
    let steps = 0
    for (const group of this.#sql.groupsOf.iterate(user)) {
      steps += 1
      if (groups.has(group)) return steps
      if (steps > maxSteps) break
    }
    return -steps
  }

  /** The other user of each direct chat, the most recently active first. A chat that moves in between is listed again. */
  contacts({ userId, cursor, limit }: ReadQuery<'contacts'>): Reads['contacts']['result'] {
    const ranked = this.#sql.directChats.all(userId)
    const remaining = remainingAfter(ranked, cursor)
    const other = ([key]: RankedRow): User => toUser(this.#sql.other.get(key, userId) as UserRow)
    const { rows: users } = fitRows(mapped(remaining, other), limit)
    return {
      users,
      keys: keysOf(remaining, users.length),
      next: nextCursor(ranked, remaining, users.length, cursor),
    }
  }
}

/** Whether each word of the query begins one of the name's words, and `word` is the first one that `lead` begins. */
function fits(name: string, wanted: readonly string[], lead: string, word: string): boolean {
  const words = wordsOf(name)
  if (firstOf(words, lead) !== word) return false
  return wanted.every((begin) => words.some((text) => text.startsWith(begin)))
}

function firstWord(name: string, lead: string): string | undefined {
  // Most names are plain, and most of those do not match: they need not be split into words.
  if (plain.test(name) && !name.toLowerCase().includes(lead)) return undefined
  return firstOf(wordsOf(name), lead)
}

/** Lists a user with two such words only once. */
function firstOf(words: readonly string[], lead: string): string | undefined {
  let first: string | undefined
  for (const word of words) {
    if (word.startsWith(lead) && (first === undefined || compareWords(word, first) < 0)) first = word
  }
  return first
}

const plain = /^[ -~]*$/

function compare([word, user]: NamePlace, [otherWord, other]: NamePlace): number {
  return compareWords(word, otherWord) || user - other
}

/** Compares like SQLite: by bytes. */
function compareWords(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
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
  const columns = 'u.user_key, u.user_id, u.name, u.picture, u.last_seen_at'
  const keys = (sql: string) => db.prepare(sql).pluck() as unknown as Statement<[string | number], number>
  const all = <Args extends unknown[]>(sql: string) => db.prepare(sql) as unknown as Statement<Args, UserRow>
  return {
    userKey: keys('SELECT user_key FROM users WHERE user_id = ?'),
    groupsOf: keys('SELECT group_key FROM members WHERE user_key = ?'),
    membersOf: keys('SELECT user_key FROM members WHERE group_key = ?'),
    byId: all<[string]>(`SELECT ${columns} FROM users u WHERE u.user_id = ?`),
    byKey: all<[number]>(`SELECT ${columns} FROM users u WHERE u.user_key = ?`),
    fellows: keys(`
      SELECT sum(g.member_count) FROM members m JOIN groups g ON g.group_key = m.group_key WHERE m.user_key = ?`),
    words: db
      .prepare(`
        SELECT word, user_key FROM name_words WHERE (word, user_key) > (?, ?) AND word < ?
        ORDER BY word, user_key LIMIT ? + 0`)
      .raw() as unknown as Statement<[string, number, string, number], NamePlace>,
    // Chats that the other user has left are not listed.
    directChats: db
      .prepare(`
        SELECT g.group_key, g.group_id, g.active_at
        FROM users caller
        JOIN members mine ON mine.user_key = caller.user_key
        JOIN groups g ON g.group_key = mine.group_key AND g.kind = 'direct' AND g.member_count > 1
        WHERE caller.user_id = ? ORDER BY g.active_at DESC, g.group_id`)
      .raw() as unknown as Statement<[userId: string], RankedRow>,
    other: all<[group: number, userId: string]>(`
      SELECT ${columns}
      FROM members m JOIN users u ON u.user_key = m.user_key WHERE m.group_key = ? AND u.user_id <> ? LIMIT 1`),
  }
}
