/**
 * Reader: answers the reads of storage from the database file.
 *
 * Every read, or a few together, is one short snapshot, so that it never delays a checkpoint and sees everything
 * that was committed before it began. The caller's `limit` bounds the length of results.
 */
import type { Database } from 'better-sqlite3'
import { type ReadName, type ReadQuery, type Reads, readServices } from '../../stored/reads.ts'
import { parseAnswer } from '../summary-texts.ts'
import { GroupReader } from './group-reader.ts'
import { prepareReads, type ReadStatements } from './read-statements.ts'
import { UserReader } from './user-reader.ts'

/** A method for each read that it answers. */
type Answering = Readonly<Record<string, (query: ReadQuery) => unknown>>

export class Reader {
  readonly #db: Database
  readonly #sql: ReadStatements
  readonly #groups: Answering
  readonly #users: Answering

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepareReads(db)
    this.#groups = new GroupReader(this.#sql) as unknown as Answering
    this.#users = new UserReader(db, this.#sql) as unknown as Answering
  }

  /** Answers one query in one snapshot. @throws Error for queries that search answers */
  run<N extends ReadName>(query: ReadQuery<N>): Reads[N]['result'] {
    return parseAnswer(query, this.answer(query as unknown as ReadQuery))
  }

  /** The same in the form that is sent between threads; `parseAnswer` converts it to the result. */
  answer(query: ReadQuery): unknown {
    const service = readServices[query.read]
    if (service === 'search') throw new Error(`"${query.read}" is for search`)
    const reader = service === 'user' ? this.#users : this.#groups
    return this.together(() => reader[query.read]?.(query))
  }

  close(): void {
    this.#db.close()
  }

  /** All statements and answers of `read` see the same state of the file. Its locks cost a third of a short read. */
  together<T>(read: () => T): T {
    if (this.#db.inTransaction) return read()
    this.#sql.begin.run()
    try {
      return read()
    } finally {
      // An error may have ended it.
      if (this.#db.inTransaction) this.#sql.end.run()
    }
  }
}
