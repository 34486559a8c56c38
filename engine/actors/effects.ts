/**
 * Effects: what a handler wants done, as values.
 *
 * Handlers are plain functions of state, command and time; they touch no thread, socket, file or
 * clock. What should happen outside their state they return, and the shard does it in the order
 * given. So the whole engine runs the same on threads and under a simulated clock.
 */
import type { CloseReason } from '../../protocol/close-codes.ts'
import type { DurableEvent, EventFields, EventName } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import type { FileCall, FileCallName, FileCalls } from '../files/file-calls.ts'
import type { GroupAlarm, UserAlarm } from '../shards/alarms.ts'
import type { LogEntry, ReadName, ReadQuery, Reads, Status } from '../storage/log.ts'
import type { Caller } from './caller.ts'
import type { AttachAll, GroupMail, UserMail } from './mail.ts'
import type { PresenceOf } from './presence.ts'

export type Effect =
  /** Writes to the log. */
  | { readonly type: 'append'; readonly entry: LogEntry }
  /** A durable event of the group: to the log, to its newest events, to every member. */
  | { readonly type: 'record'; readonly seq: number; readonly at: number; readonly event: Recorded }
  /** A post is another from now on, by the event `seq`, which follows. */
  | { readonly type: 'change'; readonly seq: number; readonly before: Message; readonly message: Message }
  /** Answers the caller at once. */
  | { readonly type: 'answer'; readonly to: Caller; readonly event: Sent }
  /** Answers the caller once all that this shard wrote so far is durable (DUR-1). */
  | {
      readonly type: 'answer_committed'
      readonly to: Caller
      readonly event: Sent
      readonly tempId?: string | undefined
    }
  /** Sends an event, or frames of events, to one session. */
  | { readonly type: 'send'; readonly session: number; readonly event: Sent }
  | { readonly type: 'send_frame'; readonly session: number; readonly frame: Uint8Array }
  /** Sends an event to all sessions of a user, wherever they are, but to `but`. */
  | {
      readonly type: 'send_user'
      readonly userId: string
      readonly event: Sent
      readonly but?: number | undefined
    }
  /**
   * Shows an event to the sessions that are subscribed to these groups, each once however many of
   * them it is in (PRS-3), except to `but` and to the sessions of `exceptUsers`. It is not stored, and
   * readers who lag do not get it (SLW-1).
   */
  | {
      readonly type: 'publish'
      readonly groupIds: readonly string[]
      readonly event: Sent
      readonly but?: number | undefined
      readonly exceptUsers?: readonly string[] | undefined
      /** Only the sessions of this user among them. */
      readonly onlyUser?: string | undefined
      /**
       * Whom the event is about: it does not reach those who blocked them or whom they blocked (PRV-1).
       * Null where a block does not hide it.
       */
      readonly about: string | null
    }
  /** The session hears the group from here on, after what was sent to it before. */
  | { readonly type: 'subscribe'; readonly session: number; readonly groupId: string }
  /** No session of the user hears the group any more. */
  | { readonly type: 'unsubscribe'; readonly userId: string; readonly groupId: string }
  /** Ends the session's connection. */
  | { readonly type: 'close'; readonly session: number; readonly reason: CloseReason }
  | {
      readonly type: 'tell_group'
      readonly groupId: string
      readonly mail: GroupMail
      /** Tells it again once the entries of this owner are committed: a group loaded before did not read them. */
      readonly againFor?: string | undefined
    }
  /** Attaches a session to many groups, in one mail for each shard. */
  | { readonly type: 'attach'; readonly mail: AttachAll }
  | {
      readonly type: 'tell_user'
      readonly userId: string
      readonly mail: UserMail
      /** Nothing is told to who has no session. */
      readonly ifConnected?: true
      /** Storage knows what the mail says: an actor that is not loaded does not need it. */
      readonly ifLoaded?: true
    }
  /** Mail that only loaded actors need: storage says the same once all is committed. */
  | {
      readonly type: 'tell_members'
      /** Whose entries it follows from (`ownerOf`). */
      readonly owner: string
      readonly userIds: readonly string[]
      readonly mail: UserMail
    }
  /** Goes on at once, with what is known of who is there. */
  | { readonly type: 'with_presence'; readonly then: (presenceOf: PresenceOf) => readonly Effect[] }
  /** All shards know from now on how the user is seen. */
  | { readonly type: 'presence'; readonly userId: string; readonly status: Status }
  /** All shards know from now on whom the user has blocked. */
  | {
      readonly type: 'blocks'
      readonly userId: string
      readonly blocked: readonly string[]
      /** Somebody has blocked the user. */
      readonly isBlocked: boolean
    }
  /** All shards know from now on whether the user may be in one more group. */
  | { readonly type: 'full'; readonly userId: string; readonly isFull: boolean }
  /** Mail `gone` to the group, or no longer, when the user's last session has gone. */
  | { readonly type: 'watch'; readonly groupId: string; readonly userId: string; readonly on: boolean }
  /** Mail `alarm` to this actor after that time, or earlier where it asked for that (`Alarms`). */
  | {
      readonly type: 'wake_group'
      readonly groupId: string
      readonly what: GroupAlarm
      readonly afterMs: number
    }
  | {
      readonly type: 'wake_user'
      readonly userId: string
      readonly what: UserAlarm
      readonly afterMs: number
    }
  /** Mail to this actor, once the session's connection has room for more. */
  | {
      readonly type: 'when_drained'
      readonly session: number
      readonly groupId: string
      readonly mail: GroupMail
    }
  /** Reads from the log; `then` goes on with the state as it is by then. */
  | ReadEffect
  /** Has something done with the bytes of files; `then` goes on with the state as it is by then. */
  | FileEffect

