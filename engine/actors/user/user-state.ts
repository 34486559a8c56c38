/**
 * User state: what a user's actor knows. Changed by its handlers only.
 */
import type { LoadedUser, Status } from '../../storage/log.ts'
import type { Caller } from '../caller.ts'

export interface UserState {
  readonly userId: string
  name: string
  picture: string
  /** The user's groups, and the seq that made them a member of each. */
  readonly groups: Map<string, number>
  readonly sessions: Map<number, SessionState>
  /** The sessions that resume, in the order of asking: the first one is served, the others wait (INP-2). */
  readonly resuming: number[]
  /** Whom the user has blocked, and when; at most `limits.blocks`. */
  readonly blocked: Map<string, number>
  /** Somebody may have blocked the user. */
  isBlocked: boolean
  /** Those of the groups that get no presence; replaced, not changed, so that most users share one. */
  largeGroups: ReadonlySet<string>
  /** Direct chats in which they are approached: the other one gets no presence. PRV-2 */
  approached: ReadonlySet<string>
  /** The most groups that the user may be in; 0 is no limit. */
  readonly maxGroups: number
  /** Groups that the user is about to make, and since when by the steady clock; see `reserveRoom`. */
  making: Map<string, number> | null
  /** Whether the user may be in no further group, as the shards know it. */
  isFull: boolean
  /** How the user wants to be seen while they are present; `offline` is invisible. */
  chosen: Status
  /** How others were last told that they are seen. */
  shown: Status
  /** When they were last seen, milliseconds since 1970; not while they are invisible. */
  lastSeenAt: number | undefined
  /**
   * Until then, by the steady clock, others are not notified that the last session has
   * disconnected; null where a session is connected.
   */
  graceUntil: number | null
  /** The steady clock's time of the mail being handled, for durations (TIM-1); set by the actor. */
  steadyNow: number
}

/** One connection of the user: until `connected` is sent it hears nothing. */
export type SessionState =
  | { readonly phase: 'opening'; readonly sessionId: string }
  | {
      readonly phase: 'connected'
      /**
       * For each group, the seq above which the session hears everything live. Of a group that was
       * left it stays, until the session ends: the user may be back already.
       */
      readonly baselines: Map<string, number>
      resume: Resume | null
    }

/** A `resume` under way: some groups at once, the others wait. */
export interface Resume {
  readonly caller: Caller
  readonly waiting: [groupId: string, from: number][]
  active: number
  readonly done: (readonly [groupId: string, lastSeq: number, complete: boolean])[]
}

/** Most users have none: they share an empty set. */
const noGroups: ReadonlySet<string> = new Set()

/** State of a user that the log may or may not know. */
export function userState(userId: string, loaded: LoadedUser | null, maxGroups = 0): UserState {
  return {
    userId,
    name: loaded?.name ?? '',
    picture: loaded?.picture ?? '',
    groups: new Map(loaded?.groups),
    sessions: new Map(),
    resuming: [],
    blocked: new Map(loaded?.blocked),
    isBlocked: loaded?.isBlocked ?? false,
    largeGroups: noGroups,
    approached: loaded?.approached.length ? new Set(loaded.approached) : noGroups,
    maxGroups,
    making: null,
    isFull: false,
    chosen: loaded?.status ?? 'online',
    shown: 'offline',
    lastSeenAt: loaded?.lastSeenAt,
    graceUntil: null,
    steadyNow: 0,
  }
}
