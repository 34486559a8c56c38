/**
 * Chat store: the state of the chats of one user, to show and to change.
 *
 * Every tab has a store. One of them leads: it has the connection, writes what arrives to the cache and sends
 * the outbox. Its events reach the stores of the other tabs, which handle them in the same way. What the user
 * does is shown at once, stored, and confirmed or taken back by the server's answer.
 */
import { Listeners } from '../../protocol/listeners.ts'
import type { Answer, MethodRequest } from '../../protocol/methods.ts'
import type { File, User } from '../../protocol/records.ts'
import type { RequestFields } from '../../protocol/requests.ts'
import type { ChatClient, ClientEvents } from '../chat-client.ts'
import { ClientError } from '../client-error.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { TokenSource } from '../link.ts'
import type { ChatClientOptions } from '../options.ts'
import { isRepeatable } from '../repeatable.ts'
import { createMessageCache } from './cache/batched-cache.ts'
import type { MessageCache } from './cache/message-cache.ts'
import { ChatGroup } from './chat-group.ts'
import { failureOf } from './failure.ts'
import { FileUrls } from './file-urls.ts'
import type { GroupState } from './group-state.ts'
import type { StoreEvent } from './store-event.ts'
import type { StoreSnapshot } from './store-snapshot.ts'
import { StoreState } from './store-state.ts'
import { openTabChannel, type TabChannel } from './tab-channel.ts'
import { type TabLocks, webLocks } from './tab-locks.ts'
import { Tabs } from './tabs.ts'
import type {
  ConnectionView,
  DevtoolsEvent,
  GroupHandle,
  SearchQuery,
  Signal,
  Store,
  UploadItem,
} from './types.ts'

export interface ChatStoreOptions extends Pick<ChatClientOptions, 'url' | 'clock' | 'openSocket'> {
  /** A token, or a function that returns one; with a function the store outlives a single token. */
  readonly token: TokenSource
  /** The user of the token, so that the cached state of another user is never shown. */
  readonly userId?: string | undefined
  /** Where the state is stored; in IndexedDB by default, in memory without it. */
  readonly cache?: MessageCache | undefined
  /** How the tabs of a browser find each other; false if this one has a connection of its own. */
  readonly tabs?: { readonly channel: TabChannel; readonly locks: TabLocks } | false | undefined
  /** Shown before anything is loaded. */
  readonly snapshot?: StoreSnapshot | undefined
}

/** What a tab that follows cannot read from the cache. */
interface SharedState {
  readonly userId: string
  readonly connection: ConnectionView
  readonly uploads: readonly UploadItem[]
}

/** The code that connects is loaded beside the cached state, which is shown without it. */
const loadClient = () => import('./connection-code.ts')
/** The names of all users of a server begin with it. */
const prefixOf = (url: string) => `tertulia ${url} `
const RELOAD_MS = 5_000
/** The longest time for an answer by the leading tab: above the limit of its client. */
const TAB_TIMEOUT_MS = 20_000
/** The events of a client that are none of the server. */
const clientEvents = ['state', 'missed', 'caught_up', 'group_lost'] as const

/**
 * The state of the chats of one user.
 *
 * @example
 * ```ts
 * const store = new ChatStore({ url: 'http://localhost:4040', token: () => fetchToken() })
 * store.connect()
 * const team = store.group('team')
 * team.messages.subscribe(() => render(team.messages.getSnapshot().items))
 * team.send({ content: 'Hello' })
 * ```
 */
export class ChatStore implements Store {
  readonly #options: ChatStoreOptions
  readonly #clock: Clock
  readonly #cache: MessageCache
  readonly #state: StoreState
  readonly #fileUrls: FileUrls
  readonly #tabs: Tabs<SharedState, StoreEvent> | null
  readonly #channel: TabChannel | null
  readonly #own = new Listeners<{ readonly signal: Signal; readonly devtools: DevtoolsEvent }>()
  #client: ChatClient | null = null
  #opened: Promise<void> | null = null
  #isStarted = false
  /** This tab has followed another one, whose writes to the cache may be newer or older than its own state. */
  #hasFollowed = false
  #leading: Promise<void> | null = null
  /** Increases when this tab starts or ends to lead. */
  #leadings = 0

