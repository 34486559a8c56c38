/**
 * Store state: everything that a store shows, in one tab. Changed by the events of the leading tab's client, by
 * the cached state, and by what other tabs store.
 */
import type { SendRequest } from '../../protocol/methods.ts'
import type { Message, User } from '../../protocol/records.ts'
import type { RequestFields } from '../../protocol/requests.ts'
import type { ChatClient } from '../chat-client.ts'
import { ClientError } from '../client-error.ts'
import type { Clock } from '../clock.ts'
import type { GroupEvent } from '../group-event.ts'
import type { CachedState, MessageCache, OutboxEntry, SharedChange } from './cache/message-cache.ts'
import { ComputedView } from './computed-view.ts'
import { ConnectionState } from './connection-state.ts'
import { handleEvent } from './group-events.ts'
import { GroupList } from './group-list.ts'
import { noDraft } from './group-state.ts'
import { InvitationsState } from './invitations-state.ts'
import { changeMessage, changeOf, seqOf } from './message-changes.ts'
import { Outgoing } from './outgoing.ts'
import { People } from './people.ts'
import { SearchState } from './search-state.ts'
import { share } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import type { StoreEvent, StoreEvents } from './store-event.ts'
import type { StoreSnapshot } from './store-snapshot.ts'
import { pageOfHistory } from './timeline.ts'
import type { MeView, NewFile, Signal } from './types.ts'
import { Uploads } from './uploads.ts'

export interface StoreHost {
  readonly clock: Clock
  readonly cache: MessageCache
  /** The client of this tab, if it leads. */
  readonly client: ChatClient | null
  readonly request: SendRequest
  onSignal(signal: Signal): void
  /** Leader: handles an event, and passes it to the other tabs. */
  emit(event: StoreEvent): void
}

const MAX_CONTACT_PAGES = 5
const UNLIMITED = Number.POSITIVE_INFINITY

export class StoreState {
  readonly me: ComputedView<MeView>
  readonly people: People
  readonly outgoing: Outgoing
  readonly list: GroupList
  readonly search: SearchState
  readonly invitations: InvitationsState
  readonly uploads: Uploads
  readonly connection = new ConnectionState()
  readonly core: StoreCore
  readonly #host: StoreHost
  userId: string
  #limits: MeView['limits'] = null

