/**
 * Remote views: a shard worker's end of the reader thread.
 */
import type { Views } from '../log/views.ts'
import type { GroupRead, ReadQuery, Reads, UserRead } from '../stored/reads.ts'
import type { QueryPort } from '../threads/query-port.ts'

export class RemoteViews implements Views {
  readonly #reader: QueryPort<ReadQuery>

  constructor(reader: QueryPort<ReadQuery>) {
    this.#reader = reader
  }

  ofGroup<N extends GroupRead>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    return this.#reader.ask(query as never, userId)
  }

  ofUser<N extends UserRead>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    return this.#reader.ask(query as never, userId)
  }
}
