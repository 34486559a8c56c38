/**
 * Group events: how a durable event changes the state of its group.
 *
 * Called with the events of each group once and in their order, in every tab. An event up to `row.group.lastSeq`
 * is part of what the server listed: it changes messages, and neither counts nor the fields of the group (UNR-1).
 */
import type { EventFields } from '../../protocol/events.ts'
import type { Group, Message } from '../../protocol/records.ts'
import { type GroupEvent, placeOf } from '../group-event.ts'
import type { CachedGroup, CachedItem } from './cache/message-cache.ts'
import type { GroupState } from './group-state.ts'
import { type ChangeEvent, changeMessage, seqOf } from './message-changes.ts'
import { noticeItem } from './notices.ts'
import type { StoreCore } from './store-core.ts'
import { lostItem } from './timeline.ts'
import { countMessage } from './unread-counts.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Handles the next event of a group. */
export function handleEvent(state: GroupState, core: StoreCore, event: GroupEvent): void {
  const { row, groupId } = state
  const { seq } = placeOf(event)
  if (!row || seq <= row.lastSeq) return
  const isNew = seq > row.group.lastSeq
  const after = { ...row, lastSeq: seq, group: { ...row.group, lastSeq: Math.max(seq, row.group.lastSeq) } }
  let item: CachedItem | undefined
  switch (event.event) {
    case 'new_message': {
      const { message } = event.fields
      addMessage(state, core, after, message, isNew)
      item = { groupId, seq, message }
      break
    }
    case 'gap':
      revert(state, row, event.fields)
      item = lostItem(groupId, seq)
      after.lastMessage = state.row?.lastMessage
      break
    case 'message_edited':
    case 'message_deleted':
    case 'message_recalled':
    case 'reaction_changed':
    case 'message_pinned':
    case 'message_unpinned':
      change(state, core, after, event, isNew)
      break
    default:
      if (isNew) after.group = changeGroup(after.group, event)
      item = noticeItem(event, seq, {
        groupId,
        people: core.people,
        // Events without a time are from now, or follow the last message.
        at: core.isConnected ? Date.now() : row.lastActivityAt,
      })
      state.members.handle(event)
  }
  if (core.isLeader) {
    const from = row.lastSeq > 0 ? row.lastSeq + 1 : seq
    core.cache.putItems(groupId, item ? [item] : [], [from, seq])
  }
  state.window.advance(seq, item)
  state.store(after)
}

function addMessage(
  state: GroupState,
  core: StoreCore,
  after: Mutable<CachedGroup>,
  message: Message,
  isNew: boolean,
): void {
  core.learnMessages([message])
  if (message.seq > (after.lastMessage?.seq ?? 0)) after.lastMessage = message
  after.lastActivityAt = Math.max(after.lastActivityAt, message.createdAt)
  if (isNew) countMessage(after, message, core.me, after.readSeq)
  if (message.senderId !== core.me) core.delivered(message.messageId)
  state.info.typing(message.senderId, false)
}

function change(
  state: GroupState,
  core: StoreCore,
  after: Mutable<CachedGroup>,
  event: ChangeEvent,
  isNew: boolean,
): void {
  const { window, pins, groupId } = state
  const { messageId } = event.fields
  const { lastMessage, readSeq } = after
  const seq = seqOf(messageId)
  const isLast = lastMessage?.messageId === messageId
  const before = isLast ? lastMessage : window.message(messageId)
  const changed = (message: Message) => changeMessage(message, event)
  if (isLast) after.lastMessage = changed(lastMessage)
  const changesCounts = event.event !== 'reaction_changed' && !event.event.endsWith('pinned')
  if (isNew && changesCounts && after.unread > 0 && seq > (readSeq ?? 0)) {
    if (before && !hasChange(before, event)) {
      countMessage(after, changed(before), core.me, readSeq)
      countMessage(after, before, core.me, readSeq, -1)
    } else state.recount()
  }
  window.change(messageId, changed)
  pins.onChange(event)
  // In every tab: one of them may just have stored a page that was read before the change.
  core.cache.changeItem(groupId, seq, (item) =>
    'message' in item ? { ...item, message: changed(item.message) } : item,
  )
}

/** Whether the message was read from the server after the change: it does not show how it was counted. */
function hasChange({ deletedAt, recalledAt, editedAt = 0 }: Message, event: ChangeEvent): boolean {
  const isEdited = event.event === 'message_edited' && editedAt >= event.fields.editedAt
  return isEdited || (deletedAt ?? recalledAt) !== undefined
}

/** A crash reverted everything from `from` to `to`, also changes of earlier messages (GAP-1). */
function revert(state: GroupState, row: CachedGroup, { from, to }: EventFields<'gap'>): void {
  state.window.timeline?.remove(from, to)
  const seq = row.lastMessage?.seq ?? 0
  state.forgetItems(seq >= from && seq <= to ? { ...row, lastMessage: undefined } : row)
  state.recount()
  state.outdated()
}

/** The group after an event that changes its fields. */
function changeGroup(group: Group, event: Exclude<GroupEvent, ChangeEvent>): Group {
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