  constructor(host: StoreHost, userId: string) {
    const { cache, clock } = host
    this.#host = host
    this.userId = userId
    this.people = new People(clock, (changed, what) => this.#onPerson(changed, what))
    this.outgoing = new Outgoing({
      cache,
      clock,
      onChange: (groupId) => this.list.find(groupId)?.shownChanged(),
      hasUpload: (uploadId) => this.uploads.has(uploadId),
      onSettled: (fields) => host.emit({ event: 'settled', fields }),
    })
    this.core = this.#makeCore()
    this.list = new GroupList(this.core)
    this.search = new SearchState(this.core)
    this.invitations = new InvitationsState(this.core)
    this.uploads = new Uploads({
      client: {
        upload: (file) => host.client?.upload(file) ?? Promise.reject(new ClientError('connection_lost')),
      },
      cache,
      clock,
      onChange: (fields) => host.client && host.emit({ event: 'uploads', fields }),
      onDone: ({ uploadId }, { fileId }) => this.#onUploaded(uploadId, fileId),
      onFailed: ({ uploadId }, failure) => this.changeUploading(uploadId, { failure }),
    })
    this.me = new ComputedView<MeView>({ userId, name: '', status: 'online', limits: null }, (before) =>
      this.#computeMe(before),
    )
  }

  /** Shows what is cached; `isAgain`, what other tabs have removed is removed. */
  restore({ profile, groups, outbox, drafts, uploads }: CachedState, isAgain: boolean): void {
    if (profile) {
      this.userId = profile.userId
      this.people.learn(profile, false)
      this.#setLimits(profile.limits ?? undefined)
    }
    // First, so that messages on their way are shown as pending.
    this.outgoing.replace(outbox)
    this.uploads.restore(uploads)
    const isListed = (rows: readonly { readonly groupId: string }[], id: string) =>
      rows.some(({ groupId }) => groupId === id)
    for (const group of this.list) {
      if (group.draft !== noDraft && !isListed(drafts, group.groupId)) this.#setDraft(group.groupId)
      if (isAgain && profile && !isListed(groups, group.groupId)) this.list.remove(group.groupId)
    }
    for (const draft of drafts) this.#setDraft(draft.groupId, draft)
    for (const row of groups) this.list.group(row.groupId).restore(row)
    this.me.changed()
  }

  handle(event: StoreEvent): void {
    switch (event.event) {
      case 'state':
        this.#onState(event.fields)
        break
      case 'connected':
        this.#onConnected(event.fields)
        break
      case 'caught_up':
        this.connection.set({ state: 'live' })
        this.onLive()
        break
      case 'settled':
        this.#onSettled(event.fields)
        break
      case 'uploads':
        if (!this.#host.client) this.uploads.follow(event.fields)
        break
      case 'missed':
        this.list.find(event.fields.groupId)?.missed(event.fields.from, event.fields.to)
        break
      case 'group_lost':
        this.list.remove(event.fields.groupId)
        break
      case 'user_typing':
        this.people.person(event.fields.userId, event.fields.userName)
        this.list.find(event.fields.groupId)?.info.typing(event.fields.userId, true)
        break
      case 'user_stopped_typing':
        this.list.find(event.fields.groupId)?.info.typing(event.fields.userId, false)
        break
      case 'contact_status_changed': {
        const { userId, status, lastSeenAt } = event.fields
        this.people.setPresence(userId, status, lastSeenAt)
        break
      }
      case 'user_updated':
        this.people.update(event.fields)
        break
      case 'message_delivered': {
        const { groupId, messageIds, deliveredTo } = event.fields
        this.list.find(groupId)?.receipts.mark(deliveredTo, 'delivered', Math.max(...messageIds.map(seqOf)))
        break
      }
      case 'message_read': {
        const { groupId, messageIds, readBy, upTo = 0 } = event.fields
        const seq = Math.max(upTo, ...messageIds.map(seqOf))
        const group = this.list.find(groupId)
        if (readBy === this.userId) group?.readUpTo(seq)
        else group?.receipts.mark(readBy, 'read', seq)
        break
      }
      case 'marked_unread':
        this.list.find(event.fields.groupId)?.unreadFrom(event.fields.seq)
        break
      case 'muted': {
        const { groupId, until = UNLIMITED } = event.fields
        this.list.find(groupId)?.expect({ mutedUntil: until || undefined })
        break
      }
      case 'group_invited': {
        const { group, by, at } = event.fields
        this.invitations.add({ group, by, at })
        break
      }
      case 'signal':
        this.#host.onSignal(event.fields)
        break
      default:
        // What has a seq is part of the log of its group.
        if (event.event === 'new_message' || 'seq' in event.fields) this.#onGroupEvent(event as GroupEvent)
    }
  }

  #onState(state: StoreEvents['state']): void {
    this.connection.onClient(state)
    // Only the leading tab sends.
    if (state.state === 'connected' && this.#host.client) this.uploads.online()
    else this.uploads.offline()
  }

  #onConnected({ userId, limits, groups, hasMore }: StoreEvents['connected']): void {
    if (this.userId !== userId && this.userId !== '') this.#reset()
    this.userId = userId
    this.#setLimits(limits)
    for (const summary of groups) this.list.group(summary.group.groupId).merge(summary, summary.lastSeq)
    if (!hasMore) {
      const listed = new Set(groups.map(({ group }) => group.groupId))
      for (const { groupId } of this.list) if (!listed.has(groupId)) this.list.remove(groupId)
    }
    if (this.#host.client) {
      const { name, picture } = this.people.person(userId)
      this.#host.cache.put('profile', { userId, name, picture, limits })
    }
    this.me.changed()
  }

  onLive(): void {
    for (const group of this.list) group.caughtUp()
    void this.list.refresh()
    this.users('get_contacts').catch(() => {})
    this.invitations.refresh()
    this.outgoing.online()
  }

  #onGroupEvent(event: GroupEvent): void {
    const { groupId } = event.event === 'new_message' ? event.fields.message : event.fields
    const group = this.list.group(groupId)
    if (!group.row) {
      if (event.event === 'group_created') {
        const { group: created, seq } = event.fields
        group.merge({ group: created, unread: 0, mentions: 0 }, seq)
        if (created.kind === 'direct') void this.users('get_contacts').catch(() => {})
      } else if (event.event !== 'user_left_group') this.list.refreshSoon()
      return
    }
    handleEvent(group, this.core, event)
    if (event.event === 'user_left_group' && event.fields.userId === this.userId) this.list.remove(groupId)
  }

