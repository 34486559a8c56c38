/**
 * Every request a client may send. Codes are wire format: add rows at the end, never renumber.
 *
 * A row says all that others need to know of a request: `route` names the actor that handles it
 * (`group`, which its first field names by a groupId, a messageId, a fileId or a list of them;
 * `user`, the caller's own actor; `connection`, the front end), `durable` that it writes to the
 * log and so waits for the commit, and whether that is an event of its group with a seq or only
 * kept, `budget` what it is charged to (LIM-1), `answer` the event that answers it,
 * and `returns` the one field of the answer that a library method gives back instead of the whole.
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

/** What requests are charged to, each with a limit of its own (LIM-1). */
export type Budget = 'events' | 'reads' | 'ephemeral' | 'upload'

export interface RequestSpec {
  /** 1 to 63, one byte on the wire; 128 to 255 for what is less frequent (TRN-7). None is an event's. */
  readonly code: number
  readonly route: 'group' | 'user' | 'connection'
  /** `event`: takes a seq. `state`: is kept, and takes none. */
  readonly durable?: 'event' | 'state'
  /** `events` where left off. */
  readonly budget?: Budget
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
  /** Proves who one is; only as the first frame, and only where the upgrade carried no token. */
  authenticate: { code: 1, route: 'connection', fields: { token }, answer: 'connected' },
  /** Measures the way there and back through the user's actor. */
  ping: { code: 2, route: 'user', budget: 'ephemeral', fields: { t: optional(time) }, answer: 'pong' },
  /**
   * Makes a group, or finds the one direct chat of two people. Whoever makes it is its admin.
   * `groupId` is made by the server where it is left off; a taken one is `already_exists`. Ids that begin
   * with `d_` are those of direct chats and are refused. Where the two of a direct chat share no group, the
   * server's contact policy decides: it is delivered at once, waits until the other one accepts it by
   * `join_group`, or is refused as `no_contact`. Who opens a chat that waits for them accepts it.
   */
  create_group: {
    code: 3,
    route: 'user',
    durable: 'event',
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
   * The caller's groups, the most recently active first. A group that becomes active between two pages
   * is listed again at the end.
   */
  get_groups: {
    code: 4,
    route: 'user',
    budget: 'reads',
    fields: { cursor: optional(text(1, 128)), limit: optional(uint(limits.groupsPage, 1)) },
    answer: 'groups',
  },
  /**
   * Makes the caller a member of an open group, or of a private one or a direct chat they were invited to.
   * Accepts a direct chat of which they are a member already, so that the other one sees them. Idempotent.
   */
  join_group: { code: 5, route: 'group', durable: 'event', fields: { groupId }, answer: 'ok' },
  /** The last admin that leaves hands the role on: oldest moderator, else oldest member. */
  leave_group: { code: 6, route: 'group', durable: 'event', fields: { groupId }, answer: 'ok' },
  /** Moderator and admin. Idempotent. Lifts a ban. */
  add_member: { code: 7, route: 'group', durable: 'event', fields: { groupId, userId }, answer: 'ok' },
  /** Moderator and admin, never someone of a higher role. Takes an invitation back, too. */
  remove_member: { code: 8, route: 'group', durable: 'event', fields: { groupId, userId }, answer: 'ok' },
  /** The same `tempId` of the same sender makes one message, however often it is sent. */
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
   * A page of messages by seq, always ascending. `before` and `after` are seqs, exclusive: with
   * `after` the page starts there, otherwise it ends before `before`, or with the newest.
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
   * Asks for the durable events after `lastSeq` of each group, 0 for those since the caller's join;
   * groups that the caller is not in are left out. Every 100 events sent cost as much as one request.
   */
  resume: {
    code: 11,
    route: 'user',
    budget: 'reads',
    fields: { groups: list(tuple([groupId, seq]), limits.resumeGroups) },
    answer: 'resumed',
  },
  /** Replaces the token of a running session by a newer one of the same user. */
  refresh_token: { code: 12, route: 'connection', fields: { token }, answer: 'ok' },
  /**
   * One's own, as long as edits are allowed. Without `mentions` those stay that are still written in
   * `content` as before; without `type` it stays.
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
   * One's own, also after leaving; a moderator or admin also those of others, never of someone of a
   * higher role.
   */
  delete_message: { code: 14, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** One's own, also after leaving, at most five minutes old. */
  recall_message: { code: 15, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** Idempotent. */
  react: { code: 16, route: 'group', durable: 'event', fields: { messageId, emoji }, answer: 'ok' },
  /** Idempotent. */
  unreact: { code: 17, route: 'group', durable: 'event', fields: { messageId, emoji }, answer: 'ok' },
  /** Moderator and admin. Idempotent. */
  pin_message: { code: 18, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** Moderator and admin. Idempotent. */
  unpin_message: { code: 19, route: 'group', durable: 'event', fields: { messageId }, answer: 'ok' },
  /** Moderator and admin. What is left off stays; an empty text takes it away. */
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
  /** Moderator and admin, never someone of a higher role. Until `add_member` they cannot come back. */
  ban_member: { code: 21, route: 'group', durable: 'event', fields: { groupId, userId }, answer: 'ok' },
  /** Admin. A group keeps one admin at least. */
  set_role: { code: 22, route: 'group', durable: 'event', fields: { groupId, userId, role }, answer: 'ok' },
  /** No notifications of the group for the caller until then; for good where it is left off, none with 0. */
  mute_group: {
    code: 23,
    route: 'group',
    durable: 'state',
    fields: { groupId, until: optional(time) },
    answer: 'ok',
  },
  /** Moderator and admin: who is invited may join a private group. Idempotent. */
  invite_member: { code: 24, route: 'group', durable: 'state', fields: { groupId, userId }, answer: 'ok' },
  /** Turns an invitation of the caller's down; who opened a direct chat is not notified. */
  decline_invitation: { code: 25, route: 'group', durable: 'state', fields: { groupId }, answer: 'ok' },
  /** The caller's invitations that wait for an answer. */
  get_invitations: {
    code: 26,
    route: 'user',
    budget: 'reads',
    fields: { cursor: optional(text(1, 128)), limit: optional(uint(limits.invitationsPage, 1)) },
    answer: 'invitations',
  },
  /**
   * Moderator and admin, never someone of a higher role: until then they may not post; for good
   * where it is left off, and again with 0.
   */
  mute_member: {
    code: 27,
    route: 'group',
    durable: 'event',
    fields: { groupId, userId, until: optional(time) },
    answer: 'ok',
  },
  /** For who may post. Ends by itself after 6 s without another. Nothing happens in a large group. */
  typing_start: { code: 28, route: 'group', budget: 'ephemeral', fields: { groupId }, answer: 'ok' },
  /** A message that is sent ends it as well. */
  typing_stop: { code: 29, route: 'group', budget: 'ephemeral', fields: { groupId }, answer: 'ok' },
  /** What others see while one is connected; `offline` is invisible. The same on all devices, and kept. */
  update_status: { code: 30, route: 'user', durable: 'state', fields: { status }, answer: 'ok' },
  /**
   * The members who are there at present and let it be seen; changes come as `contact_status_changed`.
   * Of a large group only how many.
   */
  get_online_users: {
    code: 31,
    route: 'group',
    budget: 'reads',
    fields: { groupId, cursor: optional(text(1, limits.cursorBytes)) },
    answer: 'online_users',
  },
  /** The messages, all of one group, have reached this device. */
  message_delivered: {
    code: 32,
    route: 'group',
    durable: 'state',
    budget: 'ephemeral',
    fields: { messageIds },
    answer: 'ok',
  },
  /**
   * The caller has read the messages, all of that group, and with `upTo` all up to that number; then
   * `messageIds` may be empty. What is unread counts from the newest of them.
   */
  message_read: {
    code: 33,
    route: 'group',
    durable: 'state',
    budget: 'ephemeral',
    fields: { messageIds, groupId, upTo: optional(seq) },
    answer: 'ok',
  },
  /** Who got and who read a message, but its sender. */
  get_receipts: { code: 34, route: 'group', budget: 'reads', fields: { messageId }, answer: 'receipts' },
  /**
   * Relayed to all devices of one member or, without `toUserId`, to all who hear the group but the
   * session that sends; never stored. For WebRTC's offers and the like.
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
   * Messages with all the words of `query`, of the groups the caller is in. `"…"` is a phrase,
   * `word*` a beginning. `before` and `after` are times, exclusive; `cursor` is that of the page before.
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
  /** A whole file in one frame; a larger one takes `upload_begin`. */
  upload_file: {
    code: 37,
    route: 'user',
    durable: 'state',
    budget: 'upload',
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
   * Begins an upload or, with the `uploadId` of one that was broken off, goes on with it: the
   * answer says from where. `sha256` (hexadecimal) is checked at the end.
   */
  upload_begin: {
    code: 38,
    route: 'user',
    budget: 'upload',
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
  /** The next bytes. `offset` is where they belong, `received` of the last `upload_progress`. */
  upload_chunk: {
    code: 39,
    route: 'user',
    budget: 'upload',
    fields: { uploadId, offset: uint(), chunk: bytes(limits.chunkBytes) },
    answer: 'upload_progress',
  },
  /** All is there: looks at the bytes and keeps the file. */
  upload_end: {
    code: 40,
    route: 'user',
    durable: 'state',
    budget: 'upload',
    fields: { uploadId },
    answer: 'file_uploaded',
  },
  /** What is known of a file of a group the caller is in. */
  get_file: {
    code: 41,
    route: 'group',
    budget: 'reads',
    fields: { fileId },
    answer: 'file',
    returns: 'file',
  },
  /** Users with whom a group is shared, by the beginning of a word of their name, or their id. */
  search_users: {
    code: 42,
    route: 'user',
    budget: 'reads',
    fields: {
      query: text(1, limits.queryBytes),
      limit: optional(uint(limits.usersPage, 1)),
      cursor: optional(text(1, limits.cursorBytes)),
    },
    answer: 'users',
  },
  /** The people of the caller's direct chats, the latest talk first. */
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
   * The caller's unread count starts at the message `seq` again, on all devices; at most 10,000
   * below the newest. The receipts that others saw stay. Nothing happens where it was not read.
   */
  mark_unread: {
    code: 128,
    route: 'group',
    durable: 'state',
    fields: { groupId, seq },
    answer: 'ok',
  },
  /**
   * No contact with the user from now on, in either direction: no direct chat, invitation or signal,
   * no presence, typing or last seen; refusals are `no_contact` and do not say who blocked. Groups that
   * both are in stay. At most 1,000. Idempotent.
   */
  block_user: { code: 129, route: 'user', durable: 'state', fields: { userId }, answer: 'ok' },
  /** Idempotent. */
  unblock_user: { code: 130, route: 'user', durable: 'state', fields: { userId }, answer: 'ok' },
  /** Whom the caller has blocked, in the order of blocking. */
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

/** How durable what a request does is; undefined where it writes nothing. */
export function durabilityOf(name: RequestName): RequestSpec['durable'] {
  const row: RequestSpec = requests[name]
  return row.durable
}

/** The requests that go one way: to a group's actor, to the caller's, or to the connection. */
export type RequestsTo<R extends RequestSpec['route']> = {
  [K in RequestName]: (typeof requests)[K]['route'] extends R ? K : never
}[RequestName]
