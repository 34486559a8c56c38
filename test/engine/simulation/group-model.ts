/**
 * Group model: the state of a group, derived from its log alone, without the engine's code.
 *
 * A model is immutable: `applied` makes the next one from a log entry. The oracle stores all of them,
 * so that an answer can be compared with what was true between request and answer.
 */
import { unpackRanges } from '../../../engine/actors/group/ranges.ts'
import { isGroupOwner, ownerOf } from '../../../engine/stored/entry-owner.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { Role } from '../../../engine/stored/stored-group.ts'
import { decodeEvent } from '../../../protocol/codec.ts'
import type { Event } from '../../../protocol/events.ts'
import type { File, Message } from '../../../protocol/records.ts'

export interface ModelMember {
  readonly role: Role
  readonly joinedSeq: number
  readonly mutedUntil: number
  readonly quietUntil: number
}

/** The sequence numbers of the posts for which a member gave receipts. */
export interface ModelReceipts {
  readonly delivered: ReadonlySet<number>
  readonly read: ReadonlySet<number>
  readonly readSeq: number
}

export interface ModelFile {
  readonly file: File
  readonly uploadedBy: string
  /** A message has shown it. When no message shows it any more, nobody may download it. */
  readonly shown: boolean
}

export interface GroupModel {
  readonly groupId: string
  readonly kind: 'group' | 'direct'
  readonly visibility: 'private' | 'open'
  readonly name: string
  readonly topic: string
  readonly avatarUrl: string
  readonly createdBy: string
  readonly members: ReadonlyMap<string, ModelMember>
  readonly banned: ReadonlySet<string>
  readonly invited: ReadonlySet<string>
  /** Direct chats: who must accept before becoming a member, and members who have not accepted. PRV-2 */
  readonly awaited: string | null
  readonly approached: ReadonlySet<string>
  /** Former members: whether they left by choice, and until when they are muted. */
  readonly former: ReadonlyMap<string, { readonly byChoice: boolean; readonly mutedUntil: number }>
  readonly messages: ReadonlyMap<number, Message>
  readonly receipts: ReadonlyMap<string, ModelReceipts>
  readonly files: ReadonlyMap<string, ModelFile>
  readonly lastSeq: number
}

export const noReceipts: ModelReceipts = { delivered: new Set(), read: new Set(), readSeq: 0 }

/** The durable event of a log entry, as clients see it; null if the entry has none. */
export function eventOf(entry: LogEntry): Event | null {
  if (entry.type === 'message') return { event: 'new_message', ref: 0, fields: { message: entry.message } }
  return entry.type === 'event' ? decodeEvent(entry.frame) : null
}

/** The group of an entry; null for entries of users. */
export function groupOf(entry: LogEntry): string | null {
  const owner = ownerOf(entry)
  return isGroupOwner(owner) ? owner : null
}

/** The group after the entry; the same object if the entry only repeats what an event says. */
export function applied(group: GroupModel | null, entry: LogEntry): GroupModel | null {
  if (entry.type === 'group') {
    if (group) return group
    const { groupId, kind, visibility, createdBy, name = '' } = entry.group
    return { ...empty, groupId, kind, visibility, createdBy, name }
  }
  if (!group) return null
  switch (entry.type) {
    // What outlives a membership is derived from the event that ends it.
    case 'former_member':
    case 'former_member_back':
      return group
    case 'ban':
      return { ...group, banned: added(group.banned, entry.userId) }
    case 'unban':
      return { ...group, banned: without(group.banned, entry.userId) }
    case 'invite':
      return {
        ...group,
        invited: added(group.invited, entry.userId),
        awaited: group.kind === 'direct' ? entry.userId : null,
      }
    case 'uninvite':
      return { ...group, invited: without(group.invited, entry.userId) }
    case 'member': {
      const { userId, quietUntil } = entry.member
      const isApproached = entry.member.approached === true
      if (isApproached !== group.approached.has(userId)) {
        const change = isApproached ? added : without
        return { ...group, approached: change(group.approached, userId) }
      }
      const known = group.members.get(userId)
      if (!known || known.quietUntil === quietUntil) return group
      return { ...group, members: put(group.members, userId, { ...known, quietUntil }) }
    }
    case 'receipts':
      return { ...group, receipts: put(group.receipts, entry.userId, receiptsIn(group, entry)) }
    case 'file': {
      const { file, uploadedBy } = entry
      return { ...group, files: put(group.files, file.fileId, { file, uploadedBy, shown: false }) }
    }
    default: {
      const event = eventOf(entry)
      if (!event) return group
      const seq = 'seq' in entry ? entry.seq : seqOf(event)
      return happened(group, event, seq, 'at' in entry ? entry.at : 0)
    }
  }
}

