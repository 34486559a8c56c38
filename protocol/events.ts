/**
 * The table of events. Codes are part of the wire format: add rows at the end, never renumber.
 *
 * A `durable` event is part of its group's log: it has a seq, all members see it in that order, and
 * `resume` replays it. Other events are answers, ephemeral, or for one user or connection.
 */
import { groupId, messageId, userId } from './ids.ts'
import { limits } from './limits.ts'
import {
  ErrorInfo,
  emoji,
  File,
  Gap,
  Group,
  GroupListing,
  GroupSummary,
  Invitation,
  Limits,
  Member,
  Message,
  messageType,
  SearchHit,
  seq,
  status,
  time,
  User,
  visibility,
} from './records.ts'
import { bool, type FieldMap, type FieldsOf, list, map, optional, ref, text, tuple, uint } from './schema.ts'

export interface EventSpec {
  /** 64 to 127, one byte on the wire; 128 to 255 for rare events (TRN-7). No request has the same code. */
  readonly code: number
  readonly durable?: true
  /** Not stored, and not sent to lagging readers (SLW-1). */
  readonly ephemeral?: true
  readonly fields: FieldMap
}

const name = text(0, limits.nameBytes)
const tempId = text(1, limits.tempIdBytes)
/** A reply has one more mention: the sender of the original message. */
const mentions = list(userId, limits.mentions + 1)
const messageIds = list(messageId, limits.receiptMessages)
/** The time at which each user received or read a message. */
const receiptTimes = list(tuple([userId, time]), limits.listedUsers)

