/**
 * Group state: one group, from its durable events (`group-events.ts`) and from what the server lists.
 *
 * `row` is what is cached of it. Two seqs say how far it is up to date: all events up to `row.lastSeq` were
 * handled; the counts, the members and the fields of the group are those of `row.group.lastSeq`, which is
 * higher while missed events arrive, because the server lists a group as it is now. Events between the two
 * change messages, and no counts (UNR-1). Whatever cannot be derived from what is in memory is read again.
 */
import type { GroupListing, GroupSummary } from '../../protocol/records.ts'
import type { CachedGroup, Draft } from './cache/message-cache.ts'
import { GroupInfo } from './group-info.ts'
import { GroupMembers } from './group-members.ts'
import { GroupPins } from './group-pins.ts'
import { GroupReceipts } from './group-receipts.ts'
import { GroupWindow } from './group-window.ts'
import type { StoreCore } from './store-core.ts'
import type { DraftMode } from './types.ts'
import { countItems } from './unread-counts.ts'

export const noDraft: Pick<Draft, 'text' | 'mode'> = { text: '' }
const UNKNOWN = Number.POSITIVE_INFINITY

export class GroupState {
  readonly groupId: string
  readonly info: GroupInfo
  readonly window: GroupWindow
  readonly members: GroupMembers
  readonly pins: GroupPins
  readonly receipts: GroupReceipts
  row: CachedGroup | null = null
  draft = noDraft
  readonly #core: StoreCore
  /** The counts are those of the server at an older time, until it lists the group again. */
  #isUncounted = false

  constructor(groupId: string, core: StoreCore) {
    this.groupId = groupId
    this.#core = core
    this.window = new GroupWindow(this, core)
    this.members = new GroupMembers(this, core)
    this.pins = new GroupPins(this, core)
    this.receipts = new GroupReceipts(this, core)
    this.info = new GroupInfo(this, core)
  }

  /** Whether nothing would be lost without this object. */
  get isIdle(): boolean {
    const { info, window, members, pins } = this
    return this.row === null && ![info, window, members, pins].some(({ view }) => view.isUsed)
  }

  restore(row: CachedGroup): void {
    // A snapshot may be newer than the cache; so may events of a tab that crashed before it wrote them.
    if (this.row && this.row.lastSeq > row.lastSeq) {
      this.#core.cache.forget(this.groupId)
      this.#core.cache.put('groups', this.row)
      return
    }
    const isOutdated = this.row !== null && this.row.lastSeq < row.lastSeq
    this.row = row
    if (row.lastMessage) this.#core.people.learnSender(row.lastMessage, false)
    for (const member of row.group.members ?? []) this.#core.people.learn(member, false)
    this.info.changed()
    if (isOutdated) this.outdated()
    else this.window.open()
  }

  setDraft(text: string, mode: DraftMode | null | undefined = this.draft.mode): void {
    const { groupId, draft } = this
    const { cache } = this.#core
    if (draft.text === text && draft.mode === (mode ?? undefined)) return
    this.draft = text === '' && !mode ? noDraft : { text, mode: mode ?? undefined }
    if (this.draft === noDraft) cache.remove('drafts', groupId)
    else cache.put('drafts', { groupId, ...this.draft, at: Date.now() })
    this.info.changed()
  }

