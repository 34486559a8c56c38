/**
 * Effects: what a handler wants done, as values.
 *
 * Handlers are plain functions of state, command and time. They use no thread, socket, file or clock.
 * They return what should happen outside their state, and the shard performs it in the order given.
 * Therefore the whole engine runs the same on threads and under a simulated clock.
 */
import type { CloseReason } from '../../protocol/close-codes.ts'
import type { DurableEvent, EventFields, EventName } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { Status } from '../stored/stored-user.ts'
import type { PostChange } from './actor-context.ts'
import type { GroupAlarm, UserAlarm } from './alarm.ts'
import type { Caller } from './caller.ts'
import type { Continued, SubscriberChange } from './continuing.ts'
import type { FileCall, FileCallName, FileCalls } from './file-calls.ts'
import type { AttachAll, ContinueTopic, GroupMail, UserMail } from './mail.ts'
import type { PresenceOf } from './presence.ts'

export type Effect =
  /** Writes to the log. */
  | { readonly type: 'append'; readonly entry: LogEntry }
  /** A durable event of the group: it is written to the log, added to the newest events and sent to every member. */
  | {
      readonly type: 'record'
      readonly seq: number
      readonly at: number
      readonly event: Recorded
      /** Who sent the post: receives `message_sent`, with the same bytes, once it is committed (DUR-1). */
      readonly sender?: Sender | undefined
    }
  /** The event `seq`, which follows, changes a post. */
  | ({ readonly type: 'change' } & PostChange)
  /** Answers the caller immediately. */
  | { readonly type: 'answer'; readonly to: Caller; readonly event: Sent }
  /** Answers the caller once everything this shard has written so far is durable (DUR-1). */
  | {
      readonly type: 'answer_committed'
      readonly to: Caller
      readonly event: Sent
      readonly tempId?: string | undefined
    }
  /** Sends an event to one session. */
  | { readonly type: 'send'; readonly session: number; readonly event: Sent }
  /** Sends a durable event that a session has missed. */
  | {
      readonly type: 'send_frame'
      readonly session: number
      readonly groupId: string
      readonly seq: number
      readonly frame: Uint8Array
      /** An answer to `resume`; otherwise an event since the session began. */
      readonly replayed: boolean
    }
  /** Sends an event to all sessions of a user on all shards, except to `exceptSession`. */
  | {
      readonly type: 'send_user'
      readonly userId: string
      readonly event: Sent
      readonly exceptSession?: number | undefined
    }
  /**
   * Sends an event to the sessions that are subscribed to these groups, once to each session even if
   * it is in several of them (PRS-3), except to `exceptSession` and to the sessions of `exceptUsers`. It is not
   * stored, and lagging readers do not receive it (SLW-1).
   */
  | {
      readonly type: 'publish'
      readonly groupIds: readonly string[]
      readonly event: Sent
      readonly exceptSession?: number | undefined
      readonly exceptUsers?: readonly string[] | undefined
      /** Limits it to the sessions of this user. */
      readonly onlyUser?: string | undefined
      /**
       * The user that the event is about. Users who blocked them or are blocked by them do not receive it
       * (PRV-1). Null if a block does not hide the event.
       */
      readonly about: string | null
    }
  /** The session receives the group's events after this seq, after what was sent to it before. */
  | {
      readonly type: 'subscribe'
      readonly session: number
      readonly groupId: string
      readonly after: number
    }
  /** A front receives an event that it has missed. */
  | {
      readonly type: 'show_front'
      readonly front: number
      readonly groupId: string
      readonly seq: number
      readonly frame: Uint8Array
    }
  /** The group's subscribers in a front change, between two events that the front has missed. */
  | {
      readonly type: 'change_subscribers'
      readonly front: number
      readonly groupId: string
      readonly change: SubscriberChange
    }
  /** The group's topic has continued in a front, or is to be continued later from this seq. */
  | {
      readonly type: 'continued'
      readonly front: number
      readonly groupId: string
      readonly how: Continued | { readonly laterFrom: number }
    }
  /** A session that continues an earlier one is open. */
  | { readonly type: 'reopened'; readonly session: number }
  /** Unsubscribes all sessions of the user from the group. */
  | { readonly type: 'unsubscribe'; readonly userId: string; readonly groupId: string }
  /** Closes the session's connection. */
  | { readonly type: 'close'; readonly session: number; readonly reason: CloseReason }
  | {
      readonly type: 'tell_group'
      readonly groupId: string
      readonly mail: GroupMail
      /** Sends the mail again once the entries of this owner are committed: a group loaded before did not read them. */
      readonly againFor?: string | undefined
    }
  /** Attaches a session to many groups, with one mail for each shard. */
  | { readonly type: 'attach'; readonly mail: AttachAll }
  | {
      readonly type: 'tell_user'
      readonly userId: string
      readonly mail: UserMail
      /** Sent only if the user has a session. */
      readonly ifConnected?: true
      /** Storage contains the same information: an actor that is not loaded does not need the mail. */
      readonly ifLoaded?: true
    }
  /** Mail that only loaded actors need: storage contains the same once everything is committed. */
  | {
      readonly type: 'tell_members'
      /** The owner of the entries that it follows from (`ownerOf`). */
      readonly owner: string
      readonly userIds: readonly string[]
      readonly mail: UserMail
    }
  /** Continues immediately, with the presence that is known now. */
  | { readonly type: 'with_presence'; readonly then: (presenceOf: PresenceOf) => readonly Effect[] }
  /** Notifies all shards of the status that others see. */
  | { readonly type: 'presence'; readonly userId: string; readonly status: Status }
  /** Notifies all shards of the users that this user has blocked. */
  | {
      readonly type: 'blocks'
      readonly userId: string
      readonly blocked: readonly string[]
      /** Whether another user has blocked this user. */
      readonly isBlocked: boolean
    }
  /** Notifies all shards whether the user may join one more group. */
  | { readonly type: 'full'; readonly userId: string; readonly isFull: boolean }
  /** Starts or stops sending `user_disconnected` to the group when the user's last session disconnects. */
  | { readonly type: 'watch'; readonly groupId: string; readonly userId: string; readonly on: boolean }
  /** Sends `alarm` to this actor after that time, or earlier if it asked for that (`Alarms`). */
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
  /** Sends mail to this actor once the session's connection has room for more. */
  | {
      readonly type: 'when_drained'
      readonly session: number
      readonly groupId: string
      readonly mail: GroupMail
    }
  /** Reads from the log. `then` continues with the state at that time. */
  | ReadEffect
  /** Reads or writes the bytes of files. `then` continues with the state at that time. */
  | FileEffect

