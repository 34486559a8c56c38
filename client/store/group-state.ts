/**
 * Group state: one group, from its durable events and from what the server lists.
 *
 * `row` is what is cached of it. Two seqs say how far it is up to date: all events up to `row.lastSeq` were
 * handled; the counts, the members and the fields of the group are those of `row.group.lastSeq`, which is
 * higher while missed events arrive, because the server lists a group as it is now. Events between the two
 * change messages, and no counts (UNR-1). Whatever cannot be derived from what is in memory is read again.
 */
import type { EventFields } from '../../protocol/events.ts'
import type { Group, GroupListing, GroupSummary, Message } from '../../protocol/records.ts'
import { type GroupEvent, placeOf } from '../group-event.ts'
import type { CachedGroup, CachedItem, ReceiptMark } from './cache/message-cache.ts'
import { ComputedView } from './computed-view.ts'
import { GroupMembers } from './group-members.ts'
import { GroupPins } from './group-pins.ts'
import { GroupWindow } from './group-window.ts'
import { type ChangeEvent, changeMessage, seqOf } from './message-changes.ts'
import { MessageItems } from './message-items.ts'
import { noticeItem } from './notices.ts'
import { share } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import { lostItem } from './timeline.ts'
import type { GroupItem } from './types.ts'

const TYPING_MS = 7_000
const MAX_MARKS = 500
const UNKNOWN = Number.POSITIVE_INFINITY
/** Own messages whose receipts are read again after a connection was lost. */
const RECEIPTS_READ = 8

export class GroupState {
  readonly groupId: string
  readonly info: ComputedView<GroupItem | null>
  readonly window: GroupWindow
  readonly members: GroupMembers
  readonly pins: GroupPins
  row: CachedGroup | null = null
  draft = ''
  readonly #core: StoreCore
  readonly #items = new MessageItems()
  readonly #typing = new Map<string, () => void>()
  #hasReceipts = false
  /** The counts are those of the server at an older time, until it lists the group again. */
  #isUncounted = false

