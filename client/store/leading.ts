/**
 * Leading: the client of a store, while its tab leads.
 *
 * At most one client at a time. It is loaded when it is first needed; one that was replaced is closed, and its
 * late events are dropped.
 */
import type { ChatClient } from '../chat-client.ts'
import type { StoreConnection } from './store-connection.ts'
import type { ChatStoreOptions } from './store-options.ts'

/** The code that connects is loaded beside the cached state, which is shown without it. */
export const loadClient = () => import('./store-client.ts')
const RELOAD_MS = 5_000

export class Leading {
  client: ChatClient | null = null
  /** Resolves when this tab has a client, if it leads. */
  ready: Promise<void> | null = null
  /** This tab has followed another one, whose writes to the cache may be newer or older than its own state. */
  hasFollowed = false
  readonly #options: ChatStoreOptions
  readonly #host: Pick<StoreConnection, 'state' | 'cache' | 'clock' | 'emit'>
  /** Increases when this tab starts or ends to lead. */
  #leadings = 0

  constructor(options: ChatStoreOptions, host: Pick<StoreConnection, 'state' | 'cache' | 'clock' | 'emit'>) {
    this.#options = options
    this.#host = host
  }

  /** This tab leads from now on. */
  start(): void {
    this.#leadings += 1
    this.#host.cache.lead(true)
    this.ready = this.#takeLead(this.#leadings)
  }

  async #takeLead(leading: number): Promise<void> {
    const { state, cache, clock } = this.#host
    if (this.hasFollowed) {
      // The tab that led may have crashed before it wrote the events that it passed on, or before it did that.
      const { groups } = await cache.open(state.userId || undefined)
      for (const row of groups) state.list.find(row.groupId)?.restore(row)
    }
    const module = await loadClient().catch(() => null)
    // The lock may have been lost meanwhile, and taken again.
    if (leading !== this.#leadings) return
    if (module) {
      const client = module.makeClient(this.#options, state, (event) => {
        if (this.client === client) this.#host.emit(event)
      })
      this.client = client
      state.outgoing.start(client)
      client.connect().catch(() => {})
    } else {
      const since = Date.now()
      state.connection.set({ state: 'waiting', since, retryAt: since + RELOAD_MS })
      clock.after(RELOAD_MS, () => leading === this.#leadings && this.start())
    }
  }

  /** Another tab leads, or none. */
  stop(): void {
    this.#leadings += 1
    this.ready = null
    const { state, cache } = this.#host
    const { client } = this
    cache.lead(false)
    this.client = null
    state.outgoing.stop()
    state.uploads.offline()
    client?.close()
  }

  /** Leader: connects now, or again after the server refused the token. */
  reconnect(): void {
    this.client?.retryNow()
    this.client?.connect().catch(() => {})
  }
}
