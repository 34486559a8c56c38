/**
 * Causes: which request a log entry comes from. Every entry needs a request that asked for it.
 */
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { Event } from '../../../protocol/events.ts'
import { parseMessageId } from '../../../protocol/ids.ts'
import type { Asked } from './asked.ts'
import { type GroupModel, type ModelReceipts, noReceipts, receiptsIn } from './group-model.ts'
import { type Circumstances, isCutOff, mentionsAfter, receiptsAfter } from './rules.ts'

/** Whether the request can have caused the entry, given the group before the entry. */
export function causes(
  asked: Asked,
  group: GroupModel | null,
  entry: LogEntry,
  event: Event | null,
  worlds: readonly Circumstances[],
): boolean {
  const { userId, request } = asked
  const { event: name, fields } = request
  const isOpening = opens(asked, group)
  switch (entry.type) {
    case 'ban':
      return name === 'ban_member' && fields.userId === entry.userId
    case 'unban':
      return (name === 'add_member' || name === 'invite_member') && fields.userId === entry.userId
    case 'invite':
      // PRV-2
      if (name === 'create_group')
        return (
          fields.kind === 'direct' && fields.members?.includes(entry.userId) === true && entry.by === userId
        )
      // GRP-3
      if (name === 'add_member' && !hasLeft(group, entry.userId)) return false
      return (
        (name === 'invite_member' || name === 'add_member') &&
        fields.userId === entry.userId &&
        entry.by === userId
      )
    case 'uninvite':
      if (name === 'decline_invitation' || name === 'join_group') return userId === entry.userId
      if (name === 'create_group') return userId === entry.userId && isOpening
      // GRP-3: such a user is invited, not added.
      if (name === 'add_member' && hasLeft(group, entry.userId)) return false
      return (
        (name === 'remove_member' || name === 'ban_member' || name === 'add_member') &&
        fields.userId === entry.userId
      )
    case 'receipts': {
      if (group === null || entry.userId !== userId) return false
      return worlds.some(({ areApart }) => {
        const after = receiptsAfter(group, userId, request, isCutOff(group, areApart))
        return after !== null && sameReceipts(after, receiptsIn(group, entry))
      })
    }
    case 'member':
      // PRV-2
      if (entry.member.approached === true && !group?.approached.has(entry.member.userId)) {
        const isCreated = name === 'create_group' && group?.createdBy === userId
        return isCreated && fields.members?.includes(entry.member.userId) === true
      }
      if (entry.member.userId !== userId) return false
      if (group?.approached.has(userId) && !entry.member.approached) {
        return ['send_message', 'react', 'join_group'].includes(name) || isOpening
      }
      return name === 'mute_group'
    case 'file':
      return (
        name === 'upload_file' &&
        entry.uploadedBy === userId &&
        fields.groupId === entry.groupId &&
        fields.fileSize === entry.file.size
      )
    default: {
      if (event === null || !causesEvent(asked, event, isOpening)) return false
      return mentionsRight(asked, group, event) && updatesRight(asked, group, event)
    }
  }
}

/** Whether the user left by choice. */
function hasLeft(group: GroupModel | null, userId: string): boolean {
  return group?.former.get(userId)?.byChoice === true
}

/** Whether an update of a group has what the request names and the group did not have before. */
function updatesRight({ request }: Asked, group: GroupModel | null, event: Event): boolean {
  if (event.event !== 'group_updated' || request.event !== 'update_group') return true
  const { fields } = request
  return (['name', 'topic', 'avatarUrl', 'visibility'] as const).every((key) => {
    const isChanged = fields[key] !== undefined && fields[key] !== group?.[key]
    return (event.fields[key] ?? undefined) === (isChanged ? fields[key] : undefined)
  })
}

/** Whether the request opens this direct chat, which exists. */
function opens({ userId, request: { event, fields } }: Asked, group: GroupModel | null): boolean {
  if (event !== 'create_group' || fields.kind !== 'direct' || group?.kind !== 'direct') return false
  const pair = new Set([userId, ...(fields.members ?? [])])
  return [...pair].every((one) => group.members.has(one) || group.awaited === one)
}

