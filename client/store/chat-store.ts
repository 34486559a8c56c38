/**
 * Chat store: the state of the chats of one user, to show and to change.
 *
 * Every tab has a store; `store-connection.ts` connects them. What the user does is shown at once, stored, and
 * confirmed or taken back by the server's answer.
 */
import type { Answer, MethodRequest } from '../../protocol/methods.ts'
import type { File, User } from '../../protocol/records.ts'
import type { RequestFields } from '../../protocol/requests.ts'
import { ChatGroup } from './chat-group.ts'
import { ask, rejectFailure } from './failure.ts'
import { FileUrls } from './file-urls.ts'
import type { GroupState } from './group-state.ts'
import { StoreConnection } from './store-connection.ts'
import type { ChatStoreOptions } from './store-options.ts'
import type { StoreState } from './store-state.ts'
import type { DevtoolsEvent, GroupHandle, SearchQuery, Signal, Store } from './types.ts'

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
  readonly #connection: StoreConnection
  readonly #state: StoreState
  readonly #fileUrls: FileUrls
  readonly #handles = new WeakMap<GroupState, GroupHandle>()

  /** Shows the snapshot if there is one; `open` shows the cached state, `connect` connects. */
  constructor(options: ChatStoreOptions) {
    this.#connection = new StoreConnection(options)
    this.#state = this.#connection.state
    this.#fileUrls = new FileUrls(options.url, options.token)
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
    return this.#connection.open()
  }

  connect(): void {
    void this.#connection.connect()
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  signOut(): Promise<void> {
    return this.#connection.signOut()
  }

  group(groupId: string): GroupHandle {
    const state = this.#state.list.group(groupId)
    const known = this.#handles.get(state)
    if (known) return known
    const handle = new ChatGroup(state, this.#state.core)
    this.#handles.set(state, handle)
    return handle
  }

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
    return this.#connection.listeners.on('signal', listener)
  }

  async signal(signal: Omit<Signal, 'fromUserId'>): Promise<void> {
    await this.#ask('signal', signal)
  }

  onDevtools(listener: (event: DevtoolsEvent) => void): () => void {
    return this.#connection.listeners.on('devtools', listener)
  }

  async #create(fields: RequestFields<'create_group'>): Promise<string> {
    const { group } = await this.#ask('create_group', fields)
    const state = this.#state.list.group(group.groupId)
    if (!state.row) state.merge({ group, unread: 0, mentions: 0 }, group.lastSeq)
    if (group.kind === 'direct') void this.contacts().catch(() => {})
    return group.groupId
  }

  #ask<N extends MethodRequest>(name: N, fields: RequestFields<N>, undo?: () => void): Promise<Answer<N>> {
    return ask(this.#connection.request, name, fields, undo)
  }
}