type Recorded = { [N in DurableEvent]: { readonly name: N; readonly fields: EventFields<N> } }[DurableEvent]
type Sent = { [N in EventName]: { readonly name: N; readonly fields: EventFields<N> } }[EventName]

export interface ReadEffect {
  readonly type: 'read'
  readonly query: ReadQuery
  readonly then: (result: never, now: number) => readonly Effect[]
  /** Whom a failure concerns: a caller is refused, a session that would miss something is closed. */
  readonly to: Caller | { readonly session: number }
}

export interface FileEffect {
  readonly type: 'file'
  readonly call: FileCall
  readonly then: (result: never, now: number) => readonly Effect[]
  /** Who is refused where it fails. */
  readonly to: Caller
}

export type Effects = readonly Effect[]

export function append(entry: LogEntry): Effect {
  return { type: 'append', entry }
}

export function change(seq: number, before: Message, message: Message): Effect {
  return { type: 'change', seq, before, message }
}

export function record<N extends DurableEvent>(
  seq: number,
  at: number,
  name: N,
  fields: EventFields<N>,
): Effect {
  return { type: 'record', seq, at, event: { name, fields } as Recorded }
}

export function answer<N extends EventName>(to: Caller, name: N, fields: EventFields<N>): Effect {
  return { type: 'answer', to, event: { name, fields } as Sent }
}

/** `tempId` makes a failed commit a `message_error` instead of an `error`. */
export function answerCommitted<N extends EventName>(
  to: Caller,
  name: N,
  fields: EventFields<N>,
  tempId?: string,
): Effect {
  return { type: 'answer_committed', to, event: { name, fields } as Sent, tempId }
}

export function send<N extends EventName>(session: number, name: N, fields: EventFields<N>): Effect {
  return { type: 'send', session, event: { name, fields } as Sent }
}

/** `but` is a session that does not get it. */
export function sendUser<N extends EventName>(
  userId: string,
  name: N,
  fields: EventFields<N>,
  but?: number,
): Effect {
  return { type: 'send_user', userId, event: { name, fields } as Sent, but }
}

/**
 * About a user, or null where a block does not hide it; `but` is a session and `exceptUsers` are users
 * who do not get it.
 */
export function publish<N extends EventName>(
  about: string | null,
  groupIds: readonly string[],
  name: N,
  fields: EventFields<N>,
  but?: number,
  exceptUsers?: readonly string[],
): Effect {
  return { type: 'publish', groupIds, event: { name, fields } as Sent, but, about, exceptUsers }
}

/** To one user, if they share one of the groups; a block does not hide it. */
export function publishTo<N extends EventName>(
  onlyUser: string,
  groupIds: readonly string[],
  name: N,
  fields: EventFields<N>,
): Effect {
  return { type: 'publish', groupIds, event: { name, fields } as Sent, onlyUser, about: null }
}

/**
 * To everybody who shares one of the groups with the user, once (PRS-3); not to the user's own sessions, nor
 * to those whom they have `blocked`: the shards may not know all of these yet (PRV-1).
 */
export function publishToOthers<N extends EventName>(
  userId: string,
  blocked: Iterable<string>,
  groupIds: readonly string[],
  name: N,
  fields: EventFields<N>,
): Effect {
  return {
    type: 'publish',
    groupIds,
    event: { name, fields } as Sent,
    exceptUsers: [userId, ...blocked],
    about: userId,
  }
}

export function wakeGroup(groupId: string, what: GroupAlarm, afterMs: number): Effect {
  return { type: 'wake_group', groupId, what, afterMs }
}

export function wakeUser(userId: string, what: UserAlarm, afterMs: number): Effect {
  return { type: 'wake_user', userId, what, afterMs }
}

export function sendFrame(session: number, frame: Uint8Array): Effect {
  return { type: 'send_frame', session, frame }
}

export function tellGroup(groupId: string, mail: GroupMail, againFor?: string): Effect {
  return { type: 'tell_group', groupId, mail, againFor }
}

export function tellUser(userId: string, mail: UserMail): Effect {
  return { type: 'tell_user', userId, mail }
}

/** Mail to the actors of these users, as far as they are loaded. */
export function tellMembers(owner: string, userIds: readonly string[], mail: UserMail): Effect {
  return { type: 'tell_members', owner, userIds, mail }
}

export function withPresence(then: (presenceOf: PresenceOf) => Effects): Effect {
  return { type: 'with_presence', then }
}

/** Mail to the user's actor, if it is loaded. */
export function tellLoaded(userId: string, mail: UserMail): Effect {
  return { type: 'tell_user', userId, mail, ifLoaded: true }
}

/** Mail to the user's actor, if they are connected. */
export function tellConnected(userId: string, mail: UserMail): Effect {
  return { type: 'tell_user', userId, mail, ifConnected: true }
}

export function read<N extends ReadName>(
  query: ReadQuery<N>,
  to: ReadEffect['to'],
  then: (result: Reads[N]['result'], now: number) => Effects,
): Effect {
  return { type: 'read', query: query as unknown as ReadQuery, to, then }
}

export function files<N extends FileCallName>(
  call: FileCall<N>,
  to: Caller,
  then: (result: FileCalls[N]['result'], now: number) => Effects,
): Effect {
  return { type: 'file', call: call as unknown as FileCall, to, then }
}