  /** Shows the snapshot if there is one; `open` shows the cached state, `connect` connects. */
  constructor(options: ChatStoreOptions) {
    const { url, token, clock = systemClock, userId, snapshot, cache, tabs } = options
    this.#options = options
    this.#clock = clock
    const name = `${prefixOf(url)}${userId ?? ''}`
    const isPage = typeof document === 'object'
    this.#channel = isPage && tabs === undefined ? openTabChannel(name) : null
    const channel = (tabs || undefined)?.channel ??
      this.#channel ?? { post: () => {}, listen: () => () => {}, close: () => {} }
    this.#cache = cache ?? createMessageCache({ name, channel, clock })
    const clientOf = () => this.#client
    const host = {
      clock,
      cache: this.#cache,
      get client() {
        return clientOf()
      },
      request: <N extends MethodRequest>(request: N, fields: RequestFields<N>) =>
        this.#request(request, fields),
      onSignal: (signal: Signal) => this.#own.emit('signal', signal),
      emit: (event: StoreEvent) => this.#emit(event),
    }
    this.#state = new StoreState(host, userId ?? snapshot?.userId ?? '')
    this.#fileUrls = new FileUrls(url, token)
    const shared = tabs ?? (isPage && { channel, locks: webLocks })
    this.#tabs = shared ? this.#makeTabs(name, shared) : null
    if (snapshot) this.#state.show(snapshot)
  }

  get me() {
    return this.#state.me
  }
  get connection() {
    return this.#state.connection.view
  }
  get groups() {
    return this.#state.list.view
  }
  get search() {
    return this.#state.search.view
  }
  get uploads() {
    return this.#state.uploads.view
  }
  get invitations() {
    return this.#state.invitations.view
  }

  open(): Promise<void> {
    this.#opened ??= this.#open()
    return this.#opened
  }

  connect(): void {
    void this.#connect()
  }

