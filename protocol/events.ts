/**
 * Every event a server sends. Codes are wire format: add rows at the end, never renumber.
 *
 * A `durable` event is part of its group's log: it has a seq, all members see it in that order,
 * and `resume` brings it again. The others are answers, or concern one connection only.
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
  /** 64 to 127, one byte on the wire; 128 to 255 for what is less frequent (TRN-7). None is a request's. */
  readonly code: number
  readonly durable?: true
  /** Kept nowhere, and left out for a reader who is behind (SPEC 5.5). */
  readonly ephemeral?: true
  readonly fields: FieldMap
}

const name = text(0, limits.nameBytes)
const tempId = text(1, limits.tempIdBytes)
/** A reply mentions one more. */
const mentions = list(userId, limits.mentions + 1)
const messageIds = list(messageId, limits.receiptMessages)
/** When each user got or read a message. */
const receiptTimes = list(tuple([userId, time]), limits.listedUsers)

export const events = {
  /** The first event on every connection: who one is, and where one's groups stand. */
  connected: {
    code: 64,
    fields: {
      message: text(0, 256),
      userId,
      timestamp: time,
      sessionId: text(1, 64),
      serverVersion: text(1, 64),
      limits: ref(Limits),
      groups: list(ref(GroupSummary), limits.connectedGroups),
      /** There are more groups than listed here: `get_groups` lists all. */
      hasMore: optional(bool),
    },
  },
  /** Done. `result` where the request names one. */
  ok: { code: 65, fields: { result: optional(map) } },
  /** Refused, with a code from the table of errors and the field that is to blame. */
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
  group: { code: 68, fields: { group: ref(Group) } },
  /** A group begins: the first event of its log, to all its first members. */
  group_created: {
    code: 69,
    durable: true,
    fields: { group: ref(Group), groupId, seq, by: userId, at: time },
  },
  groups: {
    code: 70,
    fields: { groups: list(ref(GroupListing), limits.groupsPage), cursor: optional(text(1, 128)) },
  },
  /** `by` is named where somebody else added them. */
  user_joined_group: {
    code: 71,
    durable: true,
    fields: { userId, userName: name, groupId, seq, by: optional(userId) },
  },
  /** `by` is named where somebody else removed them; `banned` where they may not come back. */
  user_left_group: {
    code: 72,
    durable: true,
    fields: { userId, userName: name, groupId, seq, by: optional(userId), banned: optional(bool) },
  },
  /** A post, to every device of every member, the sender's own among them. */
  new_message: { code: 73, durable: true, fields: { message: ref(Message) } },
  /** The post is as durable as the server was told to make it (SPEC 5.2). */
  message_sent: { code: 74, fields: { tempId, message: ref(Message), success: bool } },
  /** The post was refused; with `retryAfterMs` the same tempId may be sent again. */
  message_error: { code: 75, fields: { tempId, error: ref(ErrorInfo), timestamp: time } },
  /** Messages by seq, ascending, and the gaps that a crash has left between them. */
  history: {
    code: 76,
    fields: {
      groupId,
      messages: list(ref(Message), limits.historyPage),
      hasMore: bool,
      gaps: optional(list(ref(Gap), limits.historyPage)),
    },
  },
  /**
   * Ends a `resume`, after the missed events: [groupId, lastSeq, complete] each. Where `complete`
   * is false too many were missed: page the history up to `lastSeq`.
   */
  resumed: { code: 77, fields: { groups: list(tuple([groupId, seq, bool]), limits.resumeGroups) } },
  /** The session ends at `expiresAt` unless `refresh_token` comes before. */
  token_expiring: { code: 78, fields: { expiresAt: time } },
  /** Numbers that a crash has taken: take back what was shown of `from` to `to` (SPEC 5.3). */
  gap: { code: 79, durable: true, fields: { groupId, seq, from: seq, to: seq } },
  /** The server goes; come back after `reconnectInMs`, which differs for each client. */
  server_shutdown: { code: 80, fields: { reason: text(0, 256), reconnectInMs: uint() } },
  /** A member got another role; `by` themselves where the last admin left and handed theirs on. */
  role_changed: {
    code: 81,
    durable: true,
    fields: { userId, role: text(1, 16), groupId, seq, by: userId, at: time },
  },
  /**
   * The message of that id has this content now, and mentions these users; `type` where it has
   * another. Edits from before version 0.2 do not name mentions.
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
  /** Of the message only an empty tombstone is left. */
  message_deleted: {
    code: 83,
    durable: true,
    fields: { messageId, groupId, seq, deletedAt: time, deletedBy: userId },
  },
  /** The sender took the message back; only an empty tombstone is left. */
  message_recalled: {
    code: 84,
    durable: true,
    fields: { messageId, groupId, seq, recalledBy: userId, recalledAt: time },
  },
  /** `by` reacted to the message with the emoji or, where `added` is false, took that back. */
  reaction_changed: {
    code: 85,
    durable: true,
    fields: { messageId, emoji, added: bool, groupId, seq, by: userId, at: time },
  },
  message_pinned: { code: 86, durable: true, fields: { messageId, groupId, seq, by: userId, at: time } },
  message_unpinned: { code: 87, durable: true, fields: { messageId, groupId, seq, by: userId, at: time } },
  /** What is named has changed; an empty text was taken away. */
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
  /** Until then the member may not post; 0 where they may again. */
  member_muted: {
    code: 89,
    durable: true,
    fields: { userId, until: time, groupId, seq, by: userId, at: time },
  },
  /** Begins to type; ends with `user_stopped_typing`, by itself after 6 s. */
  user_typing: { code: 90, ephemeral: true, fields: { userId, userName: name, groupId } },
  user_stopped_typing: { code: 91, ephemeral: true, fields: { userId, groupId } },
  /**
   * Somebody with whom one shares a group came, went or chose another status; one event, however many
   * groups are shared (PRS-3). Also of oneself: from another device, and after `connected` where one is
   * not online.
   */
  contact_status_changed: {
    code: 92,
    ephemeral: true,
    fields: { userId, status, timestamp: time, lastSeenAt: optional(time) },
  },
  /**
   * Answers `get_online_users`: in the order of joining; `cursor` where there are more. In a large group
   * `users` is empty and `total` counts them.
   */
  online_users: {
    code: 93,
    fields: {
      groupId,
      users: list(ref(User), limits.listedUsers),
      total: uint(),
      cursor: optional(text(1, limits.cursorBytes)),
    },
  },
  /** To the sender of those messages: they have reached a device of that member. */
  message_delivered: { code: 94, fields: { messageIds, groupId, deliveredTo: userId, timestamp: time } },
  /**
   * To the sender of those messages, and to the reader's other devices. With `upTo` the reader has
   * read all up to that number, more than `messageIds` names.
   */
  message_read: {
    code: 95,
    fields: { messageIds, groupId, readBy: userId, timestamp: time, upTo: optional(seq) },
  },
  /**
   * Answers `get_receipts`. The lists end, with the earliest first, where an answer is full; in a large
   * group they are empty. The counts say how many there are.
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
  /** What another member sent by `signal`. */
  signal: {
    code: 97,
    fields: {
      fromUserId: userId,
      groupId,
      kind: text(1, limits.signalKindBytes),
      payload: text(0, limits.signalPayloadBytes),
    },
  },
  /** Answers `search`: newest first; `cursor` where there may be more. Pages with few hits are possible. */
  search_results: {
    code: 98,
    fields: {
      hits: list(ref(SearchHit), limits.searchPage),
      hasMore: bool,
      cursor: optional(text(1, 128)),
    },
  },
  /** The file is kept; a message with its `fileId` shows it. */
  file_uploaded: { code: 99, fields: File.fields },
  /** `received` of `size` bytes are there: the next chunk's offset. */
  upload_progress: { code: 100, fields: { uploadId: text(1, 64), received: uint(), size: uint() } },
  /** Answers `get_file`. */
  file: { code: 101, fields: { file: ref(File) } },
  /** Somebody invites this user into a private group, or has opened a direct chat: `join_group` accepts. */
  group_invited: { code: 102, fields: { group: ref(Group), groupId, by: userId, at: time } },
  /** Answers `get_invitations`: newest first; `cursor` where there are more. */
  invitations: {
    code: 103,
    fields: {
      invitations: list(ref(Invitation), limits.invitationsPage),
      cursor: optional(text(1, 128)),
    },
  },
  /** Answers `search_users`, `get_contacts` and `get_blocked`; `cursor` where there are more. */
  users: {
    code: 104,
    fields: { users: list(ref(User), limits.usersPage), cursor: optional(text(1, limits.cursorBytes)) },
  },
  /** Answers `get_members`: in the order of joining; `cursor` where there are more. */
  members: {
    code: 105,
    fields: {
      groupId,
      members: list(ref(Member), limits.membersPage),
      cursor: optional(text(1, limits.cursorBytes)),
    },
  },
  /** Answers `get_pins`: the pinned messages, the latest pin first; `cursor` where there are more. */
  pins: {
    code: 106,
    fields: {
      groupId,
      messages: list(ref(Message), limits.pinnedMessages),
      cursor: optional(text(1, 128)),
    },
  },
  /** Somebody with whom a group is shared has another name or picture, which is shown from now on. */
  user_updated: {
    code: 132,
    ephemeral: true,
    fields: { userId, name, picture: optional(text(0, limits.urlBytes)), at: time },
  },
  /** To the user's other devices: unread counts from the message `seq` again. */
  marked_unread: { code: 160, fields: { groupId, seq, timestamp: time } },
} as const satisfies Record<string, EventSpec>

export type EventName = keyof typeof events

/** The fields of an event. */
export type EventFields<N extends EventName> = FieldsOf<(typeof events)[N]['fields']>

/** An event as a client sees it. `ref` is 0 where no request caused it. */
export type Event<N extends EventName = EventName> = {
  [K in N]: { readonly event: K; readonly ref: number; readonly fields: EventFields<K> }
}[N]

/** The events that are part of a group's log. */
export type DurableEvent = {
  [K in EventName]: (typeof events)[K] extends { readonly durable: true } ? K : never
}[EventName]
