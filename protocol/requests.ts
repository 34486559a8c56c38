/**
 * The table of requests. Codes are part of the wire format: add rows at the end, never renumber.
 *
 * The columns of a row:
 * - `route`: what handles the request: `group`, the actor of the group that the first field names by
 *   a groupId, a messageId, a fileId or a list of them; `user`, the caller's actor; `connection`, the
 *   front end.
 * - `durable`: the request writes to the log, and its answer waits for the commit. `event`: it writes
 *   an event of its group, with a seq. `state`: it writes other state, without a seq.
 * - `budget`: the rate limit that it is charged to (LIM-1).
 * - `answer`: the event that answers it.
 * - `returns`: the field of the answer that library methods return instead of the whole answer.
 */
import type { EventName } from './events.ts'
import { fileId, groupId, messageId, userId } from './ids.ts'
import { limits } from './limits.ts'
import { emoji, groupKind, messageType, role, seq, sha256, status, time, visibility } from './records.ts'
import {
  bytes,
  type FieldMap,
  type FieldsOf,
  fileNameText,
  list,
  nameText,
  optional,
  text,
  tuple,
  uint,
} from './schema.ts'

/** The rate limits that requests are charged to (LIM-1). */
export type Budget = 'events' | 'reads' | 'ephemeral' | 'upload'

export interface RequestSpec {
  /** 1 to 63, one byte on the wire; 128 to 255 for rare requests (TRN-7). No event has the same code. */
  readonly code: number
  readonly route: 'group' | 'user' | 'connection'
  /** `event`: gets a seq. `state`: is stored without a seq. */
  readonly durable?: 'event' | 'state'
  /** Default: `events`. */
  readonly budget?: Budget
  /** Tokens of the budget that a request costs; 1 by default (INP-2). */
  readonly cost?: number
  /** Each of so many bytes of the frame costs one token more: for requests whose lists cause the work. */
  readonly bytesPerToken?: number
  readonly fields: FieldMap
  readonly answer: EventName
  readonly returns?: string
}

const token = text(1, limits.tokenBytes)
const uploadId = text(1, 64)
const messageIds = list(messageId, limits.receiptMessages)
const fileName = fileNameText(limits.fileNameBytes)
const mimeType = text(1, limits.mimeTypeBytes)

