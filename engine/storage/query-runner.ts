/**
 * Query runner: answers queries at once, on the calling thread.
 */
import type { Views } from '../log/views.ts'
import type { GroupRead, ReadName, ReadQuery, Reads, UserRead } from '../stored/reads.ts'

export interface QueryRunner<All extends ReadName> {
  run<N extends All>(query: ReadQuery<N>): Reads[N]['result']
}

/** The views of a reader on the calling thread. */
export class InlineViews implements Views {
  readonly #reader: QueryRunner<GroupRead | UserRead>

  constructor(reader: QueryRunner<GroupRead | UserRead>) {
    this.#reader = reader
  }

  async ofGroup<N extends GroupRead>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return this.#reader.run(query)
  }

  async ofUser<N extends UserRead>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return this.#reader.run(query)
  }
}