  constructor(groupId: string, core: StoreCore) {
    this.groupId = groupId
    this.#core = core
    this.window = new GroupWindow(this, core)
    this.members = new GroupMembers(this, core)
    this.pins = new GroupPins(this, core)
    this.info = new ComputedView<GroupItem | null>(null, (before) => this.#compute(before))
  }

  /** Whether nothing would be lost without this object. */
  get isIdle(): boolean {
    const { info, window, members, pins } = this
    return this.row === null && ![info, window.view, members.view, pins.view].some(({ isUsed }) => isUsed)
  }

  get mayHaveMarks(): boolean {
    return this.row !== null && this.row.group.memberCount <= MAX_MARKS
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
    if (row.lastMessage) this.#core.people.learn(senderOf(row.lastMessage), false)
    for (const member of row.group.members ?? []) this.#core.people.learn(member, false)
    this.changed()
    if (!isOutdated) this.window.open()
    else {
      this.window.outdated()
      this.members.refresh()
      this.pins.refresh()
    }
  }

  /** The group as the server lists it. */
  merge(listing: GroupListing | GroupSummary, lastSeq: number): void {
    const before = this.row
    for (const member of listing.group.members ?? []) this.#core.people.learn(member, true)
    const lastMessage = 'lastMessage' in listing ? listing.lastMessage : undefined
    if (lastMessage) this.#core.learnMessages([lastMessage])
    if (before && lastSeq < before.group.lastSeq) {
      if (this.#isUncounted) this.#core.refreshGroups()
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
    this.#store(row)
    // A read mark that the server has not received yet.
    const read = this.#core.outgoing.get(`read:${this.groupId}`)
    if (read) this.readUpTo((read.fields as { readonly upTo: number }).upTo)
    this.window.open()
  }

  /** All events up to `lastSeq` were handled. */
  caughtUp(): void {
    const { row } = this
    if (!row) return
    if (row.group.lastSeq > row.lastSeq) this.#store({ ...row, lastSeq: row.group.lastSeq })
    this.#hasReceipts = false
    this.window.advance(row.group.lastSeq)
    this.window.open()
    this.windowLoaded()
    this.members.refresh()
    this.pins.refresh()
  }

  /** Handles a durable event, in the order of the group. */
  handle(event: GroupEvent): void {
    const { row } = this
    const { seq } = placeOf(event)
    if (!row || seq <= row.lastSeq) return
    const isNew = seq > row.group.lastSeq
    const after = { ...row, lastSeq: seq, group: { ...row.group, lastSeq: Math.max(seq, row.group.lastSeq) } }
    let item: CachedItem | undefined
    switch (event.event) {
      case 'new_message':
        item = this.#onMessage(after, event.fields.message, isNew)
        break
      case 'gap': {
        this.#onGap(event.fields)
        item = lostItem(this.groupId, seq)
        after.lastMessage = this.row?.lastMessage
        break
      }
      case 'message_edited':
      case 'message_deleted':
      case 'message_recalled':
      case 'reaction_changed':
      case 'message_pinned':
      case 'message_unpinned':
        this.#onChange(after, event, isNew)
        break
      default:
        if (isNew) after.group = this.#changeGroup(after.group, event)
        item = noticeItem(event, seq, {
          groupId: this.groupId,
          people: this.#core.people,
          // Events without a time are from now, or follow the last message.
          at: this.#core.isConnected ? Date.now() : row.lastActivityAt,
        })
        this.members.handle(event)
    }
    if (this.#core.isLeader) {
      const from = row.lastSeq > 0 ? row.lastSeq + 1 : seq
      this.#core.cache.putItems(this.groupId, item ? [item] : [], [from, seq])
    }
    this.window.advance(seq, item)
    this.#store(after)
  }

  /** Events that `resume` does not replay: everything that is known of the messages may have changed. */
  missed(from: number, to: number): void {
    const { row } = this
    if (!row) return
    const first = Math.max(from, row.lastSeq + 1)
    this.#forgetItems({ ...row, lastSeq: Math.max(row.lastSeq, to) })
    this.window.missed(first, to)
  }

  remove(): void {
    this.row = null
    for (const cancel of this.#typing.values()) cancel()
    this.#typing.clear()
    this.window.drop()
    this.changed()
  }

  changed(): void {
    this.info.changed()
    this.#core.groupChanged()
  }

  /** The names of users, or entries of the outbox, have changed. */
  shownChanged(): void {
    this.changed()
    this.window.changed()
    this.members.view.changed()
    this.pins.view.changed()
  }

  presenceChanged(userId: string): void {
    const { kind, members } = this.row?.group ?? {}
    if (kind === 'direct' && members?.some((member) => member.userId === userId)) this.changed()
    this.members.view.changed()
  }

  /** A user types until `user_stopped_typing`, a message or `TYPING_MS` (TYP-1). */
  typing(userId: string, isTyping: boolean): void {
    this.#typing.get(userId)?.()
    this.#typing.delete(userId)
    if (isTyping && userId !== this.#core.me) {
      this.#typing.set(
        userId,
        this.#core.clock.after(TYPING_MS, () => this.typing(userId, false)),
      )
    }
    this.changed()
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
    this.#store({ ...row, ...change })
    return () => {
      const back = Object.keys(change).map((key) => [key, row[key as keyof CachedGroup]])
      if (this.row) this.#store({ ...this.row, ...Object.fromEntries(back) })
    }
  }

  /** A member has received or read messages up to `seq`. */
  mark(userId: string, kind: 'delivered' | 'read', seq: number): void {
    const { row } = this
    if (!row || !this.mayHaveMarks) return
    const marks = row.marks ?? []
    const [, delivered, read] = marks.find(([id]) => id === userId) ?? [userId, 0, 0]
    const mark: ReceiptMark = [userId, Math.max(delivered, seq), kind === 'read' ? Math.max(read, seq) : read]
    if (mark[1] === delivered && mark[2] === read) return
    this.#store({ ...row, marks: [...marks.filter(([id]) => id !== userId), mark].slice(-MAX_MARKS) })
    this.window.changed()
  }

  /** The window was loaded: receipts of the newest own messages are requested. */
  windowLoaded(): void {
    if (!this.#core.isConnected || !this.window.view.isUsed || !this.window.timeline) return
    if (this.#hasReceipts) return
    this.#hasReceipts = true
    void this.#readReceipts()
  }

  async #readReceipts(): Promise<void> {
    for (const seq of this.window.ownSeqs.slice(0, RECEIPTS_READ)) {
      try {
        const answer = await this.#core.request('get_receipts', { messageId: `${this.groupId}:${seq}` })
        for (const [userId] of answer.delivered) this.mark(userId, 'delivered', seq)
        for (const [userId] of answer.read) this.mark(userId, 'read', seq)
        // Who has read a message has read those before it.
        if (answer.readCount >= (this.row?.group.memberCount ?? 0) - 1) return
      } catch {
        return
      }
    }
  }

  #store(row: CachedGroup): void {
    this.row = row
    if (this.#core.isLeader) this.#core.cache.put('groups', row)
    this.changed()
  }

  #onMessage(after: Mutable<CachedGroup>, message: Message, isNew: boolean): CachedItem {
    const { me } = this.#core
    this.#core.learnMessages([message])
    if (message.seq > (after.lastMessage?.seq ?? 0)) after.lastMessage = message
    after.lastActivityAt = Math.max(after.lastActivityAt, message.createdAt)
    if (message.senderId !== me) {
      if (isNew && isUnread(message, after)) {
        after.unread += 1
        if (message.mentions?.includes(me)) after.mentions += 1
      }
      this.#core.delivered(message.messageId)
    }
    this.typing(message.senderId, false)
    return { groupId: this.groupId, seq: message.seq, message }
  }

  #onChange(after: Mutable<CachedGroup>, event: ChangeEvent, isNew: boolean): void {
    const { messageId } = event.fields
    const { me } = this.#core
    const { lastMessage } = after
    const before = lastMessage?.messageId === messageId ? lastMessage : this.window.message(messageId)
    const change = (message: Message) => changeMessage(message, event)
    if (lastMessage?.messageId === messageId) after.lastMessage = change(lastMessage)
    const changesCounts = event.event !== 'reaction_changed' && !event.event.endsWith('pinned')
    if (isNew && changesCounts && after.unread > 0 && seqOf(messageId) > (after.readSeq ?? 0)) {
      if (before) {
        const counts = (message: Message) => (isUnread(message, after) && message.senderId !== me ? 1 : 0)
        const mentions = (message: Message) => (message.mentions?.includes(me) ? counts(message) : 0)
        const changed = change(before)
        after.unread += counts(changed) - counts(before)
        after.mentions += mentions(changed) - mentions(before)
      } else this.#core.refreshGroups()
    }
    this.window.change(messageId, change)
    this.pins.onChange(event)
    // In every tab: one of them may just have stored a page that was read before the change.
    this.#core.cache.changeItem(this.groupId, seqOf(messageId), (item) =>
      'message' in item ? { ...item, message: change(item.message) } : item,
    )
  }

  #changeGroup(group: Group, event: Exclude<GroupEvent, ChangeEvent>): Group {
    switch (event.event) {
      case 'user_joined_group':
        return { ...group, memberCount: group.memberCount + 1 }
      case 'user_left_group':
        return { ...group, memberCount: Math.max(0, group.memberCount - 1) }
      case 'group_updated': {
        const { name = group.name, topic = group.topic } = event.fields
        const { avatarUrl = group.avatarUrl, visibility = group.visibility } = event.fields
        return { ...group, name, topic, avatarUrl, visibility }
      }
      default:
        return group
    }
  }