/** Which of the group's posts a stored receipt covers. */
export function receiptsIn(group: GroupModel, entry: Extract<LogEntry, { type: 'receipts' }>): ModelReceipts {
  const others = [...group.messages.values()].filter(({ senderId }) => senderId !== entry.userId)
  const covered = (packed: Uint8Array) => {
    const ranges = unpackRanges(packed)
    const inside = (seq: number) => ranges.some(({ from, to }) => from <= seq && seq <= to)
    return new Set(others.map(({ seq }) => seq).filter(inside))
  }
  return { delivered: covered(entry.delivered), read: covered(entry.read), readSeq: entry.readSeq }
}

/** The group of a durable event. */
export function groupIdOf({ event, fields }: Event): string {
  if (event === 'new_message') return fields.message.groupId
  return 'groupId' in fields && typeof fields.groupId === 'string' ? fields.groupId : ''
}

export function seqOf({ fields, event }: Event): number {
  if (event === 'new_message') return fields.message.seq
  return 'seq' in fields && typeof fields.seq === 'number' ? fields.seq : 0
}

function happened(group: GroupModel, { event, fields }: Event, seq: number, at: number): GroupModel {
  const next = { ...group, lastSeq: seq }
  const { members, messages } = group
  const role = (userId: string, as: Role) => {
    const known = members.get(userId)
    return known ? put(members, userId, { ...known, role: as }) : members
  }
  const message = (id: string, change: (post: Message) => Message) => {
    const post = messages.get(Number(id.slice(id.indexOf(':') + 1)))
    return { ...next, messages: post ? put(messages, post.seq, change(post)) : messages }
  }
  switch (event) {
    case 'group_created': {
      const created = (fields.group.members ?? [])
        .filter(({ userId }) => userId !== group.awaited)
        .map((one) => [one.userId, newMember(one.role, seq)] as const)
      return { ...next, members: new Map(created) }
    }
    case 'user_joined_group': {
      const first = members.size === 0 && fields.by === undefined
      // PRV-2: a user who accepts a direct chat is a member from its beginning.
      const [creator] = group.kind === 'direct' ? members.values() : []
      return {
        ...next,
        awaited: null,
        members: put(members, fields.userId, {
          ...newMember(first || creator ? 'admin' : 'member', creator?.joinedSeq ?? seq),
          // GRP-2
          mutedUntil: group.former.get(fields.userId)?.mutedUntil ?? 0,
        }),
        former: lacking(group.former, fields.userId),
        // A member needs no invitation and is not banned.
        invited: without(group.invited, fields.userId),
        banned: without(group.banned, fields.userId),
      }
    }
    case 'user_left_group': {
      const given = group.receipts.get(fields.userId)
      // Their receipts stay counted (RCP-1).
      const receipts = given ? put(group.receipts, fields.userId, { ...given, readSeq: 0 }) : group.receipts
      const left = new Map(members)
      left.delete(fields.userId)
      // GRP-2, GRP-3: a mute that is over is forgotten, although the clock may be set back.
      const { mutedUntil = 0 } = members.get(fields.userId) ?? {}
      const byChoice = fields.by === undefined
      const isMuted = byChoice || mutedUntil > at
      const former = put(group.former, fields.userId, { byChoice, mutedUntil: isMuted ? mutedUntil : 0 })
      const banned = fields.banned ? added(group.banned, fields.userId) : group.banned
      return { ...next, members: left, receipts, banned, former }
    }
    case 'role_changed':
      return { ...next, members: role(fields.userId, fields.role as Role) }
    case 'member_muted': {
      const known = members.get(fields.userId)
      if (!known) return next
      return { ...next, members: put(members, fields.userId, { ...known, mutedUntil: fields.until }) }
    }
    case 'group_updated': {
      const { name, topic, avatarUrl, visibility } = fields
      return {
        ...next,
        name: name ?? group.name,
        topic: topic ?? group.topic,
        avatarUrl: avatarUrl ?? group.avatarUrl,
        visibility: visibility ?? group.visibility,
      }
    }
    case 'new_message': {
      const { file } = fields.message
      const known = file && group.files.get(file.fileId)
      const files = known ? put(group.files, file.fileId, { ...known, shown: true }) : group.files
      return { ...next, files, messages: put(messages, fields.message.seq, fields.message) }
    }
    case 'message_edited':
      return message(fields.messageId, (post) => ({
        ...post,
        content: fields.content,
        editedAt: fields.editedAt,
        mentions: fields.mentions?.length ? fields.mentions : undefined,
        type: fields.type ?? post.type,
      }))
    case 'message_deleted':
      return message(fields.messageId, (post) => ({
        ...tombstone(post),
        deletedAt: fields.deletedAt,
        deletedBy: fields.deletedBy,
      }))
    case 'message_recalled':
      return message(fields.messageId, (post) => ({ ...tombstone(post), recalledAt: fields.recalledAt }))
    case 'message_pinned':
      return message(fields.messageId, (post) => ({ ...post, pinnedAt: fields.at }))
    case 'message_unpinned':
      return message(fields.messageId, (post) => ({ ...post, pinnedAt: undefined }))
    case 'reaction_changed':
      return message(fields.messageId, (post) => ({ ...post, reactions: reacted(post, fields) }))
    default:
      return next
  }
}