  async close(): Promise<void> {
    this.#isStarted = false
    this.#tabs?.close()
    this.#stopLeading()
    globalThis.removeEventListener?.('online', this.#onNetwork)
    globalThis.removeEventListener?.('offline', this.#onNetwork)
    globalThis.removeEventListener?.('pageshow', this.#onPageShow)
    this.#state.connection.set({ state: 'idle' })
    await this.#cache.close()
    this.#channel?.close()
  }

  async signOut(): Promise<void> {
    this.#isStarted = false
    this.#stopLeading()
    this.#tabs?.close()
    await this.#cache.wipe()
    this.#state.signedOut()
  }

  group(groupId: string): GroupHandle {
    const state = this.#state.list.group(groupId)
    const known = this.#handles.get(state)
    if (known) return known
    const handle = new ChatGroup(state, this.#state.core)
    this.#handles.set(state, handle)
    return handle
  }

  readonly #handles = new WeakMap<GroupState, GroupHandle>()

  loadMoreGroups(): Promise<void> {
    return this.#state.list.loadMore()
  }

  async createGroup({ name, members, visibility }: Parameters<Store['createGroup']>[0]): Promise<string> {
    return await this.#create({ kind: 'group', name, members, ...(visibility && { visibility }) })
  }

  async direct(userId: string): Promise<string> {
    return await this.#create({ kind: 'direct', members: [userId] })
  }

  async join(groupId: string): Promise<void> {
    await this.#ask('join_group', { groupId }, this.#state.invitations.remove(groupId))
    await this.#state.list.refresh()
  }

  async decline(groupId: string): Promise<void> {
    await this.#ask('decline_invitation', { groupId }, this.#state.invitations.remove(groupId))
  }

  async setStatus(status: User['status']): Promise<void> {
    const { status: before = 'online' } = this.#state.people.presence(this.#state.userId)
    this.#state.people.setPresence(this.#state.userId, status)
    await this.#ask('update_status', { status }, () =>
      this.#state.people.setPresence(this.#state.userId, before),
    )
  }

  async block(userId: string): Promise<void> {
    await this.#ask('block_user', { userId })
  }

  async unblock(userId: string): Promise<void> {
    await this.#ask('unblock_user', { userId })
  }

  blocked(): Promise<readonly User[]> {
    return this.#state.users('get_blocked').catch(rejectFailure)
  }

  contacts(): Promise<readonly User[]> {
    return this.#state.users('get_contacts').catch(rejectFailure)
  }

  async searchUsers(query: string): Promise<readonly User[]> {
    const { users } = await this.#ask('search_users', { query })
    for (const user of users) this.#state.people.learn(user, true)
    return users
  }

  find(query: SearchQuery | null): Promise<void> {
    return this.#state.search.find(query)
  }

  findMore(): Promise<void> {
    return this.#state.search.findMore()
  }

  pauseUpload(uploadId: string): void {
    this.#state.uploads.pause(uploadId)
  }

  resumeUpload(uploadId: string): void {
    this.#state.changeUploading(uploadId, { failure: undefined })
    this.#state.uploads.resume(uploadId)
  }

  abortUpload(uploadId: string): void {
    this.#state.uploads.abort(uploadId)
    for (const entry of this.#state.uploading(uploadId)) this.#state.outgoing.discard(entry.key)
  }

  fileUrl(file: File): Promise<string> {
    return this.#fileUrls.of(file)
  }

  onSignal(listener: (signal: Signal) => void): () => void {
    return this.#own.on('signal', listener)
  }

  async signal(signal: Omit<Signal, 'fromUserId'>): Promise<void> {
    await this.#ask('signal', signal)
  }

  onDevtools(listener: (event: DevtoolsEvent) => void): () => void {
    return this.#own.on('devtools', listener)
  }

  async #open(): Promise<void> {
    this.#cache.onShared((change) => this.#state.onShared(change))
    this.#cache.onWiped(() => {
      this.#isStarted = false
      this.#stopLeading()
      this.#tabs?.close()
      this.#state.signedOut()
    })
    this.#state.restore(await this.#cache.open(this.#state.userId || undefined), false)
  }

  async #connect(): Promise<void> {
    if (this.#isStarted) {
      const isAgain = this.#state.connection.state.state !== 'idle'
      if (isAgain && this.#tabs) this.#tabs.request('connect', {}).catch(() => {})
      else if (isAgain) this.#reconnect()
      return
    }
    this.#isStarted = true
    this.#state.connection.set({ state: 'connecting' })
    // Also in a tab that follows: it may have to lead where there is no network.
    loadClient().catch(() => {})
    await this.open()
    if (!this.#isStarted) return
    globalThis.addEventListener?.('online', this.#onNetwork)
    globalThis.addEventListener?.('offline', this.#onNetwork)
    globalThis.addEventListener?.('pageshow', this.#onPageShow)
    if (this.#tabs) this.#tabs.start()
    else this.#startLeading()
  }

  #makeTabs(name: string, tabs: { readonly channel: TabChannel; readonly locks: TabLocks }) {
    return new Tabs<SharedState, StoreEvent>({
      name,
      ...tabs,
      clock: this.#clock,
      timeoutMs: TAB_TIMEOUT_MS,
      lead: () => this.#startLeading(),
      follow: () => this.#stopLeading(),
      answer: async (request, fields) => {
        await this.#leading
        if (request !== 'connect') return await this.#leadRequest(request as MethodRequest, fields as never)
        this.#reconnect()
        return {}
      },
      prepare: async () => {
        await this.#cache.flush()
        const { userId, connection, uploads } = this.#state
        return { userId, connection: connection.state, uploads: uploads.view.getSnapshot().uploads }
      },
      join: async ({ userId, connection, uploads }) => {
        this.#hasFollowed = true
        const state = await this.#cache.open(userId || undefined)
        this.#state.connection.set(connection)
        this.#state.restore(state, true)
        this.#state.uploads.follow(uploads)
        if (connection.state === 'live') this.#state.onLive()
      },
      event: (event) => this.#receive(event),
      isRepeatable: (request, fields) =>
        request === 'connect' || isRepeatable(request as MethodRequest, fields as never),
    })
  }

  #startLeading(): void {
    this.#leadings += 1
    this.#cache.lead(true)
    this.#leading = this.#takeLead(this.#leadings)
  }

  async #takeLead(leading: number): Promise<void> {
    if (this.#hasFollowed) {
      // The tab that led may have crashed before it wrote the events that it passed on, or before it did that.
      const { groups } = await this.#cache.open(this.#state.userId || undefined)
      for (const row of groups) this.#state.list.find(row.groupId)?.restore(row)
    }
    const module = await loadClient().catch(() => null)
    // The lock may have been lost meanwhile, and taken again.
    if (leading !== this.#leadings) return
    if (module) this.#lead(module)
    else {
      this.#state.connection.set({ state: 'waiting', since: Date.now(), retryAt: Date.now() + RELOAD_MS })
      this.#clock.after(RELOAD_MS, () => leading === this.#leadings && this.#startLeading())
    }
  }

  /** This tab opens the connection. */
  #lead({ ChatClient, eventNames, forgetOthers }: Awaited<ReturnType<typeof loadClient>>): void {
    const { url, token, clock, openSocket, userId, cache } = this.#options
    const after = this.#state.outgoing.sentAfter()
    const groups = [...this.#state.list].flatMap(({ groupId, row }) => {
      const lastSeq = row?.lastSeq ?? 0
      return lastSeq > 0 ? [[groupId, Math.min(lastSeq, after.get(groupId) ?? lastSeq)] as const] : []
    })
    const client = new ChatClient({
      url,
      token,
      clock,
      openSocket,
      // Messages of the outbox are never sent by another user.
      start:
        groups.length + this.#state.outgoing.all.length > 0
          ? { userId: this.#state.userId, groups }
          : undefined,
    })
    this.#client = client
    for (const event of [...eventNames, ...clientEvents]) {
      client.on(event as keyof ClientEvents, (fields) => {
        if (this.#client === client) this.#emit({ event, fields } as StoreEvent)
      })
    }
    // Without `userId` all users have one database, which their cache clears.
    if (userId && !cache)
      client.on('connected', () => void forgetOthers(prefixOf(url), prefixOf(url) + userId))
    this.#state.outgoing.start(client)
    client.connect().catch(() => {})
  }

  #stopLeading(): void {
    this.#leadings += 1
    this.#leading = null
    this.#cache.lead(false)
    const client = this.#client
    this.#client = null
    this.#state.outgoing.stop()
    this.#state.uploads.offline()
    client?.close()
  }

  /** Leader: connects now, or again after the server refused the token. */
  #reconnect(): void {
    this.#client?.retryNow()
    this.#client?.connect().catch(() => {})
  }

  readonly #onNetwork = (): void => {
    this.#state.connection.view.changed()
    if (globalThis.navigator?.onLine !== false) this.#client?.retryNow()
  }

  readonly #onPageShow = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) this.#tabs?.rejoin()
  }