  #onSettled(settled: StoreEvents['settled']): void {
    const { entry, message, failure } = settled
    const group = this.list.find(entry.groupId)
    const isCurrent = this.outgoing.get(entry.key)?.order === entry.order
    this.outgoing.settle(settled)
    const change = changeOf(entry, this.userId)
    if (message) group?.window.stored(message)
    else if (change && !failure) group?.window.change(change.messageId, (one) => changeMessage(one, change))
    else if (failure) {
      // The counts of the server are right.
      this.list.refreshSoon()
      if (group && this.#host.client && entry.request === 'edit_message') {
        const { content } = entry.fields as RequestFields<'edit_message'>
        group.setDraft(group.draft.text === '' ? content : `${group.draft.text}\n${content}`)
      }
    } else if (entry.request === 'message_read' && isCurrent) this.#read(entry)
  }

  onShared(change: SharedChange): void {
    const { table, key, row } = change
    if (table === 'outbox') {
      row ? this.outgoing.restore([row], true) : this.outgoing.remove(key)
      if (row?.request === 'message_read') this.#read(row)
    } else if (table === 'drafts') this.#setDraft(key, row)
    else row ? this.uploads.restore([row], false) : this.uploads.forget(key)
  }

  /** Another tab has marked messages as read. */
  #read({ groupId, fields }: OutboxEntry): void {
    this.list.find(groupId)?.readUpTo((fields as { readonly upTo: number }).upTo)
  }

  #setDraft(groupId: string, draft = noDraft): void {
    const group = this.list.group(groupId)
    group.draft = draft
    group.info.changed()
  }

  #onUploaded(uploadId: string, fileId: string): void {
    for (const { key, fields } of this.uploading(uploadId)) {
      // It may have failed because this tab did not know the upload yet.
      const change = { uploadId: undefined, failure: undefined }
      this.outgoing.change(key, { fields: { ...(fields as object), fileId }, ...change })
    }
  }

  changeUploading(uploadId: string, change: Parameters<Outgoing['change']>[1]): void {
    for (const { key } of this.uploading(uploadId)) this.outgoing.change(key, change)
  }

  uploading(uploadId: string) {
    return this.outgoing.all.filter((entry) => entry.uploadId === uploadId)
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
    const { name, picture } = this.people.person(this.userId)
    const { status = 'online' } = this.people.presence(this.userId)
    return share(before, { userId: this.userId, name, picture, status, limits: this.#limits })
  }

  #onPerson(userId: string, what: 'name' | 'presence'): void {
    if (userId === this.userId) this.me.changed()
    for (const group of this.list) what === 'name' ? group.shownChanged() : group.presenceChanged(userId)
  }

  show({ userId, name, groups, histories = [] }: StoreSnapshot): void {
    if (name !== undefined) this.people.learn({ userId, name }, true)
    for (const listing of groups) {
      const { groupId, lastSeq } = listing.group
      const group = this.list.group(groupId)
      group.merge(listing, lastSeq)
      if (group.row) group.row = { ...group.row, lastSeq }
      const history = histories.find((one) => one.groupId === groupId)
      if (history) group.window.preload(pageOfHistory(history, {}, lastSeq))
    }
  }

  async users(name: 'get_contacts' | 'get_blocked'): Promise<readonly User[]> {
    const all: User[] = []
    for (let cursor: string | undefined, pages = 0; pages < MAX_CONTACT_PAGES; pages += 1) {
      const page = await this.#host.request(name, { limit: 100, ...(cursor !== undefined && { cursor }) })
      for (const user of page.users) {
        this.people.learn(user, true)
        if (name === 'get_contacts') this.people.setPresence(user.userId, user.status, user.lastSeenAt)
      }
      all.push(...page.users)
      cursor = page.cursor
      if (cursor === undefined) break
    }
    return all
  }

  /** The cache was wiped, here or by another tab. */
  signedOut(): void {
    this.#reset()
    this.userId = ''
    this.me.changed()
    this.connection.set({ state: 'signed_out' })
  }

  #reset(): void {
    this.outgoing.clear()
    for (const { uploadId } of this.uploads.view.getSnapshot().uploads) this.uploads.forget(uploadId)
    this.list.clear()
    this.invitations.clear()
    this.people.clear()
    void this.search.find(null)
    for (const group of this.list) group.draft = noDraft
  }

  #makeCore(): StoreCore {
    const store = this
    return {
      get me() {
        return store.userId
      },
      clock: this.#host.clock,
      cache: this.#host.cache,
      people: this.people,
      outgoing: this.outgoing,
      request: this.#host.request,
      get isConnected() {
        const { state } = store.connection.state
        return state === 'live' || state === 'catching_up'
      },
      get isLive() {
        return store.connection.state.state === 'live'
      },
      get isLeader() {
        return store.#host.client !== null
      },
      learnMessages: (messages: readonly Message[]) => {
        for (const message of messages) this.people.learnSender(message, true)
      },
      upload: (groupId: string, file: NewFile) => this.uploads.add(groupId, file).uploadId,
      resumeUpload: (uploadId) => this.uploads.resume(uploadId),
      abortUpload: (uploadId) => this.uploads.abort(uploadId),
      groupChanged: () => this.list?.view.changed(),
      refreshGroups: () => this.list.refreshSoon(),
      windowUsed: (group, isUsed) => this.list.windowUsed(group, isUsed),
      removeGroup: (groupId) => this.list.remove(groupId),
      delivered: (messageId) => {
        this.#host.client?.messageDelivered({ messageIds: [messageId] }).catch(() => {})
      },
    }
  }
}
