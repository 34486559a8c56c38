/**
 * Every request a client may send. Codes are wire format: add rows at the end, never renumber.
 *
 * A row says all that others need to know of a request: `route` names the actor that handles it
 * (`group` and its first field is the groupId; `user`, the caller's own actor; `connection`, the
 * front end), `durable` that it writes to the log and so waits for the commit, `budget` what it
 * is charged to (SPEC 5, rate limit), `answer` the event that answers it, and `returns` the one
 * field of the answer that a library method gives back instead of the whole.
 */
import type { EventName } from './events.ts'
import { groupId, messageId, userId } from './ids.ts'
import { limits } from './limits.ts'
import { groupKind, messageType, seq, time, visibility } from './records.ts'
import { type FieldMap, type FieldsOf, list, optional, text, tuple, uint } from './schema.ts'

export interface RequestSpec {
  /** 1 to 63: one byte on the wire. */
  readonly code: number
  readonly route: 'group' | 'user' | 'connection'
  readonly durable?: true
  /** `events` where left off. */
  readonly budget?: 'ephemeral'
  readonly fields: FieldMap
  readonly answer: EventName
  readonly returns?: string
}

const token = text(1, limits.tokenBytes)

export const requests = {
  /** Proves who one is; only as the first frame, and only where the upgrade carried no token. */
  authenticate: { code: 1, route: 'connection', fields: { token }, answer: 'connected' },
  /** Measures the way there and back through the user's actor. */
  ping: { code: 2, route: 'user', budget: 'ephemeral', fields: { t: optional(time) }, answer: 'pong' },
  /**
   * Makes a group, or finds the one direct chat of two people. Whoever makes it is its admin.
   * `groupId` is made by the server where it is left off; a taken one is `already_exists`.
   */
  create_group: {
    code: 3,
    route: 'user',
    durable: true,
    fields: {
      kind: groupKind,
      name: optional(text(1, limits.nameBytes)),
      members: optional(list(userId, limits.createMembers)),
      visibility: optional(visibility),
      groupId: optional(groupId),
    },
    answer: 'group',
    returns: 'group',
  },
  /** The caller's groups, the most recently active first. */
  get_groups: {
    code: 4,
    route: 'user',
    fields: { cursor: optional(text(1, 128)), limit: optional(uint(limits.groupsPage, 1)) },
    answer: 'groups',
  },
  /** Makes the caller a member of an open group. Idempotent. */
  join_group: { code: 5, route: 'group', durable: true, fields: { groupId }, answer: 'ok' },
  /** The last admin that leaves hands the role on: oldest moderator, else oldest member. */
  leave_group: { code: 6, route: 'group', durable: true, fields: { groupId }, answer: 'ok' },
  /** Moderator and admin. Idempotent. */
  add_member: { code: 7, route: 'group', durable: true, fields: { groupId, userId }, answer: 'ok' },
  /** Moderator and admin, never someone of a higher role. */
  remove_member: { code: 8, route: 'group', durable: true, fields: { groupId, userId }, answer: 'ok' },
  /** The same `tempId` of the same sender makes one message, however often it is sent. */
  send_message: {
    code: 9,
    route: 'group',
    durable: true,
    fields: {
      groupId,
      content: text(0, limits.contentBytes),
      type: optional(messageType),
      replyToId: optional(messageId),
      tempId: text(1, limits.tempIdBytes),
      fileId: optional(text(1, limits.fileIdBytes)),
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
    fields: {
      groupId,
      before: optional(seq),
      after: optional(seq),
      limit: optional(uint(limits.historyPage, 1)),
    },
    answer: 'history',
  },
  /** Asks for the durable events after `lastSeq` of each group; groups one is not in are left out. */
  resume: {
    code: 11,
    route: 'user',
    fields: { groups: list(tuple([groupId, seq]), limits.resumeGroups) },
    answer: 'resumed',
  },
  /** Replaces the token of a running session by a newer one of the same user. */
  refresh_token: { code: 12, route: 'connection', fields: { token }, answer: 'ok' },
} as const satisfies Record<string, RequestSpec>

export type RequestName = keyof typeof requests

/** The fields of a request. */
export type RequestFields<N extends RequestName> = FieldsOf<(typeof requests)[N]['fields']>

/** A request as the actors see it: validated, with its name. */
export type Request<N extends RequestName = RequestName> = {
  [K in N]: { readonly event: K; readonly ref: number; readonly fields: RequestFields<K> }
}[N]

/** The requests that go one way: to a group's actor, to the caller's, or to the connection. */
export type RequestsTo<R extends RequestSpec['route']> = {
  [K in RequestName]: (typeof requests)[K]['route'] extends R ? K : never
}[RequestName]
