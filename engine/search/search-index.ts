/**
 * Search index: `search.db`, which finds messages by their tokens.
 *
 * It holds nothing that the log does not: whoever deletes the file loses only the time to build it
 * again, and a file that is damaged or of another version is thrown away at the start. A document's
 * number begins with the time of its message, so that FTS5 gives hits newest first, and times are
 * ranges of numbers. Two more tokens of a document say whose and in which group it is; U+E000
 * stands before them, which no text's tokens hold.
 */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type * as Sqlite from 'better-sqlite3'
import { Database } from '../storage/sqlite/driver.ts'
import { Wal } from '../storage/sqlite/wal.ts'
import { StorageError } from '../storage/storage-error.ts'
import { type Term, toMatch } from './query.ts'
import { tokenize } from './tokens.ts'

/** A message as the index takes it; without text it is not found any more. */
export interface Document {
  readonly group: number
  readonly seq: number
  readonly sender: number
  readonly createdAt: number
  readonly text: string
}

/** What is searched for. */
export interface Search {
  readonly terms: readonly Term[]
  /** Key of the only sender. */
  readonly sender?: number | undefined
  /** Times, exclusive. */
  readonly before?: number | undefined
  readonly after?: number | undefined
  /** Only documents of lower numbers: to go on with a search. */
  readonly below?: number | undefined
}

/** What may be found: the document's number, and the message by its group's key and its seq. */
export type Proposal = readonly [document: number, group: number, seq: number]

/** How far a group is indexed. */
export interface Mark {
  readonly group: number
  readonly groupId: string
  readonly seq: number
}

/** Up to so many groups are cheaper to look up in the index than to look for among the hits. */
export const MAX_GROUP_TOKENS = 64
/** Documents of one millisecond. A time times this is a safe integer until 2109. */
const SLOTS = 2_048
/** Of tables and of how texts are cut: another number builds the index anew. */
const VERSION = 3
const FILE = 'search.db'

/** Above this size the WAL is emptied after a commit. */
const MAX_WAL_BYTES = 32 * 1024 * 1024
/** What it costs to replace or take out a document, when putting one in costs 1. */
const REPLACING_COSTS = 16

export class SearchIndex {
  readonly #db: Sqlite.Database
  readonly #wal: Wal
  readonly #sql: ReturnType<typeof prepare>
  #documents: number
  #committed: number
  /** Something was replaced or taken out since the WAL was emptied, or may have been before the start. */
  #erased = true

  private constructor(db: Sqlite.Database) {
    this.#db = db
    this.#wal = new Wal(db)
    this.#sql = prepare(db)
    this.#documents = this.#sql.count.get() as number
    this.#committed = this.#documents
  }