/** Whether an edit mentions the right users: those it names, or those still written in the text. */
function mentionsRight({ request }: Asked, group: GroupModel | null, event: Event): boolean {
  if (event.event !== 'message_edited' || request.event !== 'edit_message') return true
  const message = group?.messages.get(parseMessageId(event.fields.messageId).seq)
  if (!group || !message) return false
  const right = mentionsAfter(group, message, request.fields)
  const { mentions = [] } = event.fields
  return mentions.length === right.size && mentions.every((userId) => right.has(userId))
}

function causesEvent({ userId, request }: Asked, event: Event, isOpening: boolean): boolean {
  const { event: name, fields: asked } = request
  const { fields } = event
  switch (event.event) {
    case 'new_message': {
      const { senderId, tempId, content } = event.fields.message
      const mine = name === 'send_message' && senderId === userId
      return mine && asked.tempId === tempId && asked.content === content
    }
    case 'group_created':
      return (
        name === 'create_group' &&
        event.fields.by === userId &&
        asked.kind === event.fields.group.kind &&
        sameMembers(event.fields.group.members ?? [], [userId, ...(asked.members ?? [])])
      )
    case 'user_joined_group':
      if (event.fields.by === undefined) {
        return (isOpening || name === 'join_group') && event.fields.userId === userId
      }
      return name === 'add_member' && event.fields.by === userId && asked.userId === event.fields.userId
    case 'user_left_group': {
      const { by, banned } = event.fields
      if (by === undefined) return name === 'leave_group' && event.fields.userId === userId
      const wanted = banned ? 'ban_member' : 'remove_member'
      return name === wanted && by === userId && matches(asked, fields, ['userId'])
    }
    case 'role_changed':
      return name === 'set_role' && event.fields.by === userId && matches(asked, fields, ['userId', 'role'])
    case 'member_muted': {
      if (name !== 'mute_member' || event.fields.by !== userId) return false
      return (
        asked.userId === event.fields.userId &&
        [asked.until ?? Number.MAX_SAFE_INTEGER, 0].includes(event.fields.until)
      )
    }
    case 'group_updated':
      return name === 'update_group' && event.fields.by === userId
    case 'message_edited':
      return name === 'edit_message' && matches(asked, fields, ['messageId', 'content'])
    case 'message_deleted':
      return (
        name === 'delete_message' &&
        event.fields.deletedBy === userId &&
        matches(asked, fields, ['messageId'])
      )
    case 'message_recalled':
      return (
        name === 'recall_message' &&
        event.fields.recalledBy === userId &&
        matches(asked, fields, ['messageId'])
      )
    case 'message_pinned':
      return name === 'pin_message' && event.fields.by === userId && matches(asked, fields, ['messageId'])
    case 'message_unpinned':
      return name === 'unpin_message' && event.fields.by === userId && matches(asked, fields, ['messageId'])
    case 'reaction_changed':
      return (
        name === (event.fields.added ? 'react' : 'unreact') &&
        event.fields.by === userId &&
        matches(asked, fields, ['messageId', 'emoji'])
      )
    default:
      return false
  }
}

function matches(a: object, b: object, keys: readonly string[]): boolean {
  return keys.every((key) => Reflect.get(a, key) === Reflect.get(b, key))
}

function sameReceipts(a: ModelReceipts, b: ModelReceipts | undefined = noReceipts): boolean {
  const same = (one: ReadonlySet<number>, other: ReadonlySet<number>) =>
    one.size === other.size && [...one].every((seq) => other.has(seq))
  return a.readSeq === b.readSeq && same(a.delivered, b.delivered) && same(a.read, b.read)
}

function sameMembers(members: readonly { readonly userId: string }[], userIds: readonly string[]): boolean {
  const wanted = new Set(userIds)
  return members.length === wanted.size && members.every(({ userId }) => wanted.has(userId))
}