export const requests = {
  /** Authenticates the connection. Only as the first frame, and only if the upgrade had no token. */
  authenticate: { code: 1, route: 'connection', fields: { token }, answer: 'connected' },
  /** Measures the round trip to the user's actor. */
  ping: { code: 2, route: 'user', budget: 'ephemeral', fields: { t: optional(time) }, answer: 'pong' },
  /**
   * Creates a group, or finds the direct chat of two users. The creator becomes admin. Without `groupId`
   * the server chooses an id; an id in use is `already_exists`. Ids that start with `d_` are reserved
   * for direct chats. If the two users of a direct chat share no group, the server's contact policy
   * decides: the chat is delivered immediately, waits until the other user accepts it with `join_group`,
   * or fails with `no_contact`. A user who opens a chat that waits for them accepts it.
   */
  create_group: {
    code: 3,
    route: 'user',
    durable: 'event',
    // 999 members cost about 30 events.
    bytesPerToken: 256,
    fields: {
      kind: groupKind,
      name: optional(nameText(1, limits.nameBytes)),
      members: optional(list(userId, limits.createMembers)),
      visibility: optional(visibility),
      groupId: optional(groupId),
    },
    answer: 'group',
    returns: 'group',
  },
  /**
   * The caller's groups, most recently active first. A group that becomes active between two pages is
   * listed again at the end.
   */
  get_groups: {
    code: 4,
    route: 'user',
    budget: 'reads',
    cost: 5,
    fields: { cursor: optional(text(1, 128)), limit: optional(uint(limits.groupsPage, 1)) },
    answer: 'groups',
  },
  /**
   * Makes the caller a member of an open group, or of a private group or direct chat with an invitation.
   * Accepts a direct chat that the caller is already a member of, so that the other user sees them.
   * Idempotent.
   * `limit_reached` if the caller is in as many groups as a user may be in (`MAX_GROUPS_PER_USER`).
   */
  join_group: { code: 5, route: 'group', durable: 'event', fields: { groupId }, answer: 'ok' },
  /** If the last admin leaves, the oldest moderator becomes admin, or else the oldest member. */
  leave_group: { code: 6, route: 'group', durable: 'event', fields: { groupId }, answer: 'ok' },
  /**
   * Moderator and admin. Idempotent. Removes a ban. `limit_reached` with `field` `userId` if the user is in
   * as many groups as a user may be in; likewise with `field` `members` for `create_group`.
   */
  add_member: { code: 7, route: 'group', durable: 'event', fields: { groupId, userId }, answer: 'ok' },
  /** Moderator and admin, except against a higher role. Also withdraws an invitation. */
  remove_member: { code: 8, route: 'group', durable: 'event', fields: { groupId, userId }, answer: 'ok' },
  /** A `tempId` of a sender creates one message, however often the request is sent. */
  send_message: {
    code: 9,
    route: 'group',
    durable: 'event',
    fields: {
      groupId,
      content: text(0, limits.contentBytes),
      type: optional(messageType),
      replyToId: optional(messageId),
      tempId: text(1, limits.tempIdBytes),
      fileId: optional(fileId),
      mentions: optional(list(userId, limits.mentions)),
    },
    answer: 'message_sent',
  },
  /**
   * A page of messages by seq, always ascending. `before` and `after` are exclusive seqs: with
   * `after` the page starts after it, otherwise it ends before `before`, or with the newest message.
   */
  get_history: {
    code: 10,
    route: 'group',
    budget: 'reads',
    fields: {
      groupId,
      before: optional(seq),
      after: optional(seq),
      limit: optional(uint(limits.historyPage, 1)),
    },
    answer: 'history',
  },
  /**
   * Requests the durable events after `lastSeq` of each group; 0 means since the caller's join. Groups
   * that the caller is not in are omitted. Every 100 events sent cost as much as one request.
   */
  resume: {
    code: 11,
    route: 'user',
    budget: 'reads',
    fields: { groups: list(tuple([groupId, seq]), limits.resumeGroups) },
    answer: 'resumed',
  },
  /** Replaces the token of the session with a newer one of the same user. */
  refresh_token: { code: 12, route: 'connection', fields: { token }, answer: 'ok' },
  /**
   * The sender only, within the time limit for edits. Without `mentions`, the mentions that are still
   * written in `content` stay; without `type`, the type stays.
   */
  edit_message: {
    code: 13,
    route: 'group',
    durable: 'event',
    fields: {
      messageId,
      content: text(0, limits.contentBytes),
      mentions: optional(list(userId, limits.mentions)),
      type: optional(messageType),
    },
    answer: 'ok',
  },
  /**
   * The sender, also after leaving. Moderators and admins also for messages of others, except of a
   * higher role.
   */
  delete_message: { code: 14, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** The sender only, also after leaving, within five minutes. */
  recall_message: { code: 15, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** Idempotent. */
  react: { code: 16, route: 'group', durable: 'event', fields: { messageId, emoji }, answer: 'ok' },
  /** Idempotent. */
  unreact: { code: 17, route: 'group', durable: 'event', fields: { messageId, emoji }, answer: 'ok' },
  /** Moderator and admin. Idempotent. */
  pin_message: { code: 18, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** Moderator and admin. Idempotent. */
  unpin_message: { code: 19, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** Moderator and admin. Omitted fields stay; an empty text removes the value. */
  update_group: {
    code: 20,
    route: 'group',
    durable: 'event',
    fields: {
      groupId,
      name: optional(nameText(0, limits.nameBytes)),
      avatarUrl: optional(text(0, limits.urlBytes)),
      topic: optional(nameText(0, limits.topicBytes)),
      visibility: optional(visibility),
    },
    answer: 'ok',
  },
  /** Moderator and admin, except against a higher role. Until `add_member` or `invite_member`, the user cannot join again. */
  ban_member: { code: 21, route: 'group', durable: 'event', fields: { groupId, userId }, answer: 'ok' },
  /** Admin. A group must have at least one admin. */
  set_role: { code: 22, route: 'group', durable: 'event', fields: { groupId, userId, role }, answer: 'ok' },
  /** Turns off the caller's notifications of the group until then; without `until`, forever; with 0, on again. */
  mute_group: {
    code: 23,
    route: 'group',
    durable: 'state',
    fields: { groupId, until: optional(time) },
    answer: 'ok',
  },
  /** Moderator and admin: an invited user can join a private group. Idempotent. Removes a ban. */
  invite_member: { code: 24, route: 'group', durable: 'state', fields: { groupId, userId }, answer: 'ok' },
  /** Declines an invitation of the caller. The user who opened a direct chat is not notified. */
  decline_invitation: { code: 25, route: 'group', durable: 'state', fields: { groupId }, answer: 'ok' },
  /** The caller's pending invitations. */
  get_invitations: {
    code: 26,
    route: 'user',
    budget: 'reads',
    fields: { cursor: optional(text(1, 128)), limit: optional(uint(limits.invitationsPage, 1)) },
    answer: 'invitations',
  },
  /**
   * Moderator and admin, except against a higher role: the member cannot post until then; without
   * `until`, forever; with 0, the member can post again.
   */
  mute_member: {
    code: 27,
    route: 'group',
    durable: 'event',
    fields: { groupId, userId, until: optional(time) },
    answer: 'ok',
  },
  /** Members who can post. Ends after 6 s without another one. Has no effect in a large group. */
  typing_start: { code: 28, route: 'group', budget: 'ephemeral', fields: { groupId }, answer: 'ok' },
  /** Sending a message also ends it. */
  typing_stop: { code: 29, route: 'group', budget: 'ephemeral', fields: { groupId }, answer: 'ok' },
  /** The status that others see while the caller is connected; `offline` is invisible. Stored, for all devices. */
  update_status: { code: 30, route: 'user', durable: 'state', fields: { status }, answer: 'ok' },
  /**
   * The members who are connected and visible; changes are sent as `contact_status_changed`.
   * For a large group, only their number.
   */
  get_online_users: {
    code: 31,
    route: 'group',
    budget: 'reads',
    fields: { groupId, cursor: optional(text(1, limits.cursorBytes)) },
    answer: 'online_users',
  },
  /** This device has received the messages, all of one group. */
  message_delivered: {
    code: 32,
    route: 'group',
    durable: 'state',
    budget: 'ephemeral',
    fields: { messageIds },
    answer: 'ok',
  },
  /**
   * The caller has read the messages, all of that group; with `upTo`, all messages up to that seq, and
   * `messageIds` may be empty. Unread counts start after the newest of them.
   */
  message_read: {
    code: 33,
    route: 'group',
    durable: 'state',
    budget: 'ephemeral',
    fields: { messageIds, groupId, upTo: optional(seq) },
    answer: 'ok',
  },
  /** The users, except the sender, who received and who read a message. */
  get_receipts: { code: 34, route: 'group', budget: 'reads', fields: { messageId }, answer: 'receipts' },
  /**
   * Sent on to all devices of one member or, without `toUserId`, to all sessions in the group except the
   * sending one. Never stored. For example for WebRTC offers.
   */
  signal: {
    code: 35,
    route: 'group',
    fields: {
      groupId,
      toUserId: optional(userId),
      kind: text(1, limits.signalKindBytes),
      payload: text(0, limits.signalPayloadBytes),
    },
    budget: 'ephemeral',
    answer: 'ok',
  },
  /**
   * Messages with all words of `query`, in the groups of the caller. `"…"` is a phrase, `word*` a
   * prefix. `before` and `after` are exclusive times; `cursor` is the one of the previous page.
   */
  search: {
    code: 36,
    route: 'user',
    budget: 'reads',
    fields: {
      query: text(1, limits.queryBytes),
      groupId: optional(groupId),
      senderId: optional(userId),
      before: optional(time),
      after: optional(time),
      limit: optional(uint(limits.searchPage, 1)),
      cursor: optional(text(1, 128)),
    },
    answer: 'search_results',
  },
  /** A whole file in one frame. For larger files use `upload_begin`. */
  upload_file: {
    code: 37,
    route: 'user',
    durable: 'state',
    budget: 'upload',
    // A file costs as much as an event, however small it is.
    cost: 60,
    fields: {
      fileName,
      file: bytes(limits.chunkBytes),
      fileSize: uint(),
      groupId,
      mimeType: optional(mimeType),
    },
    answer: 'file_uploaded',
  },
  /**
   * Starts an upload or, with the `uploadId` of an interrupted one, continues it from the offset in the
   * answer. `sha256` (hexadecimal) is checked at the end.
   */
  upload_begin: {
    code: 38,
    route: 'user',
    budget: 'upload',
    cost: 30,
    fields: {
      fileName,
      fileSize: uint(),
      groupId,
      mimeType: optional(mimeType),
      sha256: optional(sha256),
      uploadId: optional(uploadId),
    },
    answer: 'upload_progress',
  },
  /** The next bytes. `offset` is their position. Chunks may be sent before earlier ones are answered, in order. */
  upload_chunk: {
    code: 39,
    route: 'user',
    budget: 'upload',
    fields: { uploadId, offset: uint(), chunk: bytes(limits.chunkBytes) },
    answer: 'upload_progress',
  },
  /** Ends an upload: checks the bytes and stores the file. */
  upload_end: {
    code: 40,
    route: 'user',
    durable: 'state',
    budget: 'upload',
    cost: 30,
    fields: { uploadId },
    answer: 'file_uploaded',
  },
  /** The metadata of a file in a group of the caller. */
  get_file: {
    code: 41,
    route: 'group',
    budget: 'reads',
    fields: { fileId },
    answer: 'file',
    returns: 'file',
  },
  /** Users who share a group with the caller, by a prefix of a word of their name, or by id. */
  search_users: {
    code: 42,
    route: 'user',
    budget: 'reads',
    cost: 5,
    fields: {
      query: text(1, limits.queryBytes),
      limit: optional(uint(limits.usersPage, 1)),
      cursor: optional(text(1, limits.cursorBytes)),
    },
    answer: 'users',
  },
  /** The other users of the caller's direct chats, most recently active first. */
  get_contacts: {
    code: 43,
    route: 'user',
    budget: 'reads',
    fields: { limit: optional(uint(limits.usersPage, 1)), cursor: optional(text(1, 128)) },
    answer: 'users',
  },
  /** The members, in the order of joining. */
  get_members: {
    code: 44,
    route: 'group',
    budget: 'reads',
    fields: {
      groupId,
      cursor: optional(text(1, limits.cursorBytes)),
      limit: optional(uint(limits.membersPage, 1)),
    },
    answer: 'members',
  },
  get_pins: {
    code: 45,
    route: 'group',
    budget: 'reads',
    fields: {
      groupId,
      cursor: optional(text(1, 128)),
      limit: optional(uint(limits.pinnedMessages, 1)),
    },
    answer: 'pins',
  },
  /**
   * The caller's unread count starts again at the message `seq`, on all devices; at most 10,000
   * below the newest. The receipts that others saw stay. Has no effect if the message is unread.
   */
  mark_unread: {
    code: 128,
    route: 'group',
    durable: 'state',
    fields: { groupId, seq },
    answer: 'ok',
  },
  /**
   * Ends contact with the user, in both directions: no direct chat, invitation or signal, no presence,
   * typing or last seen. Requests fail with `no_contact`, which does not reveal who blocked. Shared
   * groups stay. At most 1,000 users. Idempotent.
   */
  block_user: { code: 129, route: 'user', durable: 'state', fields: { userId }, answer: 'ok' },
  /** Idempotent. */
  unblock_user: { code: 130, route: 'user', durable: 'state', fields: { userId }, answer: 'ok' },
  /** The users that the caller has blocked, in the order of blocking. */
  get_blocked: {
    code: 131,
    route: 'user',
    budget: 'reads',
    fields: {
      cursor: optional(text(1, limits.cursorBytes)),
      limit: optional(uint(limits.usersPage, 1)),
    },
    answer: 'users',
  },
} as const satisfies Record<string, RequestSpec>

export type RequestName = keyof typeof requests

/** The fields of a request. */
export type RequestFields<N extends RequestName> = FieldsOf<(typeof requests)[N]['fields']>

/** A request as the actors see it: validated, with its name. */
export type Request<N extends RequestName = RequestName> = {
  [K in N]: { readonly event: K; readonly ref: number; readonly fields: RequestFields<K> }
}[N]

/** The requests of one route: a group's actor, the caller's actor, or the connection. */
export type RequestsTo<R extends RequestSpec['route']> = {
  [K in RequestName]: (typeof requests)[K]['route'] extends R ? K : never
}[RequestName]