  /** Opens the index of a data directory, or begins it. @throws StorageError */
  static open(dataDir: string): SearchIndex {
    try {
      return SearchIndex.#open(dataDir)
    } catch {
      // Damaged, or made by another version.
    }
    try {
      SearchIndex.remove(dataDir)
      return SearchIndex.#open(dataDir)
    } catch (error) {
      throw new StorageError(`${FILE} in ${dataDir} cannot be used: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  /** Deletes the file; the next `open` begins it anew. */
  static remove(dataDir: string): void {
    for (const suffix of ['', '-wal', '-shm', '-journal']) {
      rmSync(join(dataDir, `${FILE}${suffix}`), { force: true })
    }
  }

  static #open(dataDir: string): SearchIndex {
    const db = new Database(join(dataDir, FILE), { timeout: 0 })
    try {
      db.pragma('journal_mode = WAL')
      // What a power loss takes is indexed again: the marks go with it.
      db.pragma('synchronous = NORMAL')
      db.pragma('cache_size = -32768')
      db.pragma('temp_store = MEMORY')
      db.pragma('journal_size_limit = 16777216')
      // Words of deleted messages are overwritten, in the WAL too. // PRV-3
      db.pragma('secure_delete = ON')
      db.pragma('wal_autocheckpoint = 0')
      const version = db.pragma('user_version', { simple: true })
      if (version === 0) db.transaction(() => create(db)).immediate()
      else if (version !== VERSION) throw new Error(`an index of version ${version}`)
      const index = new SearchIndex(db)
      index.tidy()
      return index
    } catch (error) {
      db.close()
      throw error
    }
  }

  /** False once it is closed. */
  get open(): boolean {
    return this.#db.open
  }

  /** How many documents there are. */
  get documents(): number {
    return this.#documents
  }

  mark(group: number): Mark | undefined {
    return this.#sql.mark.get(group)
  }

  /**
   * Puts in, replaces and takes out documents from `first` on, in the transaction that `commit` ends,
   * until `budget` is spent: putting one in costs 1. Returns the index of the next. Ascending by
   * time they are cheapest: FTS5 gathers a transaction's words as long as numbers ascend.
   */
  put(documents: readonly Document[], first = 0, budget = Number.POSITIVE_INFINITY): number {
    if (!this.#db.inTransaction) this.#sql.begin.run()
    let next = first
    let left = budget
    for (; next < documents.length && left > 0; next++) left -= this.#put(documents[next] as Document)
    return next
  }

  /** Keeps what was put, and how far the groups are indexed with it, as one step. */
  commit(marks: readonly Mark[]): void {
    if (!this.#db.inTransaction) this.#sql.begin.run()
    for (const { group, groupId, seq } of marks) this.#sql.putMark.run(group, groupId, seq)
    this.#sql.commit.run()
    this.#committed = this.#documents
    if ((statSync(`${this.#db.name}-wal`, { throwIfNoEntry: false })?.size ?? 0) > MAX_WAL_BYTES) this.tidy()
  }

  /** Empties the WAL: what was taken out is in no file afterwards. False within a transaction. // PRV-3 */
  tidy(): boolean {
    if (this.#db.inTransaction || !this.#wal.empty(this.#erased)) return false
    this.#erased = false
    return true
  }

  /** Forgets what was put since the last `commit`. */
  rollback(): void {
    if (this.#db.inTransaction) this.#sql.rollback.run()
    this.#documents = this.#committed
  }

  /**
   * What may be found, newest first, in these groups, or in all with null; whoever asked looks at
   * each and stops when it has enough.
   */
  search(
    { terms, sender, before, after, below }: Search,
    groups: readonly number[] | null,
  ): IterableIterator<Proposal> {
    let match = toMatch(terms)
    if (sender !== undefined) match += ` AND "${senderToken(sender)}"`
    const from = after === undefined ? 0 : numbersAbove(after)
    const to = Math.min(below ?? Number.MAX_SAFE_INTEGER, Math.min(before ?? MAX_TIME, MAX_TIME) * SLOTS)
    if (groups === null) return this.#sql.search.iterate(match, from, to)
    if (groups.length > MAX_GROUP_TOKENS) {
      return this.#sql.searchAmong.iterate(match, from, to, JSON.stringify(groups))
    }
    const among = groups.map((group) => `"${groupToken(group)}"`).join(' OR ')
    return this.#sql.search.iterate(`(${among}) AND ${match}`, from, to)
  }

  close(): void {
    try {
      this.rollback()
      this.tidy()
    } catch {
      // Damaged, or no room: the next start goes on with it.
    } finally {
      this.#db.close()
      this.#wal.close()
    }
  }

  /** Returns what it cost. */
  #put({ group, seq, sender, createdAt, text }: Document): number {
    const tokens = text === '' ? [] : tokenize(text)
    const known = this.#sql.document.get(group, seq)
    // FTS5 takes the words to take out from `documents`: first they go from the index.
    if (known !== undefined) {
      this.#erased = true
      this.#sql.dropWords.run(known)
    }
    if (tokens.length === 0) {
      if (known === undefined) return 1
      this.#sql.dropDocument.run(known)
      this.#documents -= 1
      return REPLACING_COSTS
    }
    const document = known ?? this.#freeNumber(createdAt)
    const words = `${tokens.map((token) => token.text).join(' ')} ${groupToken(group)} ${senderToken(sender)}`
    if (known === undefined) {
      this.#sql.addDocument.run(document, group, seq, words)
      this.#documents += 1
    } else this.#sql.changeDocument.run(words, document)
    this.#sql.addWords.run(document, words)
    return known === undefined ? 1 : REPLACING_COSTS
  }

  /** The next number of the millisecond, or after it where it is full. */
  #freeNumber(createdAt: number): number {
    const first = Math.min(createdAt, MAX_TIME) * SLOTS
    const last = this.#sql.lastNumber.get(first, first + SLOTS) ?? null
    if (last === null) return first
    return last + 1 < first + SLOTS ? last + 1 : this.#freeNumber(createdAt + 1)
  }
}

/** The millisecond that a document's number begins with: of its message, or the next one with room. */
export function msOf(document: number): number {
  return Math.floor(document / SLOTS)
}

/** The number above all documents of a millisecond. */
export function numbersAbove(ms: number): number {
  return (Math.min(ms, MAX_TIME) + 1) * SLOTS
}

/** The last millisecond that numbers reach. */
const MAX_TIME = Math.floor(Number.MAX_SAFE_INTEGER / SLOTS) - 1

function groupToken(group: number): string {
  return `\ue000g${group}`
}

function senderToken(sender: number): string {
  return `\ue000s${sender}`
}

function create(db: Sqlite.Database): void {
  // `ascii` splits at spaces here: everything above 127 belongs to a token, and texts come folded.
  // Indexes of beginnings of one and two characters make those cheap, which match the most words.
  // To take words out of the index at once, and not only mark their document as deleted, FTS5 has to
  // know them: so `documents` holds them (https://sqlite.org/fts5.html#the_secure_delete_configuration_option).
  db.exec(`
    CREATE TABLE documents (
      document  INTEGER PRIMARY KEY,
      group_key INTEGER NOT NULL,
      seq       INTEGER NOT NULL,
      text      TEXT NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5
      (text, content='documents', content_rowid='document', columnsize=0, tokenize='ascii', prefix='1 2');
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
    CREATE UNIQUE INDEX documents_by_message ON documents (group_key, seq);
    CREATE TABLE marks (
      group_key INTEGER PRIMARY KEY,
      group_id  TEXT NOT NULL,
      seq       INTEGER NOT NULL
    ) STRICT;
    PRAGMA user_version = ${VERSION};`)
}

function prepare(db: Sqlite.Database) {
  const number = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as Sqlite.Statement<Args, number>
  const hits = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).raw() as unknown as Sqlite.Statement<Args, Proposal>
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    count: number<[]>('SELECT count(*) FROM documents'),
    mark: db.prepare(
      'SELECT group_key AS "group", group_id AS groupId, seq FROM marks WHERE group_key = ?',
    ) as unknown as Sqlite.Statement<[number], Mark>,
    putMark: db.prepare(`
      INSERT INTO marks (group_key, group_id, seq) VALUES (?, ?, ?)
      ON CONFLICT (group_key) DO UPDATE SET seq = excluded.seq`),
    document: number<[number, number]>('SELECT document FROM documents WHERE group_key = ? AND seq = ?'),
    lastNumber: number<[number, number]>(
      'SELECT max(document) FROM documents WHERE document >= ? AND document < ?',
    ),
    addDocument: db.prepare('INSERT INTO documents (document, group_key, seq, text) VALUES (?, ?, ?, ?)'),
    changeDocument: db.prepare('UPDATE documents SET text = ? WHERE document = ?'),
    dropDocument: db.prepare('DELETE FROM documents WHERE document = ?'),
    addWords: db.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)'),
    dropWords: db.prepare('DELETE FROM words WHERE rowid = ?'),
    search: hits<[match: string, from: number, to: number]>(`
      SELECT d.document, d.group_key, d.seq FROM words w CROSS JOIN documents d ON d.document = w.rowid
      WHERE w.words MATCH ? AND w.rowid >= ? AND w.rowid < ? ORDER BY w.rowid DESC`),
    searchAmong: hits<[match: string, from: number, to: number, groups: string]>(`
      SELECT d.document, d.group_key, d.seq FROM words w CROSS JOIN documents d ON d.document = w.rowid
      WHERE w.words MATCH ? AND w.rowid >= ? AND w.rowid < ?
        AND d.group_key IN (SELECT value FROM json_each(?))
      ORDER BY w.rowid DESC`),
  }
}