function reacted(
  { reactions = [] }: Message,
  { emoji, by, added: adds }: { emoji: string; by: string; added: boolean },
) {
  const known = reactions.find((one) => one.emoji === emoji)
  const userIds = adds
    ? [...(known?.userIds ?? []), by]
    : (known?.userIds ?? []).filter((userId) => userId !== by)
  const changed = known
    ? reactions.map((one) => (one === known ? { emoji, userIds, count: userIds.length } : one))
    : [...reactions, { emoji, userIds, count: userIds.length }]
  const left = changed.filter((one) => one.userIds.length > 0)
  return left.length > 0 ? left : undefined
}

function tombstone(post: Message): Message {
  const { messageId, groupId, seq, senderId, senderName, type, createdAt, tempId, replyToId } = post
  return { messageId, groupId, seq, senderId, senderName, type, content: '', createdAt, tempId, replyToId }
}

function newMember(role: Role, joinedSeq: number): ModelMember {
  return { role, joinedSeq, mutedUntil: 0, quietUntil: 0 }
}

const empty = {
  topic: '',
  avatarUrl: '',
  members: new Map<string, ModelMember>(),
  banned: new Set<string>(),
  invited: new Set<string>(),
  awaited: null,
  approached: new Set<string>(),
  former: new Map<string, { readonly byChoice: boolean; readonly mutedUntil: number }>(),
  messages: new Map<number, Message>(),
  receipts: new Map<string, ModelReceipts>(),
  files: new Map<string, ModelFile>(),
  lastSeq: 0,
}

function put<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value)
}

function lacking<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const less = new Map(map)
  less.delete(key)
  return less
}

function added(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  return new Set(set).add(item)
}

function without(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const less = new Set(set)
  less.delete(item)
  return less
}