export const events = {
  /** The first event on every connection: the user, the limits, and the state of the user's groups. */
  connected: {
    code: 64,
    fields: {
      message: text(0, 256),
      userId,
      timestamp: time,
      sessionId: text(1, 64),
      serverVersion: text(1, 64),
      limits: ref<Limits>(Limits),
      groups: list(ref<GroupSummary>(GroupSummary), limits.connectedGroups),
      /** There are more groups than listed: `get_groups` lists all. */
      hasMore: optional(bool),
    },
  },
  /** The request succeeded. `result` if the request defines one. */
  ok: { code: 65, fields: { result: optional(map) } },
  /** The request failed, with a code from the table of errors and the invalid field. */
  error: {
    code: 66,
    fields: {
      code: text(1, 64),
      message: text(0, 1_024),
      field: optional(text(1, 64)),
      retryAfterMs: optional(uint()),
    },
  },
  pong: { code: 67, fields: { t: optional(time), serverTime: time } },
  /** Answers `create_group`. */
  group: { code: 68, fields: { group: ref<Group>(Group) } },
  /** The first event of a group's log, to all its initial members. */
  group_created: {
    code: 69,
    durable: true,
    fields: { group: ref<Group>(Group), groupId, seq, by: userId, at: time },
  },
  groups: {
    code: 70,
    fields: {
      groups: list(ref<GroupListing>(GroupListing), limits.groupsPage),
      cursor: optional(text(1, 128)),
    },
  },
  /** `by` is set if another user added them. */
  user_joined_group: {
    code: 71,
    durable: true,
    fields: { userId, userName: name, groupId, seq, by: optional(userId) },
  },
  /** `by` is set if another user removed them; `banned` if they cannot join again. */
  user_left_group: {
    code: 72,
    durable: true,
    fields: { userId, userName: name, groupId, seq, by: optional(userId), banned: optional(bool) },
  },
  /** A post, to every device of every member, including the sender's devices. */
  new_message: { code: 73, durable: true, fields: { message: ref<Message>(Message) } },
  /** The post is stored with the configured durability (DUR-1). */
  message_sent: { code: 74, fields: { tempId, message: ref<Message>(Message), success: bool } },
  /** The post failed; with `retryAfterMs`, send it again with the same tempId. */
  message_error: { code: 75, fields: { tempId, error: ref<ErrorInfo>(ErrorInfo), timestamp: time } },
  /** Messages by ascending seq, and the gaps between them that a crash left. */
  history: {
    code: 76,
    fields: {
      groupId,
      messages: list(ref<Message>(Message), limits.historyPage),
      hasMore: bool,
      gaps: optional(list(ref<Gap>(Gap), limits.historyPage)),
    },
  },
  /**
   * Ends a `resume`, after the missed events: [groupId, lastSeq, complete] for each group. If
   * `complete` is false, too many events were missed: page the history up to `lastSeq`.
   */
  resumed: { code: 77, fields: { groups: list(tuple([groupId, seq, bool]), limits.resumeGroups) } },
  /** The session ends at `expiresAt` unless the client sends `refresh_token` before. */
  token_expiring: { code: 78, fields: { expiresAt: time } },
  /** Seqs lost in a crash: remove what was shown from `from` to `to` (GAP-1). */
  gap: { code: 79, durable: true, fields: { groupId, seq, from: seq, to: seq } },
  /** The server stops; reconnect after `reconnectInMs`, which differs between clients. */
  server_shutdown: { code: 80, fields: { reason: text(0, 256), reconnectInMs: uint() } },
  /** The role of a member changed. `by` is the member itself if the last admin left. */
  role_changed: {
    code: 81,
    durable: true,
    fields: { userId, role: text(1, 16), groupId, seq, by: userId, at: time },
  },
  /**
   * The new content and mentions of the message; `type` if it changed. Edits from before version 0.2
   * have no mentions.
   */
  message_edited: {
    code: 82,
    durable: true,
    fields: {
      messageId,
      groupId,
      seq,
      content: text(0, limits.contentBytes),
      editedAt: time,
      mentions: optional(mentions),
      type: optional(messageType),
    },
  },
  /** The message is now an empty tombstone. */
  message_deleted: {
    code: 83,
    durable: true,
    fields: { messageId, groupId, seq, deletedAt: time, deletedBy: userId },
  },
  /** The sender recalled the message, which is now an empty tombstone. */
  message_recalled: {
    code: 84,
    durable: true,
    fields: { messageId, groupId, seq, recalledBy: userId, recalledAt: time },
  },
  /** `by` added a reaction to the message or, if `added` is false, removed it. */
  reaction_changed: {
    code: 85,
    durable: true,
    fields: { messageId, emoji, added: bool, groupId, seq, by: userId, at: time },
  },
  message_pinned: { code: 86, durable: true, fields: { messageId, groupId, seq, by: userId, at: time } },
  message_unpinned: { code: 87, durable: true, fields: { messageId, groupId, seq, by: userId, at: time } },
  /** The fields that are present have changed; an empty text was removed. */
  group_updated: {
    code: 88,
    durable: true,
    fields: {
      name: optional(name),
      avatarUrl: optional(text(0, limits.urlBytes)),
      topic: optional(text(0, limits.topicBytes)),
      visibility: optional(visibility),
      groupId,
      seq,
      by: userId,
      at: time,
    },
  },
  /** The member cannot post until then; 0 if they can post again. */
  member_muted: {
    code: 89,
    durable: true,
    fields: { userId, until: time, groupId, seq, by: userId, at: time },
  },
  /** The user types. Ends with `user_stopped_typing`, at the latest after 6 s. */
  user_typing: { code: 90, ephemeral: true, fields: { userId, userName: name, groupId } },
  user_stopped_typing: { code: 91, ephemeral: true, fields: { userId, groupId } },
  /**
   * A user who shares a group with the recipient connected, disconnected or chose another status. One
   * event, however many groups are shared (PRS-3). Also for the recipient's own status: when another
   * device changes it, and after `connected` if it is not online.
   */
  contact_status_changed: {
    code: 92,
    ephemeral: true,
    fields: { userId, status, timestamp: time, lastSeenAt: optional(time) },
  },
  /**
   * Answers `get_online_users`: in the order of joining; `cursor` if there are more. In a large group
   * `users` is empty and `total` is their number.
   */
  online_users: {
    code: 93,
    fields: {
      groupId,
      users: list(ref<User>(User), limits.listedUsers),
      total: uint(),
      cursor: optional(text(1, limits.cursorBytes)),
    },
  },
  /** To the sender of the messages: a device of that member has received them. */
  message_delivered: { code: 94, fields: { messageIds, groupId, deliveredTo: userId, timestamp: time } },
  /**
   * To the sender of the messages, and to the reader's other devices. With `upTo`, the reader has
   * read all messages up to that seq, more than `messageIds` names.
   */
  message_read: {
    code: 95,
    fields: { messageIds, groupId, readBy: userId, timestamp: time, upTo: optional(seq) },
  },
  /**
   * Answers `get_receipts`. The lists are in order of time and may be truncated; in a large group they
   * are empty. The counts are complete.
   */
  receipts: {
    code: 96,
    fields: {
      messageId,
      delivered: receiptTimes,
      read: receiptTimes,
      deliveredCount: uint(),
      readCount: uint(),
    },
  },
  /** A `signal` from another member. */
  signal: {
    code: 97,
    fields: {
      fromUserId: userId,
      groupId,
      kind: text(1, limits.signalKindBytes),
      payload: text(0, limits.signalPayloadBytes),
    },
  },
  /** Answers `search`: newest first; `cursor` if there may be more. A page can have few hits. */
  search_results: {
    code: 98,
    fields: {
      hits: list(ref<SearchHit>(SearchHit), limits.searchPage),
      hasMore: bool,
      cursor: optional(text(1, 128)),
    },
  },
  /** The file is stored; a message with its `fileId` shows it. */
  file_uploaded: { code: 99, fields: File.fields },
  /** `received` of `size` bytes have arrived: the offset of the next chunk. */
  upload_progress: { code: 100, fields: { uploadId: text(1, 64), received: uint(), size: uint() } },
  /** Answers `get_file`. */
  file: { code: 101, fields: { file: ref<File>(File) } },
  /** An invitation to a private group or a direct chat; `join_group` accepts it. */
  group_invited: { code: 102, fields: { group: ref<Group>(Group), groupId, by: userId, at: time } },
  /** Answers `get_invitations`: newest first; `cursor` if there are more. */
  invitations: {
    code: 103,
    fields: {
      invitations: list(ref<Invitation>(Invitation), limits.invitationsPage),
      cursor: optional(text(1, 128)),
    },
  },
  /** Answers `search_users`, `get_contacts` and `get_blocked`; `cursor` if there are more. */
  users: {
    code: 104,
    fields: { users: list(ref<User>(User), limits.usersPage), cursor: optional(text(1, limits.cursorBytes)) },
  },
  /** Answers `get_members`: in the order of joining; `cursor` if there are more. */
  members: {
    code: 105,
    fields: {
      groupId,
      members: list(ref<Member>(Member), limits.membersPage),
      cursor: optional(text(1, limits.cursorBytes)),
    },
  },
  /** Answers `get_pins`: the pinned messages, latest pin first; `cursor` if there are more. */
  pins: {
    code: 106,
    fields: {
      groupId,
      messages: list(ref<Message>(Message), limits.pinnedMessages),
      cursor: optional(text(1, 128)),
    },
  },
  /**
   * A user who shares a group with the recipient has a new name or picture. Not replayed by `resume`: after a
   * reconnect `connected`, lists, history and replayed events have the names of today.
   */
  user_updated: {
    code: 132,
    ephemeral: true,
    fields: { userId, name, picture: optional(text(0, limits.urlBytes)), at: time },
  },
  /** To the user's other devices: the unread count starts again at the message `seq`. */
  marked_unread: { code: 160, fields: { groupId, seq, timestamp: time } },
} as const satisfies Record<string, EventSpec>

export type EventName = keyof typeof events

/** The fields of an event. */
export type EventFields<N extends EventName> = FieldsOf<(typeof events)[N]['fields']>

/** A decoded event. `ref` is 0 if no request caused it. */
export type Event<N extends EventName = EventName> = {
  [K in N]: { readonly event: K; readonly ref: number; readonly fields: EventFields<K> }
}[N]

/** The events that are part of a group's log. */
export type DurableEvent = {
  [K in EventName]: (typeof events)[K] extends { readonly durable: true } ? K : never
}[EventName]