  /** A crash took back everything from `from` to `to`, also changes of earlier messages (GAP-1). */
  #onGap({ from, to }: EventFields<'gap'>): void {
    const { row } = this
    if (!row) return
    this.window.timeline?.remove(from, to)
    const seq = row.lastMessage?.seq ?? 0
    const lastMessage = seq >= from && seq <= to ? undefined : row.lastMessage
    this.#forgetItems({ ...row, lastMessage })
    this.window.outdated()
    this.#core.refreshGroups()
    this.members.refresh()
    this.pins.refresh()
  }

  /** In every tab: the leading one may write it after another has read. */
  #forgetItems(row: CachedGroup): void {
    this.#core.cache.forget(this.groupId)
    this.#store(row)
  }

  /** Moves the read mark. Counts that are not known from here stay until the server lists the group again. */
  #moveRead(row: CachedGroup, readSeq: number): void {
    const { timeline, isComplete } = this.window
    const isCurrent = row.lastSeq >= row.group.lastSeq
    const newest = isCurrent ? (row.lastMessage?.seq ?? UNKNOWN) : row.group.lastSeq
    const { me } = this.#core
    // While events are missing, the messages in memory are not all.
    const isShown = isCurrent && isComplete && timeline?.isNewest && timeline.from <= readSeq + 1
    let { unread, mentions } = row
    if (readSeq >= newest || isShown) {
      unread = 0
      mentions = 0
      for (const item of timeline?.items ?? []) {
        if (!('message' in item) || item.message.senderId === me || !isUnread(item.message, { readSeq }))
          continue
        unread += 1
        if (item.message.mentions?.includes(me)) mentions += 1
      }
    } else {
      this.#isUncounted = true
      this.#core.refreshGroups()
    }
    this.#store({ ...row, readSeq, unread, mentions })
  }

  #compute(before: GroupItem | null): GroupItem | null {
    const { row, draft } = this
    if (!row) return null
    const { me, people, outgoing } = this.#core
    const { group, unread, mentions, readSeq = 0, mutedUntil, lastMessage, lastActivityAt } = row
    const entries = outgoing.of(this.groupId)
    const sending = entries.filter(({ request }) => request === 'send_message')
    const context = { me, people, entries, marks: row.marks ?? [], find: () => undefined }
    const items = this.#items.list(
      lastMessage ? [{ groupId: this.groupId, seq: lastMessage.seq, message: lastMessage }] : [],
      context,
    )
    const last = items.at(-1)
    const other = group.kind === 'direct' ? group.members?.find(({ userId }) => userId !== me) : undefined
    const peer = other && people.person(other.userId, other.name)
    const { status, lastSeenAt } = peer ? people.presence(peer.userId) : {}
    const failed = sending.filter(({ failure }) => failure).length
    return share(before, {
      groupId: this.groupId,
      kind: group.kind,
      visibility: group.visibility,
      title: peer?.name ?? group.name ?? this.groupId,
      topic: group.topic,
      picture: peer?.picture ?? group.avatarUrl,
      memberCount: group.memberCount,
      peer,
      presence: status,
      lastSeenAt,
      unread,
      mentions,
      readSeq,
      lastMessage: last?.kind === 'message' ? last : undefined,
      lastActivityAt: Math.max(lastActivityAt, sending.at(-1)?.createdAt ?? 0),
      typing: [...this.#typing.keys()].map((userId) => people.person(userId)),
      mutedUntil,
      draft,
      pending: sending.length - failed,
      failed,
    })
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Whether a message of another user counts as unread (UNR-1). */
function isUnread(
  { seq, deletedAt, recalledAt }: Message,
  { readSeq = 0 }: Pick<CachedGroup, 'readSeq'>,
): boolean {
  return seq > readSeq && deletedAt === undefined && recalledAt === undefined
}

export function senderOf({ senderId, senderName }: Message): {
  readonly userId: string
  readonly name: string
} {
  return { userId: senderId, name: senderName }
}
