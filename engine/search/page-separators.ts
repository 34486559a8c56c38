/**
 * Page separators: what FTS5 stores of a removed word outside the pages of words (PRV-3).
 *
 * The table `words_idx` holds, for each page of a segment, a beginning of the first word that the page
 * had when it was written: long enough to differ from the word before it, so with numbered words often
 * the whole word. `secure-delete` removes a word from its page only. After a removal, a separator that
 * no remaining word begins with is replaced by the next remaining word. That word is above the last
 * word of the page before, as the old separator was, and at most the first word of the page itself: all
 * that FTS5 asks of a separator (https://sqlite.org/src/file/ext/fts5/fts5_index.c, "Segment b-tree
 * index"; the `integrity-check` command of FTS5 checks it).
 */
import type { Database, Statement } from 'better-sqlite3'

/** The first byte of a separator: the index of whole words, and those of beginnings of 1 and 2 characters. */
const MAIN = 0x30
const PREFIX_LENGTHS = [1, 2] as const

/** Above all words: these are UTF-8, which has no such byte. */
const ABOVE_ALL = Buffer.from([0xff])

export class PageSeparators {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  /** Words of documents that were removed in this transaction. Bounded as transactions are. */
  readonly #removed = new Set<string>()

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepare(db)
  }

  /** A document with these words, separated by spaces, is about to be removed or replaced. */
  removing(words: string): void {
    for (const word of words.split(' ')) this.#removed.add(word)
  }

  /** Replaces what is left of removed words, before the transaction ends. */
  erase(): void {
    if (this.#removed.size === 0) return
    // FTS5 writes what the transaction changed.
    this.#sql.flush.run()
    const keys = this.#keys()
    const done = new Set<string>()
    for (const segment of this.#sql.segments.all()) {
      for (const key of keys) this.#eraseBeginnings(segment, key, done)
    }
    this.#removed.clear()
  }

  /** The transaction is rolled back. */
  forget(): void {
    this.#removed.clear()
  }

  /** The removed words as the indexes hold them. */
  #keys(): readonly Buffer[] {
    const keys = new Map<string, Buffer>()
    for (const word of this.#removed) {
      for (let index = MAIN; index <= MAIN + PREFIX_LENGTHS.length; index++) {
        const key = cut(Buffer.from(`${String.fromCharCode(index)}${word}`))
        keys.set(key.toString('latin1'), key)
      }
    }
    return [...keys.values()]
  }

  /** Replaces the separators that are beginnings of a removed word, the longest first. */
  #eraseBeginnings(segment: number, word: Buffer, done: Set<string>): void {
    for (let upTo = word; upTo.length > 1; ) {
      const separator = this.#sql.lastUpTo.get(segment, upTo)
      // The first page of a segment has an empty one.
      if (separator === undefined || separator.length === 0) return
      const common = commonLength(separator, word)
      if (common === separator.length) this.#erase(segment, separator, done)
      // Separators before it begin a word above it only if they begin both.
      upTo = word.subarray(0, Math.min(common, separator.length - 1))
    }
  }

  #erase(segment: number, separator: Buffer, done: Set<string>): void {
    if (done.has(separator.toString('latin1', 1))) return
    const beginning = separator.subarray(1)
    const next = this.#sql.next.get(beginning)
    if (next?.subarray(0, beginning.length).equals(beginning)) {
      done.add(beginning.toString('latin1'))
      return
    }
    this.#replace(segment, separator, cut(Buffer.concat([separator.subarray(0, 1), next ?? ABOVE_ALL])))
  }

  /** SQLite protects the tables of FTS5 from changes, except in this mode. */
  #replace(segment: number, separator: Buffer, replacement: Buffer): void {
    this.#db.unsafeMode(true)
    try {
      const { changes } = this.#db
        .prepare('UPDATE OR IGNORE words_idx SET term = ? WHERE segid = ? AND term = ?')
        .run(replacement, segment, separator)
      // A page that begins where another one does has no words left.
      if (changes > 0) return
      this.#db.prepare('DELETE FROM words_idx WHERE segid = ? AND term = ?').run(segment, separator)
    } finally {
      this.#db.unsafeMode(false)
    }
  }
}

/** As much of a word, behind the byte of its index, as that index holds. */
function cut(key: Buffer): Buffer {
  const length = PREFIX_LENGTHS[(key[0] as number) - MAIN - 1]
  if (length === undefined) return key
  let end = 1
  for (let characters = 0; end < key.length; end++) {
    // A character's first byte.
    if (((key[end] as number) & 0xc0) !== 0x80 && ++characters > length) break
  }
  return key.subarray(0, end)
}

/** How many bytes two keys begin with alike. */
function commonLength(a: Buffer, b: Buffer): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

function prepare(db: Database) {
  db.exec("CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_places USING fts5vocab('main', 'words', 'instance')")
  const pluck = <Args extends unknown[], Value>(sql: string) =>
    db.prepare(sql).pluck() as unknown as Statement<Args, Value>
  return {
    flush: db.prepare("INSERT INTO words (words) VALUES ('flush')"),
    segments: pluck<[], number>(`
      WITH RECURSIVE segments (id) AS (
        SELECT min(segid) FROM words_idx
        UNION ALL
        SELECT (SELECT min(segid) FROM words_idx WHERE segid > id) FROM segments WHERE id IS NOT NULL)
      SELECT id FROM segments WHERE id IS NOT NULL`),
    lastUpTo: pluck<[segment: number, key: Buffer], Buffer>(
      'SELECT term FROM words_idx WHERE segid = ? AND term <= ? ORDER BY term DESC LIMIT 1',
    ),
    next: pluck<[from: Buffer], Buffer>(
      'SELECT CAST(term AS BLOB) FROM temp.word_places WHERE term >= CAST(? AS TEXT) LIMIT 1',
    ),
  }
}
