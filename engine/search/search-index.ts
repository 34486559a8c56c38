/**
 * Search index: `search.db`, which finds messages by their tokens.
 *
 * It contains nothing that the log does not contain. If the file is deleted, it is rebuilt. A file
 * that is damaged or of another version is discarded at the start. Each document has two more tokens, for its group and its sender. They begin with
 * U+E000, which no token of a text contains.
 */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type * as Sqlite from 'better-sqlite3'
import { StorageError } from '../base/storage-error.ts'
import { Database } from '../storage/sqlite/driver.ts'
import { Wal } from '../storage/sqlite/wal.ts'
import { type Term, toMatch } from '../text/query.ts'
import { tokenize } from '../text/tokens.ts'
import { firstNumber, numbersAbove } from './document-number.ts'
import { type Candidate, createIndex, type Mark, prepareIndex, VERSION } from './index-tables.ts'
import { PageSeparators } from './page-separators.ts'

/** A message to index. With an empty text it is removed from the index. */
export interface Document {
  readonly group: number
  readonly seq: number
  readonly sender: number
  readonly createdAt: number
  readonly text: string
}

/** Conditions of a search. */
export interface Search {
  readonly terms: readonly Term[]
  /** Key of the sender; without it, messages of all senders match. */
  readonly sender?: number | undefined
  /** Times, exclusive. */
  readonly before?: number | undefined
  readonly after?: number | undefined
  /** Only documents with lower numbers: continues an earlier search. */
  readonly below?: number | undefined
}

/** Up to this number of groups, the query names their tokens. With more, hits are filtered by group. */
export const MAX_GROUP_TOKENS = 64
const FILE = 'search.db'

/** Above this size the WAL is emptied after a commit. */
const MAX_WAL_BYTES = 32 * 1024 * 1024
/** Cost of replacing or removing a document, relative to adding one. */
const REPLACING_COSTS = 16

export class SearchIndex {
  readonly #db: Sqlite.Database
  readonly #wal: Wal
  readonly #sql: ReturnType<typeof prepareIndex>
  readonly #separators: PageSeparators
  #documents: number
  #committed: number
  /** Documents were replaced or removed since the WAL was emptied. True at the start, as it is not known. */
  #erased = true

  private constructor(db: Sqlite.Database) {
    this.#db = db
    this.#wal = new Wal(db)
    this.#sql = prepareIndex(db)
    this.#separators = new PageSeparators(db)
    this.#documents = this.#sql.count.get() as number
    this.#committed = this.#documents
  }

  /** Opens the index of a data directory, or creates it. @throws StorageError */
  static open(dataDir: string): SearchIndex {
    try {
      return SearchIndex.#open(dataDir)
    } catch {
      // Damaged, or written by another version.
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

  /** Deletes the file; the next `open` creates it again. */
  static remove(dataDir: string): void {
    for (const suffix of ['', '-wal', '-shm', '-journal']) {
      rmSync(join(dataDir, `${FILE}${suffix}`), { force: true })
    }
  }

  static #open(dataDir: string): SearchIndex {
    const db = new Database(join(dataDir, FILE), { timeout: 0 })
    try {
      db.pragma('journal_mode = WAL')
      // Documents lost in a power failure are indexed again: their marks are lost with them.
      db.pragma('synchronous = NORMAL')
      db.pragma('cache_size = -32768')
      db.pragma('temp_store = MEMORY')
      db.pragma('journal_size_limit = 16777216')
      // Words of deleted messages are overwritten, in the WAL too. // PRV-3
      db.pragma('secure_delete = ON')
      db.pragma('wal_autocheckpoint = 0')
      const version = db.pragma('user_version', { simple: true })
      if (version === 0) db.transaction(() => createIndex(db)).immediate()
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

  /** Number of documents. */
  get documents(): number {
    return this.#documents
  }

  mark(group: number): Mark | undefined {
    return this.#sql.mark.get(group)
  }

  /**
   * Adds, replaces and removes documents from `first` on, in the transaction that `commit` ends, until
   * `budget` is spent (adding one costs 1). Returns the index of the next document. Documents in
   * ascending order of time are cheapest: FTS5 buffers words of a transaction while numbers ascend.
   */
  put(documents: readonly Document[], first = 0, budget = Number.POSITIVE_INFINITY): number {
    if (!this.#db.inTransaction) this.#sql.begin.run()
    let next = first
    let left = budget
    for (; next < documents.length && left > 0; next++) left -= this.#put(documents[next] as Document)
    return next
  }

  /** Commits the documents put since the last commit together with the marks of their groups. */
  commit(marks: readonly Mark[]): void {
    if (!this.#db.inTransaction) this.#sql.begin.run()
    for (const { group, groupId, seq } of marks) this.#sql.putMark.run(group, groupId, seq)
    this.#separators.erase()
    this.#sql.commit.run()
    this.#committed = this.#documents
    if ((statSync(`${this.#db.name}-wal`, { throwIfNoEntry: false })?.size ?? 0) > MAX_WAL_BYTES) this.tidy()
  }

  /** Empties the WAL: afterwards no file contains removed texts. Returns false within a transaction. // PRV-3 */
  tidy(): boolean {
    if (this.#db.inTransaction || !this.#wal.empty(this.#erased)) return false
    this.#erased = false
    return true
  }

  /** Discards what was put since the last `commit`. */
  rollback(): void {
    if (this.#db.inTransaction) this.#sql.rollback.run()
    this.#separators.forget()
    this.#documents = this.#committed
  }

  /**
   * Candidates in these groups (null: in all groups), newest first. The caller checks each against the
   * log and stops reading when it has enough.
   */
  search(
    { terms, sender, before, after, below }: Search,
    groups: readonly number[] | null,
  ): IterableIterator<Candidate> {
    let match = toMatch(terms)
    if (sender !== undefined) match += ` AND "${senderToken(sender)}"`
    const from = after === undefined ? 0 : numbersAbove(after)
    const to = Math.min(below ?? Number.MAX_SAFE_INTEGER, firstNumber(before ?? Number.MAX_SAFE_INTEGER))
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
      // Damaged, or the disk is full: the next start handles it.
    } finally {
      this.#db.close()
      this.#wal.close()
    }
  }

  /** Returns the cost. */
  #put({ group, seq, sender, createdAt, text }: Document): number {
    const tokens = text === '' ? [] : tokenize(text)
    const known = this.#sql.document.get(group, seq)
    if (known !== undefined) this.#removeWords(known)
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
    } else {
      this.#sql.changeDocument.run(words, document)
      // In one piece with their removal `secure-delete` would leave old words that now occur 64 times or more
      // (SQLite 3.53), which only a long text holds.
      if (words.length > 2 * 64) this.#sql.flush.run()
    }
    this.#sql.addWords.run(document, words)
    return known === undefined ? 1 : REPLACING_COSTS
  }

  /** FTS5 reads the words to remove from `documents`: remove them from the index first. */
  #removeWords(document: number): void {
    this.#erased = true
    this.#separators.removing(this.#sql.words.get(document) as string)
    this.#sql.dropWords.run(document)
  }

  /** The next free number of the millisecond, or of a later one if it is full. */
  #freeNumber(createdAt: number): number {
    const first = firstNumber(createdAt)
    const end = numbersAbove(createdAt)
    const last = this.#sql.lastNumber.get(first, end) ?? null
    if (last === null) return first
    return last + 1 < end ? last + 1 : this.#freeNumber(createdAt + 1)
  }
}

function groupToken(group: number): string {
  return `\ue000g${group}`
}

function senderToken(sender: number): string {
  return `\ue000s${sender}`
}