  #receive(event: StoreEvent): void {
    this.#log('event', event.event, event.fields)
    this.#state.handle(event)
  }

  /** Leader: handles an event, and passes it to the other tabs. */
  #emit(event: StoreEvent): void {
    this.#tabs?.broadcast(event)
    this.#receive(event)
  }

  async #create(fields: RequestFields<'create_group'>): Promise<string> {
    const { group } = await this.#ask('create_group', fields)
    const state = this.#state.list.group(group.groupId)
    if (!state.row) state.merge({ group, unread: 0, mentions: 0 }, group.lastSeq)
    if (group.kind === 'direct') void this.contacts().catch(() => {})
    return group.groupId
  }

  async #ask<N extends MethodRequest>(
    name: N,
    fields: RequestFields<N>,
    undo = () => {},
  ): Promise<Answer<N>> {
    try {
      return await this.#request(name, fields)
    } catch (error) {
      undo()
      throw failureOf(error)
    }
  }

  async #request<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    this.#log('request', name, fields)
    // The cache is opened before there is a client.
    if (this.#isStarted) {
      await this.open()
      await this.#leading
    }
    const answer = this.#client
      ? await this.#leadRequest(name, fields)
      : await (this.#tabs?.request(name, fields) ?? Promise.reject(new ClientError('closed')))
    this.#log('answer', name, answer)
    return answer as Answer<N>
  }

  /** Leader: carries out a request of a tab. The server reports what it changes to other sessions only. */
  async #leadRequest<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    const answer = await this.#clientOrFail().request(name, fields)
    const {
      groupId = '',
      seq = 0,
      until,
      status,
    } = fields as Partial<
      RequestFields<'mark_unread'> & RequestFields<'mute_group'> & RequestFields<'update_status'>
    >
    const timestamp = Date.now()
    if (name === 'mark_unread') this.#emit({ event: 'marked_unread', fields: { groupId, seq, timestamp } })
    else if (name === 'mute_group') this.#emit({ event: 'muted', fields: { groupId, until } })
    else if (name === 'update_status' && status) {
      this.#emit({
        event: 'contact_status_changed',
        fields: { userId: this.#state.userId, status, timestamp },
      })
    }
    return answer
  }

  #clientOrFail(): ChatClient {
    if (!this.#client) throw new ClientError('connection_lost')
    return this.#client
  }

  #log(what: DevtoolsEvent['what'], name: string, detail: unknown): void {
    this.#own.emit('devtools', { at: Date.now(), what, name, detail })
  }
}

function rejectFailure(error: unknown): never {
  throw failureOf(error)
}
