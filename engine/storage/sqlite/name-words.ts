/**
 * Name words: the index for finding users by name, with one row for each word of a name.
 *
 * The writer updates it together with the names. If a name is missing, the id is used. Rows that an older
 * version did not write are added once, when the file is opened.
 */
import type { Database, Statement } from 'better-sqlite3'
import { tokenize } from '../../text/tokens.ts'

/** Limit of words per name. */
const MAX_WORDS = 16
/** Names that one transaction adds. */
const COMPLETED_AT_ONCE = 1_000

type NameRow = [userKey: number, name: string, wordsOf: string | null]

/** The words by which a name is found. */
export function wordsOf(name: string): readonly string[] {
  return [...new Set(tokenize(name).map(({ text }) => text))].slice(0, MAX_WORDS)
}

/** Used by the writer, inside its transactions. */
export class NameWords {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  /** Replaces the words of a user by those of their name, or of their id if they have no name. */
  put(userId: string): void {
    const row = this.#sql.name.get(userId)
    if (row) this.#replace(row)
  }

  /** Adds missing rows; returns false if nothing is left to do. */
  complete(): boolean {
    const rows = this.#sql.missing.all(COMPLETED_AT_ONCE)
    for (const row of rows) this.#replace(row)
    return rows.length > 0
  }

  #replace([user, name, before]: NameRow): void {
    if (name === before) return
    const { add, drop, mark } = this.#sql
    if (before !== null) for (const word of wordsOf(before)) drop.run(word, user)
    for (const word of wordsOf(name)) add.run(word, user)
    mark.run(name, user)
  }
}

/** Adds all rows that an older version did not write. */
export function completeNameWords(db: Database): void {
  const words = new NameWords(db)
  const step = db.transaction(() => words.complete())
  while (step.immediate()) {
    // Continue with the next thousand.
  }
}

function prepare(db: Database) {
  const name = "iif(name = '', user_id, name)"
  const raw = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).raw() as unknown as Statement<Args, NameRow>
  return {
    name: raw<[string]>(`SELECT user_key, ${name}, words_of FROM users WHERE user_id = ?`),
    missing: raw<[number]>(
      `SELECT user_key, ${name}, words_of FROM users WHERE words_of IS NULL LIMIT ? + 0`,
    ),
    add: db.prepare('INSERT INTO name_words (word, user_key) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    drop: db.prepare('DELETE FROM name_words WHERE word = ? AND user_key = ?'),
    mark: db.prepare('UPDATE users SET words_of = ? WHERE user_key = ?'),
  }
}
