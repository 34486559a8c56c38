/**
 * Chat store: the state of the chats of one user, to show and to change.
 *
 * Every tab has a store. One of them leads: it has the connection, writes what arrives to the cache and sends
 * the outbox. Its events reach the stores of the other tabs, which handle them in the same way. What the user
 * does is shown at once, stored, and confirmed or taken back by the server's answer.
 */
import { events } from '../../protocol/events.ts'
import { Listeners } from '../../protocol/listeners.ts'
import type { Answer, MethodRequest } from '../../protocol/methods.ts'
import type { File, GroupListing, Message, User } from '../../protocol/records.ts'
import type { RequestFields } from '../../protocol/requests.ts'
import { isRepeatable } from '../calls.ts'
import { ChatClient, type ClientEvents } from '../chat-client.ts'
import { ClientError } from '../client-error.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { GroupEvent } from '../group-log.ts'
import type { TokenSource } from '../link.ts'
import type { ChatClientOptions } from '../options.ts'
import { createMessageCache } from './cache/batched-cache.ts'
import type { CachedState, MessageCache, OutboxEntry, SharedChange } from './cache/message-cache.ts'
import { ChatGroup } from './chat-group.ts'
import { ComputedView } from './computed-view.ts'
import { ConnectionState } from './connection-state.ts'
import { failureOf } from './failure.ts'
import { FileUrls } from './file-urls.ts'
import { GroupList } from './group-list.ts'
import { type GroupState, senderOf } from './group-state.ts'
import { InvitationsState } from './invitations-state.ts'
import { changeMessage, changeOf, seqOf } from './message-changes.ts'
import { Outgoing } from './outgoing.ts'
import { People } from './people.ts'
import { SearchState } from './search-state.ts'
import { share } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import type { StoreEvent, StoreEvents } from './store-event.ts'
import { openTabChannel, type TabChannel } from './tab-channel.ts'
import { type TabLocks, webLocks } from './tab-locks.ts'
import { Tabs } from './tabs.ts'
import { pageOfHistory } from './timeline.ts'
import type {
  ConnectionView,
  DevtoolsEvent,
  GroupHandle,
  MeView,
  NewFile,
  SearchQuery,
  Signal,
  Store,
} from './types.ts'
import { Uploads } from './uploads.ts'

/** The state at the time when a page was rendered on a server, from the methods of a `Session`. */
export interface StoreSnapshot {
  readonly userId: string
  readonly name?: string | undefined
  /** From `getGroups`. */
  readonly groups: readonly GroupListing[]
  /** The answers to `getHistory` without a place, of groups that are shown at once. */
  readonly histories?: readonly Answer<'get_history'>[] | undefined
}

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
}

