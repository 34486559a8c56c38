/**
 * User state: what a user's actor knows. Only its handlers change it.
 */

import { SmallMap } from '../../base/small-map.ts'
import type { LoadedUser, Status } from '../../stored/stored-user.ts'
import type { Caller } from '../caller.ts'

export interface UserState {
  readonly userId: string
  name: string
  picture: string
  /** The user's groups, and for each the seq that made them a member. */
  readonly groups: SmallMap<string, number>
  readonly sessions: SmallMap<number, SessionState>
  /** The sessions that resume, in the order of their requests: the first one is served, the others wait (INP-2). */
  resuming: readonly number[]
  /** The users that the user has blocked, and when; at most `limits.blocks`. Replaced, not changed: most share one map. */
  blocked: ReadonlyMap<string, number>
  /** Whether another user may have blocked the user. */
  isBlocked: boolean
  /** The groups that receive no presence; replaced, not changed, so that most users share one set. */
  largeGroups: ReadonlySet<string>
  /** Direct chats in which the user is approached: the other user receives no presence. PRV-2 */
  approached: ReadonlySet<string>
  /** Limit of groups that the user may be in; 0 means no limit. */
  readonly maxGroups: number
  /** Groups that the user is about to create, and since when by the steady clock; see `reserveRoom`. */
  making: Map<string, number> | null
  /** Whether the user has reached the limit of groups, as the shards know it. */
  isFull: boolean
  /** The status that the user chose for while they are present; `offline` means invisible. */
  chosen: Status
  /** The status in the last notification to others; null before the first one. */
  shown: Status | null
  /** When they were last seen, milliseconds since 1970; does not change while they are invisible. */
  lastSeenAt: number | undefined
  /**
   * Others are not notified before this time, by the steady clock, that the last session has
   * disconnected; null while a session is connected.
   */
  graceUntil: number | null
  /** The steady clock's time of the mail being handled, for durations (TIM-1); set by the actor. */
  steadyNow: number
}

/** One connection of the user. It receives nothing until `connected` is sent. */
export type SessionState =
  | { readonly phase: 'opening'; readonly sessionId: string }
  | {
      readonly phase: 'connected'
      /**
       * For each group, the seq above which the session receives everything live. The entry of a group
       * that was left stays until the session ends: the user may have rejoined already.
       */
      readonly baselines: SmallMap<string, number>
      resume: Resume | null
    }

/** A `resume` under way: some groups replay, the others wait. */
export interface Resume {
  readonly caller: Caller
  readonly waiting: [groupId: string, from: number][]
  active: number
  readonly done: (readonly [groupId: string, lastSeq: number, complete: boolean])[]
}

/** Most users have no such groups: they share an empty set. */
const noGroups: ReadonlySet<string> = new Set()
const none: readonly number[] = []
const noBlocks: ReadonlyMap<string, number> = new Map()

/** State of a user that may or may not be in the log. */
export function userState(userId: string, loaded: LoadedUser | null, maxGroups = 0): UserState {
  return {
    userId,
    name: loaded?.name ?? '',
    picture: loaded?.picture ?? '',
    groups: new SmallMap(loaded?.groups),
    sessions: new SmallMap(),
    resuming: none,
    blocked: loaded?.blocked.length ? new Map(loaded.blocked) : noBlocks,
    isBlocked: loaded?.isBlocked ?? false,
    largeGroups: loaded?.large.length ? new Set(loaded.large) : noGroups,
    approached: loaded?.approached.length ? new Set(loaded.approached) : noGroups,
    maxGroups,
    making: null,
    isFull: false,
    chosen: loaded?.status ?? 'online',
    shown: null,
    lastSeenAt: loaded?.lastSeenAt,
    graceUntil: null,
    steadyNow: 0,
  }
}
