/**
 * Actor context: the part of its shard that an actor may use.
 */
import type { ChatError } from '../../protocol/errors.ts'
import type { Message } from '../../protocol/records.ts'
import type { Request } from '../../protocol/requests.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { LoggedEvent } from '../stored/stored-group.ts'
import type { Caller } from './caller.ts'
import type { Effects } from './effects.ts'
import type { Greeting } from './greeting.ts'
import type { GroupRules } from './group-rules.ts'
import type { Presence } from './presence.ts'

/** A post that becomes another version by the event `seq`. */
export interface PostChange {
  readonly seq: number
  readonly before: Message
  readonly message: Message
}

/** The actor whose events are recorded: what recording needs, and how the actor is notified. */
export interface EventSource {
  readonly groupId: string
  /** The lane of its log entries. */
  readonly lane: number
  /** Room for a seq, then `g:<id>`: the topic that its members' sessions subscribe to (`seq-bytes.ts`). */
  readonly address: Buffer
  readonly members: ReadonlyMap<string, { readonly userId: string; readonly quietUntil: number }>
  /** Offset of its newest log entry in its lane. It must be committed before the actor may be evicted. */
  lastOffset: number
  /** Reads under way. A handler continues with this state after each of them. */
  reading: number
  /** True once the log has refused its entries: the actor then does no further work. */
  readonly abandoned: boolean
  /** Its next event was appended at `offset`; the log is committed up to `committedOffset`. */
  recorded(event: LoggedEvent, offset: number, committedOffset: number): void
  /** Members were sent its events up to this seq. */
  published(seq: number): void
  /** A change of a post was appended at `offset`. */
  changed(change: PostChange, offset: number, committedOffset: number): void
}

/** The part of the ledger that actors use. */
export interface ActorLedger {
  /** Why a durable request cannot be accepted now, or null. `lane` is the lane of its entries. */
  refusal(lane: number): ChatError | null
  /** The lane is committed up to this offset. */
  committedOf(lane: number): number
  /** Appends a lease and calls back once it is committed. */
  lease(groupId: string, ceiling: number, then: () => void): void
  /**
   * Runs a task once members have been shown all events so far, immediately if none are waiting.
   * `drop` is called instead if the group's events are refused.
   */
  afterShown(groupId: string, task: () => void, drop: () => void): void
}

export interface ActorContext {
  readonly ledger: ActorLedger
  readonly greeting: Greeting
  readonly rules: GroupRules
  /** How long after the last session has disconnected others are notified. */
  readonly presenceGraceMs: number
  /** The time of day, milliseconds since 1970. */
  now(): number
  /** For durations, milliseconds; see `Clock`. */
  steadyNow(): number
  readonly newId: () => string
  /** Whether a user is connected, and the status that others see. */
  presenceOf(userId: string): Presence
  /** Performs a handler's effects. `group` is the actor whose events are recorded. */
  perform(effects: Effects, group: EventSource | null): void
  /** Answers a request with an error. An error that is not a `ChatError` is logged and shown as `internal`. */
  refuse(by: Caller, request: Request, error: unknown): void
  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
  /** Logs an error in an actor that has no caller to answer. */
  report(error: unknown, what: string): void
}

/** A request on its way to an actor. */
export interface Asked {
  readonly type: 'request'
  readonly by: Caller
  readonly request: Request
}
