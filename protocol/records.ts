/**
 * Records: structured values inside fields. Positional arrays in msgpack, objects in JSON.
 * Add new fields at the end only: readers of older versions ignore extra fields.
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
/** `offline` chosen by a user means invisible; others see no difference. */
export const status = oneOf('online', 'away', 'busy', 'offline')
export const emoji = nameText(1, limits.emojiBytes)
export const sha256 = pattern(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
export const time = uint()
export const seq = uint()
const name = text(0, limits.nameBytes)

/** A file of a group. Type and size are detected from its bytes. `url` is a path of this server's HTTP API. */
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
export interface File extends FieldsOf<typeof File.fields> {}

/**
 * The users who reacted to a message with one emoji, in the order of their reactions. `count` is
 * their number. At most 500 users are listed for all reactions of a message, and at least the
 * first 25 for each emoji.
 */
export const Reaction = defineRecord('Reaction', {
  emoji,
  userIds: list(userId, limits.reactions),
  count: uint(),
})
export interface Reaction extends FieldsOf<typeof Reaction.fields> {}

const reactions = list(ref<Reaction>(Reaction), limits.reactionEmoji)
const LISTED_PER_EMOJI = limits.reactions / limits.reactionEmoji

/** Shortens the lists of users to the limits; the counts stay complete (RCT-1). */
function limitListedUsers(value: unknown): unknown {
  const all = value as readonly Reaction[]
  if (!Array.isArray(value) || all.reduce((sum, one) => sum + one.userIds.length, 0) <= limits.reactions) {
    return value
  }
  let spare = limits.reactions
  for (const { userIds } of all) spare -= Math.min(userIds.length, LISTED_PER_EMOJI)
  return all.map((reaction) => {
    const more = Math.min(spare, Math.max(0, reaction.userIds.length - LISTED_PER_EMOJI))
    spare -= more
    return { ...reaction, userIds: reaction.userIds.slice(0, LISTED_PER_EMOJI + more) }
  })
}

/**
 * A post of a group. `seq` is its position in the order of the group. A deleted or recalled message
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
  file: optional(ref<File>(File)),
  /** The mentioned users, and the sender of the message that it replies to. */
  mentions: optional(list(userId, limits.mentions + 1)),
  editedAt: optional(time),
  deletedAt: optional(time),
  deletedBy: optional(userId),
  recalledAt: optional(time),
  reactions: optional({ ...reactions, toWire: (value) => reactions.toWire?.(limitListedUsers(value)) }),
  pinnedAt: optional(time),
})
export interface Message extends FieldsOf<typeof Message.fields> {}

/** A member of a group. Until `mutedUntil` the member cannot post. */
export const Member = defineRecord('Member', {
  userId,
  name,
  role,
  joinedAt: time,
  mutedUntil: optional(time),
  picture: optional(text(0, limits.urlBytes)),
})
export interface Member extends FieldsOf<typeof Member.fields> {}

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
  members: optional(list(ref<Member>(Member), limits.listedMembers)),
})
export interface Group extends FieldsOf<typeof Group.fields> {}

/** A group in `connected`: the end of its log, and the user's unread counts. */
export const GroupSummary = defineRecord('GroupSummary', {
  group: ref<Group>(Group),
  lastSeq: seq,
  unread: uint(),
  mentions: uint(),
  /** The newest message that the user has read; 0 for none. */
  readSeq: optional(seq),
  /** Notifications of the group are off for the user until then. */
  mutedUntil: optional(time),
})
export interface GroupSummary extends FieldsOf<typeof GroupSummary.fields> {}

/** A group in `get_groups` and over HTTP. */
export const GroupListing = defineRecord('GroupListing', {
  group: ref<Group>(Group),
  lastMessage: optional(ref<Message>(Message)),
  unread: uint(),
  mentions: uint(),
  readSeq: optional(seq),
  mutedUntil: optional(time),
})
export interface GroupListing extends FieldsOf<typeof GroupListing.fields> {}

/** A user who shares a group with the caller, with the status that they chose to show. */
export const User = defineRecord('User', {
  userId,
  name,
  status,
  /** Absent while the user is online, and if it is unknown. */
  lastSeenAt: optional(time),
  picture: optional(text(0, limits.urlBytes)),
})
export interface User extends FieldsOf<typeof User.fields> {}

/** A pending invitation to a private group or a direct chat. */
export const Invitation = defineRecord('Invitation', { group: ref<Group>(Group), by: userId, at: time })
export interface Invitation extends FieldsOf<typeof Invitation.fields> {}

/** A message that matches a search. A higher `rank` is a better match. */
export const SearchHit = defineRecord('SearchHit', {
  message: ref<Message>(Message),
  /** HTML: the match in `<mark>` with the text around it; everything else is escaped. */
  snippet: text(0, limits.snippetBytes),
  rank: uint(),
})
export interface SearchHit extends FieldsOf<typeof SearchHit.fields> {}

/**
 * Seqs lost in a crash (GAP-1): nothing from `from` to `to` exists, and clients remove what they
 * showed of that range. `seq` is the number of the gap event itself, above `to`.
 */
export const Gap = defineRecord('Gap', { seq, from: seq, to: seq })
export interface Gap extends FieldsOf<typeof Gap.fields> {}

/** The error inside `message_error`. */
export const ErrorInfo = defineRecord('ErrorInfo', {
  code: text(1, 64),
  message: text(0, 1_024),
  retryAfterMs: optional(uint()),
  field: optional(text(1, 64)),
})
export interface ErrorInfo extends FieldsOf<typeof ErrorInfo.fields> {}

/** The limits of this server, sent once in `connected`. */
export const Limits = defineRecord('Limits', {
  /** The largest frame a client may send, bytes. */
  maxMessageBytes: uint(),
  /** The longest `content`, bytes of UTF-8. */
  maxContentBytes: uint(),
  /** Events per minute and user; 0 means no limit. */
  rateLimit: uint(),
  /** Missed events of one group that `resume` replays. */
  resumeEvents: uint(),
  /** The largest file, bytes. */
  maxUploadBytes: optional(uint()),
  /** How long a message can be edited; absent means forever. */
  editWindowMs: optional(uint()),
  /** How long a message can be recalled. */
  recallWindowMs: optional(uint()),
})
export interface Limits extends FieldsOf<typeof Limits.fields> {}

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
