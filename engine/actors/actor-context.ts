/**
 * Actor context: the part of its shard that an actor may use.
 */
import type { ChatError } from '../../protocol/errors.ts'
import type { Request } from '../../protocol/requests.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { Caller } from './caller.ts'
import type { Effects } from './effects.ts'
import type { GroupRules, GroupState } from './group/group-state.ts'
import type { Presence } from './presence.ts'
import type { Greeting } from './user/sessions.ts'

/** The actor whose events are recorded: only what recording needs. */
export interface EventSource {
  readonly groupId: string
  /** `g:<id>` as bytes: the topic that its members' sessions subscribe to. */
  readonly topic: Uint8Array
  readonly state: GroupState
  /** Offset of its newest log entry. It must be committed before the actor may be evicted. */
  lastOffset: number
  /** Reads under way. A handler continues with this state after each of them. */
  reading: number
  /** True once the log has refused its entries: the actor then does no further work. */
  readonly abandoned: boolean
}

export interface ActorContext {
  readonly greeting: Greeting
  readonly rules: GroupRules
  /** How long after the last session has disconnected others are notified. */
  readonly presenceGraceMs: number
  /** The time of day, milliseconds since 1970. */
  now(): number
  /** For durations, milliseconds; see `Clock`. */
  steadyNow(): number
  newId(): string
  /** Whether a user is connected, and the status that others see. */
  presenceOf(userId: string): Presence
  /** Why a durable request cannot be accepted now, or null. */
  writeRefusal(): ChatError | null
  /** Performs a handler's effects. `group` is the actor whose events are recorded. */
  perform(effects: Effects, group: EventSource | null): void
  /** Answers a request with an error. An error that is not a `ChatError` is logged and shown as `internal`. */
  refuse(by: Caller, request: Request, error: unknown): void
  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
  /** Appends a lease and calls back once it is committed. */
  lease(groupId: string, ceiling: number, then: () => void): void
  /**
   * Runs a task once members have been shown all events so far, immediately if none are waiting.
   * `drop` is called instead if the group's events are refused.
   */
  afterShown(groupId: string, task: () => void, drop: () => void): void
  /** This shard's writes are committed up to this offset. */
  readonly committedOffset: number
  /** Logs an error in an actor that has no caller to answer. */
  report(error: unknown, what: string): void
}

/** A request on its way to an actor. */
export interface Asked {
  readonly type: 'request'
  readonly by: Caller
  readonly request: Request
}
