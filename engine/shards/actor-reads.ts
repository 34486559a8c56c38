/**
 * Actor reads: what the actors of a shard read, from the part of storage that answers it. Names of connected
 * users are the current ones.
 */
import type { SearchReader, Views } from '../log/views.ts'
import { type ReadName, type ReadQuery, type Reads, readServices } from '../stored/reads.ts'
import { withCurrentNames } from './current-names.ts'
import type { Ledger } from './ledger.ts'
import type { PresenceDirectory } from './presence-directory.ts'

interface ReadDeps {
  readonly ledger: Ledger
  readonly views: Views
  readonly search: SearchReader
  readonly directory: PresenceDirectory
}

export class ActorReads {
  readonly #deps: ReadDeps

  constructor(deps: ReadDeps) {
    this.#deps = deps
  }

  async read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    const result = await this.#ask(query, userId)
    return withCurrentNames(query, result, (userId) => this.#deps.directory.nameOf(userId))
  }

  #ask<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    const { ledger, views, search } = this.#deps
    switch (readServices[query.read]) {
      case 'log':
        return ledger.events(query as never, userId) as Promise<never>
      case 'group':
        return views.ofGroup(query as never, userId)
      case 'user':
        return views.ofUser(query as never, userId)
      case 'search':
        return search.search(query as never, userId)
    }
  }
}
