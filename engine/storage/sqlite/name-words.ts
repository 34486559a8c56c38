/**
 * Name words: the index by which people are found, one row for each word of a name.
 *
 * Written with the names, by the one writer; where a name is missing the id stands for it. What an
 * older version has written is completed once, when the file is opened.
 */
import type { Database, Statement } from 'better-sqlite3'
import { tokenize } from '../../text/tokens.ts'

/** Words of a name that count. */
const MAX_WORDS = 16
/** Names completed in one transaction. */
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

  /** Makes the words of a user those of their name, or of their id where they have none. */
  put(userId: string): void {
    const row = this.#sql.name.get(userId)
    if (row) this.#replace(row)
  }

  /** Completes the index; false where there was nothing left to do. */
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

/** Completes the index of a file that an older version has written. */
export function completeNameWords(db: Database): void {
  const words = new NameWords(db)
  const step = db.transaction(() => words.complete())
  while (step.immediate()) {
    // The next thousand.
  }
}

function prepare(db: Database) {
  const name = "iif(name = '', user_id, name)"
  const raw = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).raw() as unknown as Statement<Args, NameRow>
  return {
    name: raw<[string]>(`SELECT user_key, ${name}, words_of FROM users WHERE user_id = ?`),
    missing: raw<[number]>(`SELECT user_key, ${name}, words_of FROM users WHERE words_of IS NULL LIMIT ?`),
    add: db.prepare('INSERT INTO name_words (word, user_key) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    drop: db.prepare('DELETE FROM name_words WHERE word = ? AND user_key = ?'),
    mark: db.prepare('UPDATE users SET words_of = ? WHERE user_key = ?'),
  }
}
