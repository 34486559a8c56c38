/**
 * Records: what stands inside fields. Positional arrays in msgpack, objects in JSON.
 * New fields go at the end, never in between: readers of older versions ignore extra ones.
 */
import { fileId, groupId, messageId, userId } from './ids.ts'
import { limits } from './limits.ts'
import {
  defineRecord,
  type FieldsOf,
  list,
  nameText,
  oneOf,
  optional,
  pattern,
  ref,
  text,
  uint,
} from './schema.ts'

export const messageType = oneOf('text', 'image', 'file', 'audio', 'video')
export const groupKind = oneOf('group', 'direct')
export const visibility = oneOf('private', 'open')
export const role = oneOf('admin', 'moderator', 'member')
/** `offline` is invisible where a user chose it, and looks the same to others. */
export const status = oneOf('online', 'away', 'busy', 'offline')
export const emoji = nameText(1, limits.emojiBytes)
export const sha256 = pattern(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
export const time = uint()
export const seq = uint()
const name = text(0, limits.nameBytes)

/** A file of a group, found out from its bytes. `url` is a path of this server's HTTP API. */
export const File = defineRecord('File', {
  fileId,
  url: text(1, limits.urlBytes),
  fileName: text(1, limits.fileNameBytes),
  mimeType: text(1, limits.mimeTypeBytes),
  size: uint(),
  /** In hexadecimal. */
  sha256,
  width: optional(uint()),
  height: optional(uint()),
  durationMs: optional(uint()),
})
export type File = FieldsOf<typeof File.fields>

/**
 * Who reacted to a message with one emoji, in the order in which they did. `count` says how many
 * did; of all reactions of a message at most 500 users are listed, of each emoji at least the
 * first 25.
 */
export const Reaction = defineRecord('Reaction', {
  emoji,
  userIds: list(userId, limits.reactions),
  count: uint(),
})
export type Reaction = FieldsOf<typeof Reaction.fields>

const reactions = list(ref(Reaction), limits.reactionEmoji)
const LISTED_OF_EACH = limits.reactions / limits.reactionEmoji

/** Lists no more users than the records may; the counts stay (RCT-1). */
function withFewerUsers(value: unknown): unknown {
  const all = value as readonly Reaction[]
  if (!Array.isArray(value) || all.reduce((sum, one) => sum + one.userIds.length, 0) <= limits.reactions) {
    return value
  }
  let spare = limits.reactions
  for (const { userIds } of all) spare -= Math.min(userIds.length, LISTED_OF_EACH)
  return all.map((reaction) => {
    const more = Math.min(spare, Math.max(0, reaction.userIds.length - LISTED_OF_EACH))
    spare -= more
    return { ...reaction, userIds: reaction.userIds.slice(0, LISTED_OF_EACH + more) }
  })
}

/**
 * A post of a group. `seq` is its place in the group's one order. What was deleted or recalled
 * stays as an empty tombstone.
 */
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
  file: optional(ref(File)),
  /** Those named, and the sender of the message that it replies to. */
  mentions: optional(list(userId, limits.mentions + 1)),
  editedAt: optional(time),
  deletedAt: optional(time),
  deletedBy: optional(userId),
  recalledAt: optional(time),
  reactions: optional({ ...reactions, toWire: (value) => reactions.toWire?.(withFewerUsers(value)) }),
  pinnedAt: optional(time),
})
export type Message = FieldsOf<typeof Message.fields>

/** Somebody's place in a group. Until `mutedUntil` they may not post. */
export const Member = defineRecord('Member', {
  userId,
  name,
  role,
  joinedAt: time,
  mutedUntil: optional(time),
  picture: optional(text(0, limits.urlBytes)),
})
export type Member = FieldsOf<typeof Member.fields>

/**
 * A group as its members see it. `members` is given for direct chats, and in `group` and
 * `group_created` for groups of up to 500 whose members fit into one answer. Of a direct chat it lists both,
 * also where `memberCount` is 1, because one of them has not accepted it.
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
  /** The newest message that the user has read; 0 for none. */
  readSeq: optional(seq),
  /** The user wants no notifications of the group until then. */
  mutedUntil: optional(time),
})
export type GroupSummary = FieldsOf<typeof GroupSummary.fields>

/** A group in `get_groups` and over HTTP. */
export const GroupListing = defineRecord('GroupListing', {
  group: ref(Group),
  lastMessage: optional(ref(Message)),
  unread: uint(),
  mentions: uint(),
  readSeq: optional(seq),
  mutedUntil: optional(time),
})
export type GroupListing = FieldsOf<typeof GroupListing.fields>

/** Somebody with whom the caller shares a group, as they want to be seen. */
export const User = defineRecord('User', {
  userId,
  name,
  status,
  /** Absent while they are online, and where nothing is known. */
  lastSeenAt: optional(time),
  picture: optional(text(0, limits.urlBytes)),
})
export type User = FieldsOf<typeof User.fields>

/** An invitation into a private group or a direct chat, not answered yet. */
export const Invitation = defineRecord('Invitation', { group: ref(Group), by: userId, at: time })
export type Invitation = FieldsOf<typeof Invitation.fields>

/** A message that was found; newest first. `rank` says how well it fits, more is better. */
export const SearchHit = defineRecord('SearchHit', {
  message: ref(Message),
  /** HTML: the text around what was found, which stands in `<mark>`; everything else is escaped. */
  snippet: text(0, limits.snippetBytes),
  rank: uint(),
})
export type SearchHit = FieldsOf<typeof SearchHit.fields>

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
  /** The largest file, bytes. */
  maxUploadBytes: optional(uint()),
  /** How long a message may be edited; absent for ever. */
  editWindowMs: optional(uint()),
  /** How long a message may be recalled. */
  recallWindowMs: optional(uint()),
})
export type Limits = FieldsOf<typeof Limits.fields>

/** Every record, for the reference. */
export const records = {
  Message,
  File,
  Reaction,
  Member,
  Group,
  GroupSummary,
  GroupListing,
  User,
  Invitation,
  SearchHit,
  Gap,
  ErrorInfo,
  Limits,
}
