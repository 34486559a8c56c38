/**
 * Store connection: a store at work. It opens the cache, leads or follows the other tabs, and makes the requests.
 *
 * One tab leads: it has the connection, writes what arrives to the cache and sends the outbox (`leading.ts`). Its
 * events reach the stores of the other tabs, which handle them in the same way.
 */
import { Listeners } from '../../protocol/listeners.ts'
import type { Answer, MethodRequest, SendRequest } from '../../protocol/methods.ts'
import type { RequestFields } from '../../protocol/requests.ts'
import type { ChatClient } from '../chat-client.ts'
import { ClientError } from '../client-error.ts'
import { type Clock, systemClock } from '../clock.ts'
import { isRepeatable } from '../repeatable.ts'
import { createMessageCache } from './cache/batched-cache.ts'
import type { CachedGroup, MessageCache } from './cache/message-cache.ts'
import { Leading, loadClient } from './leading.ts'
import type { StoreEvent } from './store-event.ts'
import { type ChatStoreOptions, prefixOf } from './store-options.ts'
import { type StoreHost, StoreState } from './store-state.ts'
import { openTabChannel, type TabChannel } from './tab-channel.ts'
import { type TabLocks, webLocks } from './tab-locks.ts'
import { Tabs } from './tabs.ts'
import type { ConnectionView, DevtoolsEvent, Signal, UploadItem } from './types.ts'

/** What a tab that follows cannot read from the cache. */
interface SharedState {
  readonly userId: string
  readonly connection: ConnectionView
  readonly uploads: readonly UploadItem[]
  /** The groups of the leading tab, while the cache cannot store them. */
  readonly groups: readonly CachedGroup[] | undefined
}

/** The longest time for an answer by the leading tab: above the limit of its client. */
const TAB_TIMEOUT_MS = 20_000

export class StoreConnection implements StoreHost {
  readonly clock: Clock
  readonly cache: MessageCache
  readonly state: StoreState
  readonly listeners = new Listeners<{ readonly signal: Signal; readonly devtools: DevtoolsEvent }>()
  readonly #leading: Leading
  readonly #tabs: Tabs<SharedState, StoreEvent> | null
  readonly #channel: TabChannel | null
  #opened: Promise<void> | null = null
  #isStarted = false

  constructor(options: ChatStoreOptions) {
    const { url, clock = systemClock, userId, snapshot, cache, tabs } = options
    this.clock = clock
    const name = `${prefixOf(url)}${userId ?? ''}`
    const isPage = typeof document === 'object'
    this.#channel = isPage && tabs === undefined ? openTabChannel(name) : null
    const channel = (tabs || undefined)?.channel ??
      this.#channel ?? { post: () => {}, listen: () => () => {}, close: () => {} }
    this.cache = cache ?? createMessageCache({ name, channel, clock })
    this.state = new StoreState(this, userId ?? snapshot?.userId ?? '')
    this.#leading = new Leading(options, this)
    const shared = tabs ?? (isPage && { channel, locks: webLocks })
    this.#tabs = shared ? this.#makeTabs(name, shared) : null
    if (snapshot) this.state.show(snapshot)
  }

  /** The client of this tab, if it leads. */
  get client(): ChatClient | null {
    return this.#leading.client
  }

  open(): Promise<void> {
    this.#opened ??= this.#open()
    return this.#opened
  }

