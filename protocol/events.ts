/**
 * Every event a server sends. Codes are wire format: add rows at the end, never renumber.
 *
 * A `durable` event is part of its group's log: it has a seq, all members see it in that order,
 * and `resume` brings it again. The others are answers, or concern one connection only.
 */
import { groupId, userId } from './ids.ts'
import { limits } from './limits.ts'
import { ErrorInfo, Gap, Group, GroupListing, GroupSummary, Limits, Message, seq, time } from './records.ts'
import { bool, type FieldMap, type FieldsOf, list, map, optional, ref, text, tuple, uint } from './schema.ts'

export interface EventSpec {
  /** 64 to 127: one byte on the wire, and none is a request's. */
  readonly code: number
  readonly durable?: true
  readonly fields: FieldMap
}

const name = text(0, limits.nameBytes)
const tempId = text(1, limits.tempIdBytes)

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
  /** `by` is named where somebody else removed them. */
  user_left_group: {
    code: 72,
    durable: true,
    fields: { userId, userName: name, groupId, seq, by: optional(userId) },
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
  /** Who decides changed: the last admin left and handed the role on. */
  role_changed: {
    code: 81,
    durable: true,
    fields: { userId, role: text(1, 16), groupId, seq, by: userId, at: time },
  },
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