  /** The group as the server lists it. */
  merge(listing: GroupListing | GroupSummary, lastSeq: number): void {
    const before = this.row
    for (const member of listing.group.members ?? []) this.#core.people.learn(member, true)
    const lastMessage = 'lastMessage' in listing ? listing.lastMessage : undefined
    if (lastMessage) this.#core.learnMessages([lastMessage])
    if (before && lastSeq < before.group.lastSeq) {
      // Events arrived before this answer, which is needed as it would be now.
      if (this.#isUncounted || (lastMessage?.seq ?? 0) > (before.lastMessage?.seq ?? 0))
        this.#core.refreshGroups()
      return
    }
    this.#isUncounted = false
    const { unread, mentions, mutedUntil } = listing
    const newest =
      (lastMessage?.seq ?? 0) >= (before?.lastMessage?.seq ?? 0) ? lastMessage : before?.lastMessage
    const row: CachedGroup = {
      ...before,
      groupId: this.groupId,
      group: {
        ...listing.group,
        members: listing.group.members ?? before?.group.members,
        lastSeq,
      },
      unread,
      mentions,
      readSeq: listing.readSeq ?? 0,
      mutedUntil,
      lastMessage: newest,
      // During a catch-up the events since the user joined follow.
      lastSeq: before?.lastSeq ?? (this.#core.isLive ? lastSeq : 0),
      lastActivityAt: Math.max(newest?.createdAt ?? 0, listing.group.createdAt),
    }
    this.store(row)
    // A read mark that the server has not received yet.
    const read = this.#core.outgoing.get(`read:${this.groupId}`)
    if (read) this.readUpTo((read.fields as { readonly upTo: number }).upTo)
    this.window.open()
  }

  /** All events up to `lastSeq` were handled. */
  caughtUp(): void {
    const { row } = this
    if (!row) return
    if (row.group.lastSeq > row.lastSeq) this.store({ ...row, lastSeq: row.group.lastSeq })
    this.window.advance(row.group.lastSeq)
    this.window.open()
    this.receipts.outdated()
    this.#refresh()
  }

  /** Everything on show may have changed. */
  outdated(): void {
    this.window.outdated()
    this.#refresh()
  }

  /** Events that `resume` does not replay: everything that is known of the messages may have changed. */
  missed(from: number, to: number): void {
    const { row } = this
    if (!row) return
    const first = Math.max(from, row.lastSeq + 1)
    this.forgetItems({ ...row, lastSeq: Math.max(row.lastSeq, to) })
    this.window.missed(first, to)
  }

  remove(): void {
    this.row = null
    this.window.drop()
    this.info.clear()
  }

  /** The names of users, or entries of the outbox, have changed. */
  shownChanged(): void {
    this.info.changed()
    this.window.changed()
    this.members.view.changed()
    this.pins.view.changed()
  }

  presenceChanged(userId: string): void {
    const { kind, members } = this.row?.group ?? {}
    if (kind === 'direct' && members?.some((member) => member.userId === userId)) this.info.changed()
    this.members.view.changed()
  }

  /** The user has read everything up to `seq`, here or on another device. */
  readUpTo(seq: number): void {
    const { row } = this
    if (!row || seq <= (row.readSeq ?? 0)) return
    this.#moveRead(row, seq)
  }

  /** Unread messages start at `seq` again. */
  unreadFrom(seq: number): void {
    const { row } = this
    if (!row || seq - 1 >= (row.readSeq ?? 0)) return
    this.window.markUnread(seq)
    this.#moveRead(row, seq - 1)
  }

  /** Changes fields before the server has answered; the returned function takes them back. */
  expect(change: Partial<CachedGroup>): () => void {
    const { row } = this
    if (!row) return () => {}
    this.store({ ...row, ...change })
    return () => {
      const back = Object.keys(change).map((key) => [key, row[key as keyof CachedGroup]])
      if (this.row) this.store({ ...this.row, ...Object.fromEntries(back) })
    }
  }

  /** The counts cannot be derived from what is in memory: they are read from the server. */
  recount(): void {
    this.#isUncounted = true
    this.#core.refreshGroups()
  }

  /** Shows a new state, and stores it in the tab that leads. */
  store(row: CachedGroup): void {
    this.row = row
    if (this.#core.isLeader) this.#core.cache.put('groups', row)
    this.info.changed()
  }

  /** Forgets the cached items; in every tab: the leading one may write them after another has read. */
  forgetItems(row: CachedGroup): void {
    this.#core.cache.forget(this.groupId)
    this.store(row)
  }

  /** Moves the read mark. Counts that are not known from here stay until the server lists the group again. */
  #moveRead(row: CachedGroup, readSeq: number): void {
    const { timeline, isComplete } = this.window
    const isCurrent = row.lastSeq >= row.group.lastSeq
    const newest = isCurrent ? (row.lastMessage?.seq ?? UNKNOWN) : row.group.lastSeq
    // While events are missing, the messages in memory are not all.
    const isShown = isCurrent && isComplete && timeline?.isNewest && timeline.from <= readSeq + 1
    let { unread, mentions } = row
    if (readSeq >= newest || isShown) {
      ;({ unread, mentions } = countItems(timeline?.items ?? [], this.#core.me, readSeq))
    } else {
      this.recount()
    }
    this.store({ ...row, readSeq, unread, mentions })
  }

  #refresh(): void {
    this.members.refresh()
    this.pins.refresh()
  }
}