  async connect(): Promise<void> {
    if (this.#isStarted) {
      if (this.state.connection.state.state === 'idle') return
      if (this.#tabs) this.#tabs.request('connect', {}).catch(() => {})
      else this.#leading.reconnect()
      return
    }
    this.#isStarted = true
    this.state.connection.set({ state: 'connecting' })
    // Also in a tab that follows: it may have to lead where there is no network.
    loadClient().catch(() => {})
    await this.open()
    if (!this.#isStarted) return
    this.#listen('addEventListener')
    if (this.#tabs) this.#tabs.start()
    else this.#leading.start()
  }

  async close(): Promise<void> {
    this.#stop()
    this.#listen('removeEventListener')
    this.state.connection.set({ state: 'idle' })
    await this.cache.close()
    this.#channel?.close()
  }

  async signOut(): Promise<void> {
    this.#stop()
    await this.cache.wipe()
    this.state.signedOut()
  }

  /** Rejects like a method of `ChatClient`. */
  readonly request: SendRequest = async <N extends MethodRequest>(
    name: N,
    fields: RequestFields<N>,
  ): Promise<Answer<N>> => {
    this.#log('request', name, fields)
    // The cache is opened before there is a client.
    if (this.#isStarted) {
      await this.open()
      await this.#leading.ready
    }
    const answer = this.client
      ? await this.#leadRequest(name, fields)
      : await (this.#tabs?.request(name, fields) ?? Promise.reject(new ClientError('closed')))
    this.#log('answer', name, answer)
    return answer as Answer<N>
  }

  onSignal(signal: Signal): void {
    this.listeners.emit('signal', signal)
  }

  /** Leader: handles an event, and passes it to the other tabs. */
  emit(event: StoreEvent): void {
    this.#tabs?.broadcast(event)
    this.#receive(event)
  }

  async #open(): Promise<void> {
    this.cache.onShared((change) => this.state.onShared(change))
    this.cache.onWiped(() => {
      this.#stop()
      this.state.signedOut()
    })
    this.state.restore(await this.cache.open(this.state.userId || undefined), false)
  }

  #stop(): void {
    this.#isStarted = false
    this.#tabs?.close()
    this.#leading.stop()
  }

  #makeTabs(name: string, tabs: { readonly channel: TabChannel; readonly locks: TabLocks }) {
    return new Tabs<SharedState, StoreEvent>({
      name,
      ...tabs,
      clock: this.clock,
      timeoutMs: TAB_TIMEOUT_MS,
      lead: () => this.#leading.start(),
      follow: () => this.#leading.stop(),
      answer: async (request, fields) => {
        await this.#leading.ready
        if (request !== 'connect') return await this.#leadRequest(request as MethodRequest, fields as never)
        this.#leading.reconnect()
        return {}
      },
      prepare: async () => {
        const isStored = await this.cache.flush()
        const { userId, connection, uploads, list } = this.state
        return {
          userId,
          connection: connection.state,
          uploads: uploads.view.getSnapshot().uploads,
          groups: isStored ? undefined : [...list].flatMap(({ row }) => row ?? []),
        }
      },
      join: async ({ userId, connection, uploads, groups }) => {
        this.#leading.hasFollowed = true
        const state = await this.cache.open(userId || undefined)
        // What is stored of their messages may be older.
        for (const { groupId } of groups ?? []) this.cache.forget(groupId)
        // The cache may have no profile.
        this.state.userId ||= userId
        this.state.connection.set(connection)
        this.state.restore({ ...state, groups: groups ?? state.groups }, true)
        this.state.uploads.follow(uploads)
        if (connection.state === 'live') this.state.onLive()
      },
      event: (event) => this.#receive(event),
      isRepeatable: (request, fields) =>
        request === 'connect' || isRepeatable(request as MethodRequest, fields as never),
    })
  }

  readonly #onNetwork = (): void => {
    this.state.connection.view.changed()
    this.client?.retryNow()
  }

  readonly #onPageShow = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) this.#tabs?.rejoin()
  }

  /** In Node pages do not exist. */
  #listen(how: 'addEventListener' | 'removeEventListener'): void {
    globalThis[how]?.('online', this.#onNetwork)
    globalThis[how]?.('offline', this.#onNetwork)
    globalThis[how]?.('pageshow', this.#onPageShow)
  }

  #receive(event: StoreEvent): void {
    this.#log('event', event.event, event.fields)
    this.state.handle(event)
  }

  /** Leader: carries out a request of a tab. The server reports what it changes to other sessions only. */
  async #leadRequest<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    if (!this.client) throw new ClientError('connection_lost')
    const answer = await this.client.request(name, fields)
    const {
      groupId = '',
      seq = 0,
      until,
      status,
    } = fields as Partial<
      RequestFields<'mark_unread'> & RequestFields<'mute_group'> & RequestFields<'update_status'>
    >
    const timestamp = Date.now()
    if (name === 'mark_unread') this.emit({ event: 'marked_unread', fields: { groupId, seq, timestamp } })
    else if (name === 'mute_group') this.emit({ event: 'muted', fields: { groupId, until } })
    else if (name === 'update_status' && status) {
      this.emit({
        event: 'contact_status_changed',
        fields: { userId: this.state.userId, status, timestamp },
      })
    }
    return answer
  }

  #log(what: DevtoolsEvent['what'], name: string, detail: unknown): void {
    this.listeners.emit('devtools', { at: Date.now(), what, name, detail })
  }
}
