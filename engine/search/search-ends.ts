/**
 * Search ends: how a shard reaches the search service, on another thread or on its own.
 */
import type { SearchReader } from '../log/views.ts'
import type { ReadQuery, Reads, SearchRead } from '../stored/reads.ts'
import type { QueryPort } from '../threads/query-port.ts'
import type { SearchService } from './search-service.ts'

/** Search on a thread of its own. */
export class RemoteSearch implements SearchReader {
  readonly #port: QueryPort<ReadQuery>

  constructor(port: QueryPort<ReadQuery>) {
    this.#port = port
  }

  search<N extends SearchRead>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    return this.#port.ask(query as never, userId)
  }
}

/** Search on the calling thread. */
export class InlineSearch implements SearchReader {
  readonly #service: SearchService

  constructor(service: SearchService) {
    this.#service = service
  }

  async search<N extends SearchRead>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return this.#service.run(query)
  }
}
