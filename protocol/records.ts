/**
 * Records: what stands inside fields. Positional arrays in msgpack, objects in JSON.
 * New fields go at the end, never in between: readers of older versions ignore extra ones.
 */
import { groupId, messageId, userId } from './ids.ts'
import { limits } from './limits.ts'
import { defineRecord, type FieldsOf, list, oneOf, optional, ref, text, uint } from './schema.ts'

export const messageType = oneOf('text', 'image', 'file', 'audio', 'video')
export const groupKind = oneOf('group', 'direct')
export const visibility = oneOf('private', 'open')
const role = oneOf('admin', 'moderator', 'member')
export const time = uint()
export const seq = uint()
const name = text(0, limits.nameBytes)

/** A post of a group. `seq` is its place in the group's one order. */
export const Message = defineRecord('Message', {
  messageId,
  groupId,
  seq,
  senderId: userId,
  senderName: name,
  type: messageType,
  content: text(0, limits.contentBytes),
  createdAt: time,
  tempId: optional(text(1, limits.tempIdBytes)),
  replyToId: optional(messageId),
  fileId: optional(text(1, limits.fileIdBytes)),
  mentions: optional(list(userId, limits.mentions)),
})
export type Message = FieldsOf<typeof Message.fields>

/** Somebody's place in a group. */
export const Member = defineRecord('Member', { userId, name, role, joinedAt: time })
export type Member = FieldsOf<typeof Member.fields>

/**
 * A group as its members see it. `members` is given for direct chats, and in `group` and
 * `group_created` for groups of up to 500.
 */
export const Group = defineRecord('Group', {
  groupId,
  kind: groupKind,
  visibility,
  createdBy: userId,
  createdAt: time,
  memberCount: uint(),
  lastSeq: seq,
  name: optional(name),
  topic: optional(text(0, limits.topicBytes)),
  avatarUrl: optional(text(0, limits.urlBytes)),
  members: optional(list(ref(Member), limits.listedMembers)),
})
export type Group = FieldsOf<typeof Group.fields>

/** A group in `connected`: where its log stands, and what the user has not read. */
export const GroupSummary = defineRecord('GroupSummary', {
  group: ref(Group),
  lastSeq: seq,
  unread: uint(),
  mentions: uint(),
})
export type GroupSummary = FieldsOf<typeof GroupSummary.fields>

/** A group in `get_groups` and over HTTP. */
export const GroupListing = defineRecord('GroupListing', {
  group: ref(Group),
  lastMessage: optional(ref(Message)),
  unread: uint(),
  mentions: uint(),
})
export type GroupListing = FieldsOf<typeof GroupListing.fields>

/**
 * Numbers that a crash has taken (SPEC 5.3): nothing of `from` to `to` exists, and what was
 * shown of them is taken back. `seq` is the event's own number, above `to`.
 */
export const Gap = defineRecord('Gap', { seq, from: seq, to: seq })
export type Gap = FieldsOf<typeof Gap.fields>

/** Why a request was refused, inside `message_error`. */
export const ErrorInfo = defineRecord('ErrorInfo', {
  code: text(1, 64),
  message: text(0, 1_024),
  retryAfterMs: optional(uint()),
})
export type ErrorInfo = FieldsOf<typeof ErrorInfo.fields>

/** What this server takes, told once in `connected`. */
export const Limits = defineRecord('Limits', {
  /** The largest frame a client may send, bytes. */
  maxMessageBytes: uint(),
  /** The longest `content`, bytes of UTF-8. */
  maxContentBytes: uint(),
  /** Events a minute and user; 0 is no limit. */
  rateLimit: uint(),
  /** Missed events of one group that `resume` replays. */
  resumeEvents: uint(),
})
export type Limits = FieldsOf<typeof Limits.fields>

/** Every record, for the reference. */
export const records = { Message, Member, Group, GroupSummary, GroupListing, Gap, ErrorInfo, Limits }
