/**
 * Actor context: what an actor may use of the shard it lives in.
 */
import type { ChatError } from '../../protocol/errors.ts'
import type { Request } from '../../protocol/requests.ts'
import type { ReadName, ReadQuery, Reads } from '../storage/log.ts'
import type { Caller } from './caller.ts'
import type { Effects } from './effects.ts'
import type { GroupRules, GroupState } from './group/group-state.ts'
import type { Presence } from './presence.ts'
import type { Greeting } from './user/sessions.ts'

/** The actor whose events are recorded, as far as recording them goes. */
export interface EventSource {
  readonly groupId: string
  /** `g:<id>`, as bytes: what the sessions of its members subscribe to. */
  readonly topic: Uint8Array
  readonly state: GroupState
  /** Offset of its newest log entry: what must be committed before it may be evicted. */
  lastOffset: number
  /** Reads under way, after which a handler goes on with this state. */
  reading: number
  /** True once the log has refused its entries: nothing of it is done any more. */
  readonly abandoned: boolean
}

export interface ActorContext {
  readonly greeting: Greeting
  readonly rules: GroupRules
  /** After the last session has gone others are not told for so long. */
  readonly presenceGraceMs: number
  /** The time of day, milliseconds since 1970. */
  now(): number
  /** For durations, milliseconds; see `Clock`. */
  steadyNow(): number
  newId(): string
  /** Who is connected, and how they are seen. */
  presenceOf(userId: string): Presence
  /** Why a durable request cannot be taken at present, or null. */
  writeRefusal(): ChatError | null
  /** Does what a handler asked for. `group` is the actor whose events are recorded. */
  perform(effects: Effects, group: EventSource | null): void
  /** Answers a request with a refusal; what is not a `ChatError` is logged and shown as `internal`. */
  refuse(by: Caller, request: Request, error: unknown): void
  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
  /** Appends a lease and calls back once it is committed. */
  lease(groupId: string, ceiling: number, then: () => void): void
  /**
   * Runs a task once members have been shown all events so far: at once where none waits. `drop` is
   * called instead where the group's events are refused.
   */
  afterShown(groupId: string, task: () => void, drop: () => void): void
  /** Up to where this shard's writes are committed. */
  readonly committedOffset: number
  /** Logs what went wrong in an actor and concerned no caller. */
  report(error: unknown, what: string): void
}

/** A request on its way to an actor. */
export interface Asked {
  readonly type: 'request'
  readonly by: Caller
  readonly request: Request
}