/** The longest time for an answer by the leading tab: above the limit of its client. */
const TAB_TIMEOUT_MS = 20_000
const MAX_CONTACT_PAGES = 5
const clientEvents = [...Object.keys(events), 'state', 'missed', 'caught_up', 'group_lost'] as const
const UNLIMITED = Number.POSITIVE_INFINITY

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
  readonly me: ComputedView<MeView>
  readonly #options: ChatStoreOptions
  readonly #clock: Clock
  readonly #cache: MessageCache
  readonly #people: People
  readonly #outgoing: Outgoing
  readonly #list: GroupList
  readonly #search: SearchState
  readonly #invitations: InvitationsState
  readonly #uploads: Uploads
  readonly #connection = new ConnectionState()
  readonly #fileUrls: FileUrls
  readonly #tabs: Tabs<SharedState, StoreEvent> | null
  readonly #channel: TabChannel | null
  readonly #own = new Listeners<{ readonly signal: Signal; readonly devtools: DevtoolsEvent }>()
  #client: ChatClient | null = null
  #userId: string
  #limits: MeView['limits'] = null
  #opened: Promise<void> | null = null
  #isStarted = false
  /** This tab has followed another one, whose writes to the cache may be newer or older than its own state. */
  #hasFollowed = false
  #leading: Promise<void> | null = null

  /** Shows the snapshot if there is one; `open` shows the cached state, `connect` connects. */
  constructor(options: ChatStoreOptions) {
    const { url, token, clock = systemClock, userId, snapshot, cache, tabs } = options
    this.#options = options
    this.#clock = clock
    this.#userId = userId ?? snapshot?.userId ?? ''
    const name = `tertulia ${url} ${userId ?? ''}`
    const isPage = typeof document === 'object'
    this.#channel = isPage && tabs === undefined ? openTabChannel(name) : null
    const channel = (tabs || undefined)?.channel ??
      this.#channel ?? { post: () => {}, listen: () => () => {}, close: () => {} }
    this.#cache = cache ?? createMessageCache({ name, channel, clock })
    this.#people = new People(clock, (userId, what) => this.#onPerson(userId, what))
    this.#outgoing = new Outgoing({
      cache: this.#cache,
      clock,
      onChange: (groupId) => this.#list.find(groupId)?.shownChanged(),
      onSettled: (fields) => this.#emit({ event: 'settled', fields }),
    })
    const core = this.#makeCore()
    this.#core = core
    this.#list = new GroupList(core)
    this.#search = new SearchState(core)
    this.#invitations = new InvitationsState(core)
    this.#uploads = new Uploads({
      client: { upload: (file) => this.#clientOrFail().upload(file) },
      cache: this.#cache,
      clock,
      onDone: ({ uploadId }, { fileId }) => this.#onUploaded(uploadId, fileId),
      onFailed: ({ uploadId }, failure) => this.#changeUploading(uploadId, { failure }),
    })
    this.#fileUrls = new FileUrls(url, token)
    this.me = new ComputedView<MeView>(
      { userId: this.#userId, name: '', status: 'online', limits: null },
      (before) => this.#computeMe(before),
    )
    const shared = tabs ?? (isPage && { channel, locks: webLocks })
    this.#tabs = shared ? this.#makeTabs(name, shared) : null
    if (snapshot) this.#show(snapshot)
  }

  readonly #core: StoreCore

  get connection() {
    return this.#connection.view
  }
  get groups() {
    return this.#list.view
  }
  get search() {
    return this.#search.view
  }
  get uploads() {
    return this.#uploads.view
  }
  get invitations() {
    return this.#invitations.view
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
    this.#connection.set({ state: 'idle' })
    await this.#cache.close()
    this.#channel?.close()
  }

  async signOut(): Promise<void> {
    this.#isStarted = false
    this.#stopLeading()
    this.#tabs?.close()
    await this.#cache.wipe()
    this.#onSignedOut()
  }

  group(groupId: string): GroupHandle {
    const state = this.#list.group(groupId)
    const known = this.#handles.get(state)
    if (known) return known
    const handle = new ChatGroup(state, this.#core)
    this.#handles.set(state, handle)
    return handle
  }

  readonly #handles = new WeakMap<GroupState, GroupHandle>()

  loadMoreGroups(): Promise<void> {
    return this.#list.loadMore()
  }

  async createGroup({ name, members, visibility }: Parameters<Store['createGroup']>[0]): Promise<string> {
    return await this.#create({ kind: 'group', name, members, ...(visibility && { visibility }) })
  }

  async direct(userId: string): Promise<string> {
    return await this.#create({ kind: 'direct', members: [userId] })
  }

  async join(groupId: string): Promise<void> {
    await this.#ask('join_group', { groupId }, this.#invitations.remove(groupId))
    await this.#list.refresh()
  }

  async decline(groupId: string): Promise<void> {
    await this.#ask('decline_invitation', { groupId }, this.#invitations.remove(groupId))
  }

  async setStatus(status: User['status']): Promise<void> {
    const { status: before = 'online' } = this.#people.presence(this.#userId)
    this.#people.setPresence(this.#userId, status)
    await this.#ask('update_status', { status }, () => this.#people.setPresence(this.#userId, before))
  }

  async block(userId: string): Promise<void> {
    await this.#ask('block_user', { userId })
  }

  async unblock(userId: string): Promise<void> {
    await this.#ask('unblock_user', { userId })
  }

  blocked(): Promise<readonly User[]> {
    return this.#users('get_blocked')
  }

  contacts(): Promise<readonly User[]> {
    return this.#users('get_contacts')
  }

  async searchUsers(query: string): Promise<readonly User[]> {
    const { users } = await this.#ask('search_users', { query })
    for (const user of users) this.#people.learn(user, true)
    return users
  }

  find(query: SearchQuery | null): Promise<void> {
    return this.#search.find(query)
  }

  findMore(): Promise<void> {
    return this.#search.findMore()
  }

  pauseUpload(uploadId: string): void {
    this.#uploads.pause(uploadId)
  }

  resumeUpload(uploadId: string): void {
    this.#changeUploading(uploadId, { failure: undefined })
    this.#uploads.resume(uploadId)
  }

  abortUpload(uploadId: string): void {
    this.#uploads.abort(uploadId)
    for (const entry of this.#uploading(uploadId)) this.#outgoing.discard(entry.key)
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
    this.#cache.onShared((change) => this.#onShared(change))
    this.#cache.onWiped(() => {
      this.#isStarted = false
      this.#stopLeading()
      this.#tabs?.close()
      this.#onSignedOut()
    })
    this.#restore(await this.#cache.open(this.#userId || undefined), false)
  }

  /** Shows what is cached; `isAgain`, what other tabs have removed is removed. */
  #restore({ profile, groups, outbox, drafts, uploads }: CachedState, isAgain: boolean): void {
    this.#log('cache', 'opened', { groups: groups.length, outbox: outbox.length })
    if (profile) {
      this.#userId = profile.userId
      this.#people.learn(profile, false)
      this.#setLimits(profile.limits ?? undefined)
    }
    // First, so that messages on their way are shown as pending.
    this.#outgoing.replace(outbox)
    this.#uploads.restore(uploads)
    const isListed = (rows: readonly { readonly groupId: string }[], id: string) =>
      rows.some(({ groupId }) => groupId === id)
    for (const group of this.#list) {
      if (group.draft !== '' && !isListed(drafts, group.groupId)) this.#setDraft(group.groupId, '')
      if (isAgain && profile && !isListed(groups, group.groupId)) this.#list.remove(group.groupId)
    }
    for (const { groupId, text } of drafts) this.#setDraft(groupId, text)
    for (const row of groups) this.#list.group(row.groupId).restore(row)
    this.me.changed()
  }

  async #connect(): Promise<void> {
    if (this.#isStarted) {
      const isAgain = this.#connection.state.state !== 'idle'
      if (isAgain && this.#tabs) this.#tabs.request('connect', {}).catch(() => {})
      else if (isAgain) this.#reconnect()
      return
    }
    this.#isStarted = true
    this.#connection.set({ state: 'connecting' })
    await this.open()
    if (!this.#isStarted) return
    globalThis.addEventListener?.('online', this.#onNetwork)
    globalThis.addEventListener?.('offline', this.#onNetwork)
    globalThis.addEventListener?.('pageshow', this.#onPageShow)
    if (this.#tabs) this.#tabs.start()
    else this.#lead()
  }

  #makeTabs(name: string, tabs: { readonly channel: TabChannel; readonly locks: TabLocks }) {
    return new Tabs<SharedState, StoreEvent>({
      name,
      ...tabs,
      clock: this.#clock,
      timeoutMs: TAB_TIMEOUT_MS,
      lead: () => {
        this.#leading = this.#takeLead()
      },
      follow: () => this.#stopLeading(),
      answer: async (request, fields) => {
        await this.#leading
        if (request !== 'connect') return await this.#leadRequest(request as MethodRequest, fields as never)
        this.#reconnect()
        return {}
      },
      prepare: async () => {
        await this.#cache.flush()
        return { userId: this.#userId, connection: this.#connection.state }
      },
      join: async ({ userId, connection }) => {
        this.#hasFollowed = true
        const state = await this.#cache.open(userId || undefined)
        this.#connection.set(connection)
        this.#restore(state, true)
        if (connection.state === 'live') this.#onLive()
      },
      event: (event) => this.#handle(event),
      isRepeatable: (request, fields) =>
        request === 'connect' || isRepeatable({ name: request as MethodRequest, fields: fields as never }),
    })
  }

  async #takeLead(): Promise<void> {
    if (this.#hasFollowed) {
      // The tab that led may have crashed before it wrote the events that it passed on, or before it did that.
      const { groups } = await this.#cache.open(this.#userId || undefined)
      for (const row of groups) this.#list.find(row.groupId)?.restore(row)
    }
    if (this.#tabs?.isLeader) this.#lead()
  }

  /** This tab opens the connection. */
  #lead(): void {
    this.#cache.lead(true)
    const { url, token, clock, openSocket } = this.#options
    const after = this.#outgoing.sentAfter()
    const groups = [...this.#list].flatMap(({ groupId, row }) => {
      const lastSeq = row?.lastSeq ?? 0
      return lastSeq > 0 ? [[groupId, Math.min(lastSeq, after.get(groupId) ?? lastSeq)] as const] : []
    })
    const client = new ChatClient({
      url,
      token,
      clock,
      openSocket,
      // Messages of the outbox are never sent by another user.
      start: groups.length + this.#outgoing.all.length > 0 ? { userId: this.#userId, groups } : undefined,
    })
    this.#client = client
    for (const event of clientEvents) {
      client.on(event as keyof ClientEvents, (fields) => {
        if (this.#client === client) this.#emit({ event, fields } as StoreEvent)
      })
    }
    this.#outgoing.start(client)
    client.connect().catch(() => {})
  }

  #stopLeading(): void {
    this.#cache.lead(false)
    const client = this.#client
    this.#client = null
    this.#outgoing.stop()
    this.#uploads.offline()
    client?.close()
  }

  /** Leader: connects now, or again after the server refused the token. */
  #reconnect(): void {
    this.#client?.retryNow()
    this.#client?.connect().catch(() => {})
  }

  readonly #onNetwork = (): void => {
    this.#connection.view.changed()
    if (globalThis.navigator?.onLine !== false) this.#client?.retryNow()
  }

  readonly #onPageShow = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) this.#tabs?.rejoin()
  }

  /** Leader: handles an event, and passes it to the other tabs. */
  #emit(event: StoreEvent): void {
    this.#tabs?.broadcast(event)
    this.#handle(event)
  }

  #handle(event: StoreEvent): void {
    this.#log('event', event.event, event.fields)
    switch (event.event) {
      case 'state':
        this.#onState(event.fields)
        break
      case 'connected':
        this.#onConnected(event.fields)
        break
      case 'caught_up':
        this.#connection.set({ state: 'live' })
        this.#onLive()
        break
      case 'settled':
        this.#onSettled(event.fields)
        break
      case 'missed':
        this.#list.find(event.fields.groupId)?.missed(event.fields.from, event.fields.to)
        break
      case 'group_lost':
        this.#list.remove(event.fields.groupId)
        break
      case 'user_typing':
        this.#people.person(event.fields.userId, event.fields.userName)
        this.#list.find(event.fields.groupId)?.typing(event.fields.userId, true)
        break
      case 'user_stopped_typing':
        this.#list.find(event.fields.groupId)?.typing(event.fields.userId, false)
        break
      case 'contact_status_changed': {
        const { userId, status, lastSeenAt } = event.fields
        this.#people.setPresence(userId, status, lastSeenAt)
        break
      }
      case 'user_updated':
        this.#people.update(event.fields)
        break
      case 'message_delivered': {
        const { groupId, messageIds, deliveredTo } = event.fields
        this.#list.find(groupId)?.mark(deliveredTo, 'delivered', Math.max(...messageIds.map(seqOf)))
        break
      }
      case 'message_read': {
        const { groupId, messageIds, readBy, upTo = 0 } = event.fields
        const seq = Math.max(upTo, ...messageIds.map(seqOf))
        const group = this.#list.find(groupId)
        if (readBy === this.#userId) group?.readUpTo(seq)
        else group?.mark(readBy, 'read', seq)
        break
      }
      case 'marked_unread':
        this.#list.find(event.fields.groupId)?.unreadFrom(event.fields.seq)
        break
      case 'muted': {
        const { groupId, until = UNLIMITED } = event.fields
        this.#list.find(groupId)?.expect({ mutedUntil: until || undefined })
        break
      }
      case 'group_invited': {
        const { group, by, at } = event.fields
        this.#invitations.add({ group, by, at })
        break
      }
      case 'signal':
        this.#own.emit('signal', event.fields)
        break
      default:
        if ('durable' in events[event.event as keyof typeof events]) this.#onGroupEvent(event as GroupEvent)
    }
  }

  #onState(state: StoreEvents['state']): void {
    this.#connection.onClient(state)
    // Only the leading tab sends.
    if (state.state === 'connected' && this.#client) this.#uploads.online()
    else this.#uploads.offline()
  }

  #onConnected({ userId, limits, groups, hasMore }: StoreEvents['connected']): void {
    if (this.#userId !== userId && this.#userId !== '') this.#reset()
    this.#userId = userId
    this.#setLimits(limits)
    for (const summary of groups) this.#list.group(summary.group.groupId).merge(summary, summary.lastSeq)
    if (!hasMore) {
      const listed = new Set(groups.map(({ group }) => group.groupId))
      for (const { groupId } of this.#list) if (!listed.has(groupId)) this.#list.remove(groupId)
    }
    if (this.#client) {
      const { name, picture } = this.#people.person(userId)
      this.#cache.put('profile', { userId, name, picture, limits })
    }
    this.me.changed()
  }

  #onLive(): void {
    for (const group of this.#list) group.caughtUp()
    void this.#list.refresh()
    this.#users('get_contacts').catch(() => {})
    this.#invitations.refresh()
    this.#outgoing.online()
  }

  #onGroupEvent(event: GroupEvent): void {
    const { groupId } = event.event === 'new_message' ? event.fields.message : event.fields
    const group = this.#list.group(groupId)
    if (!group.row) {
      if (event.event === 'group_created') {
        const { group: created, seq } = event.fields
        group.merge({ group: created, unread: 0, mentions: 0 }, seq)
        if (created.kind === 'direct') void this.contacts().catch(() => {})
      } else if (event.event !== 'user_left_group') this.#list.refreshSoon()
      return
    }
    group.handle(event)
    if (event.event === 'user_left_group' && event.fields.userId === this.#userId) this.#list.remove(groupId)
  }

  #onSettled(settled: StoreEvents['settled']): void {
    const { entry, message, failure } = settled
    const group = this.#list.find(entry.groupId)
    const isCurrent = this.#outgoing.get(entry.key)?.order === entry.order
    this.#outgoing.settle(settled)
    const change = changeOf(entry, this.#userId)
    if (message) group?.window.stored(message)
    else if (change && !failure) group?.window.change(change.messageId, (one) => changeMessage(one, change))
    // The counts of the server are right.
    else if (failure) this.#list.refreshSoon()
    else if (entry.request === 'message_read' && isCurrent) this.#read(entry)
  }

  #onShared(change: SharedChange): void {
    const { table, key, row } = change
    if (table === 'outbox') {
      row ? this.#outgoing.restore([row], true) : this.#outgoing.remove(key)
      if (row?.request === 'message_read') this.#read(row)
    } else if (table === 'drafts') this.#setDraft(key, row?.text ?? '')
    else row ? this.#uploads.restore([row]) : this.#uploads.forget(key)
  }

  /** Another tab has marked messages as read. */
  #read({ groupId, fields }: OutboxEntry): void {
    this.#list.find(groupId)?.readUpTo((fields as { readonly upTo: number }).upTo)
  }

  #setDraft(groupId: string, text: string): void {
    const group = this.#list.group(groupId)
    group.draft = text
    group.changed()
  }

  #onUploaded(uploadId: string, fileId: string): void {
    for (const { key, fields } of this.#uploading(uploadId)) {
      this.#outgoing.change(key, { fields: { ...(fields as object), fileId }, uploadId: undefined })
    }
  }

  #changeUploading(uploadId: string, change: Parameters<Outgoing['change']>[1]): void {
    for (const { key } of this.#uploading(uploadId)) this.#outgoing.change(key, change)
  }

  #uploading(uploadId: string) {
    return this.#outgoing.all.filter((entry) => entry.uploadId === uploadId)
  }

  #setLimits(limits: StoreEvents['connected']['limits'] | undefined): void {
    if (!limits) return
    const { maxContentBytes, maxUploadBytes, editWindowMs, recallWindowMs } = limits
    this.#limits = {
      maxContentBytes,
      maxUploadBytes: maxUploadBytes ?? UNLIMITED,
      editWindowMs: editWindowMs ?? UNLIMITED,
      recallWindowMs: recallWindowMs ?? UNLIMITED,
    }
  }

  #computeMe(before: MeView): MeView {
    const { name, picture } = this.#people.person(this.#userId)
    const { status = 'online' } = this.#people.presence(this.#userId)
    return share(before, { userId: this.#userId, name, picture, status, limits: this.#limits })
  }

  #onPerson(userId: string, what: 'name' | 'presence'): void {
    if (userId === this.#userId) this.me.changed()
    for (const group of this.#list) what === 'name' ? group.shownChanged() : group.presenceChanged(userId)
  }

  #show({ userId, name, groups, histories = [] }: StoreSnapshot): void {
    if (name !== undefined) this.#people.learn({ userId, name }, true)
    for (const listing of groups) {
      const { groupId, lastSeq } = listing.group
      const group = this.#list.group(groupId)
      group.merge(listing, lastSeq)
      if (group.row) group.row = { ...group.row, lastSeq }
      const history = histories.find((one) => one.groupId === groupId)
      if (history) group.window.preload(pageOfHistory(history, {}, lastSeq))
    }
  }

  async #create(fields: RequestFields<'create_group'>): Promise<string> {
    const { group } = await this.#ask('create_group', fields)
    const state = this.#list.group(group.groupId)
    if (!state.row) state.merge({ group, unread: 0, mentions: 0 }, group.lastSeq)
    if (group.kind === 'direct') void this.contacts().catch(() => {})
    return group.groupId
  }

  async #users(name: 'get_contacts' | 'get_blocked'): Promise<readonly User[]> {
    const all: User[] = []
    for (let cursor: string | undefined, pages = 0; pages < MAX_CONTACT_PAGES; pages += 1) {
      const page = await this.#ask(name, { limit: 100, ...(cursor !== undefined && { cursor }) })
      for (const user of page.users) {
        this.#people.learn(user, true)
        if (name === 'get_contacts') this.#people.setPresence(user.userId, user.status, user.lastSeenAt)
      }
      all.push(...page.users)
      cursor = page.cursor
      if (cursor === undefined) break
    }
    return all
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
    if (this.#isStarted) await this.open()
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
      this.#emit({ event: 'contact_status_changed', fields: { userId: this.#userId, status, timestamp } })
    }
    return answer
  }

  #clientOrFail(): ChatClient {
    if (!this.#client) throw new ClientError('connection_lost')
    return this.#client
  }

  /** The cache was wiped, here or by another tab. */
  #onSignedOut(): void {
    this.#reset()
    this.#userId = ''
    this.me.changed()
    this.#connection.set({ state: 'signed_out' })
  }

  #reset(): void {
    this.#outgoing.clear()
    for (const { uploadId } of this.#uploads.view.getSnapshot().uploads) this.#uploads.forget(uploadId)
    this.#list.clear()
    this.#invitations.clear()
    this.#people.clear()
    void this.#search.find(null)
    for (const group of this.#list) group.draft = ''
  }

  #log(what: DevtoolsEvent['what'], name: string, detail: unknown): void {
    this.#own.emit('devtools', { at: Date.now(), what, name, detail })
  }

  #makeCore(): StoreCore {
    const store = this
    return {
      get me() {
        return store.#userId
      },
      clock: this.#clock,
      cache: this.#cache,
      people: this.#people,
      outgoing: this.#outgoing,
      request: (name, fields) => this.#request(name, fields),
      get isConnected() {
        const { state } = store.#connection.state
        return state === 'live' || state === 'catching_up'
      },
      get isLive() {
        return store.#connection.state.state === 'live'
      },
      get isLeader() {
        return store.#client !== null
      },
      learnMessages: (messages: readonly Message[]) => {
        for (const message of messages) this.#people.learn(senderOf(message), true)
      },
      upload: (groupId: string, file: NewFile) => this.#uploads.add(groupId, file).uploadId,
      resumeUpload: (uploadId) => this.#uploads.resume(uploadId),
      abortUpload: (uploadId) => this.#uploads.abort(uploadId),
      groupChanged: () => this.#list?.view.changed(),
      refreshGroups: () => this.#list.refreshSoon(),
      windowUsed: (group, isUsed) => this.#list.windowUsed(group, isUsed),
      removeGroup: (groupId) => this.#list.remove(groupId),
      delivered: (messageId) => {
        this.#client?.messageDelivered({ messageIds: [messageId] }).catch(() => {})
      },
    }
  }
}
