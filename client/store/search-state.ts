/**
 * Search state: the hits of one search, newest first. A new search drops the answers to the one before.
 */
import type { SearchHit } from '../../protocol/records.ts'
import { failureOf } from './failure.ts'
import type { StoreCore } from './store-core.ts'
import type { SearchQuery, SearchView, View } from './types.ts'
import { ViewCell } from './view-cell.ts'

const idle: SearchView = { query: null, hits: [], state: 'idle', hasMore: false }

export class SearchState {
  readonly #core: Pick<StoreCore, 'request' | 'learnMessages'>
  readonly #cell = new ViewCell<SearchView>(idle)
  #cursor: string | undefined

  constructor(core: Pick<StoreCore, 'request' | 'learnMessages'>) {
    this.#core = core
  }

  get view(): View<SearchView> {
    return this.#cell
  }

  async find(query: SearchQuery | null): Promise<void> {
    const isEmpty = query === null || query.text.trim() === ''
    this.#cursor = undefined
    this.#cell.set(isEmpty ? idle : { query, hits: [], state: 'searching', hasMore: false })
    if (!isEmpty) await this.#ask(query, [])
  }

  async findMore(): Promise<void> {
    const { query, hits, state, hasMore } = this.#cell.getSnapshot()
    if (!query || state === 'searching' || !hasMore) return
    this.#cell.set({ query, hits, state: 'searching', hasMore })
    await this.#ask(query, hits)
  }

  async #ask(query: SearchQuery, before: readonly SearchHit[]): Promise<void> {
    const { text, ...filters } = query
    const cursor = this.#cursor
    try {
      const page = await this.#core.request('search', {
        ...filters,
        query: text,
        ...(cursor !== undefined && { cursor }),
      })
      if (this.#cell.getSnapshot().query !== query) return
      this.#core.learnMessages(page.hits.map(({ message }) => message))
      this.#cursor = page.cursor
      this.#cell.set({ query, hits: [...before, ...page.hits], state: 'done', hasMore: page.hasMore })
    } catch (error) {
      if (this.#cell.getSnapshot().query !== query) return
      const hasMore = before.length > 0
      this.#cell.set({ query, hits: before, state: 'failed', hasMore, failure: failureOf(error) })
    }
  }
}