type Recorded = { [N in DurableEvent]: { readonly name: N; readonly fields: EventFields<N> } }[DurableEvent]
type Sent = { [N in EventName]: { readonly name: N; readonly fields: EventFields<N> } }[EventName]

/** The sender of a post, and the key that they gave it. */
export interface Sender {
  readonly by: Caller
  readonly tempId: string
}

export interface ReadEffect {
  readonly type: 'read'
  readonly query: ReadQuery
  readonly then: (result: never, now: number) => readonly Effect[]
  /** Handles a failure: the caller receives an error; a session that would miss something is closed. */
  readonly to: Caller | { readonly session: number } | ContinueTopic
}

export interface FileEffect {
  readonly type: 'file'
  readonly call: FileCall
  readonly then: (result: never, now: number) => readonly Effect[]
  /** The caller who receives the error if it fails. */
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
  sender?: Sender,
): Effect {
  return { type: 'record', seq, at, event: { name, fields } as Recorded, sender }
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

/** `exceptSession` is a session that does not receive it. */
export function sendUser<N extends EventName>(
  userId: string,
  name: N,
  fields: EventFields<N>,
  exceptSession?: number,
): Effect {
  return { type: 'send_user', userId, event: { name, fields } as Sent, exceptSession }
}

/**
 * `about` is a user, or null if a block does not hide the event. The session `exceptSession` and the users
 * `exceptUsers` do not receive it.
 */
export function publish<N extends EventName>(
  about: string | null,
  groupIds: readonly string[],
  name: N,
  fields: EventFields<N>,
  exceptSession?: number,
  exceptUsers?: readonly string[],
): Effect {
  return { type: 'publish', groupIds, event: { name, fields } as Sent, exceptSession, about, exceptUsers }
}

/** Sends to one user, if they share one of the groups. A block does not hide the event. */
export function publishTo<N extends EventName>(
  onlyUser: string,
  groupIds: readonly string[],
  name: N,
  fields: EventFields<N>,
): Effect {
  return { type: 'publish', groupIds, event: { name, fields } as Sent, onlyUser, about: null }
}

/**
 * Sends once to everybody who shares one of the groups with the user (PRS-3), except the user's own
 * sessions and the users in `blocked`, of which the shards may not know all yet (PRV-1).
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

export function sendFrame(
  session: number,
  groupId: string,
  seq: number,
  frame: Uint8Array,
  replayed: boolean,
): Effect {
  return { type: 'send_frame', session, groupId, seq, frame, replayed }
}

export function tellGroup(groupId: string, mail: GroupMail, againFor?: string): Effect {
  return { type: 'tell_group', groupId, mail, againFor }
}

export function tellUser(userId: string, mail: UserMail): Effect {
  return { type: 'tell_user', userId, mail }
}

/** Mail to the actors of these users that are loaded. */
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
