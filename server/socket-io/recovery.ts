/**
 * Recovery: what a client with connection state recovery has received, so that its next CONNECT continues
 * there (SIO-1, CUP-1).
 *
 * Only for clients that request it with `auth.recover`: each durable event then has its offset as a second
 * argument, which the Dart client would make a list of. The next CONNECT contains the last offset; the groups
 * are resumed from it, and live events wait until that is done, so each group has one order.
 * Bounded: the last `MAX_SENT` offsets of a client, `MAX_HELD` waiting events, `MAX_ENDED` clients that are
 * disconnected, each for two minutes.
 */
import { type EventSpec, events } from '../../protocol/events.ts'
import { limits } from '../../protocol/limits.ts'
import type { GroupSummary } from '../../protocol/records.ts'
import type { ClientEvent } from './events-for-clients.ts'

/** An event with its offset. */
export type Recoverable = ClientEvent | readonly [...ClientEvent, offset: string]
/** The last seq that a client has of a group. */
export type Position = readonly [groupId: string, seq: number]

const MAX_SENT = 256
const MAX_HELD = 512
const MAX_ENDED = 10_000
const MAX_AGE_MS = 120_000
const rows: Readonly<Record<string, EventSpec>> = events

export class Recovery {
  readonly pid: string
  readonly userId: string
  readonly #positions = new Map<string, number>()
  /** The last durable events in the order in which they were sent. */
  readonly #sent: Position[] = []
  #isComplete = true
  /** While the client is resumed: the last seq of each group that is replayed, and later events. */
  #replay: { readonly ends: ReadonlyMap<string, number>; readonly held: ClientEvent[] } | null = null

  constructor(pid: string, userId: string, groups: readonly GroupSummary[]) {
    this.pid = pid
    this.userId = userId
    for (const { group, lastSeq } of groups) this.#positions.set(group.groupId, lastSeq)
  }

  /**
   * Goes back to the last event that the client received. Returns the positions to resume from, or null if
   * they are not known any more.
   */
  rewind(offset: unknown, groups: readonly GroupSummary[]): readonly Position[] | null {
    const at =
      offset === undefined ? -1 : this.#sent.findLastIndex((position) => offsetOf(position) === offset)
    if (at < 0 && (offset !== undefined || !this.#isComplete)) return null
    for (const [groupId, seq] of this.#sent.splice(at + 1).reverse()) this.#positions.set(groupId, seq - 1)
    const positions = [...this.#positions]
    if (positions.length > limits.resumeGroups) return null
    // What follows the last seq of a group now is live.
    const ends = new Map<string, number>()
    for (const { group, lastSeq } of groups) {
      if (this.#positions.has(group.groupId)) ends.set(group.groupId, lastSeq)
    }
    this.#replay = { ends, held: [] }
    return positions
  }

  /** The event with its offset; null if it has to wait for the replay. */
  next(event: ClientEvent): Recoverable | null {
    const [name, fields] = event
    if (rows[name]?.durable !== true && name !== 'message_sent') return event
    const { groupId, seq } = (fields['message'] ?? fields) as { groupId?: unknown; seq?: unknown }
    if (typeof groupId !== 'string' || typeof seq !== 'number') return event
    const end = this.#replay?.ends.get(groupId) ?? Number.POSITIVE_INFINITY
    if (this.#replay && seq > end) {
      this.#replay.held.push(event)
      return null
    }
    this.#positions.set(groupId, Math.max(seq, this.#positions.get(groupId) ?? 0))
    this.#sent.push([groupId, seq])
    if (this.#sent.length > MAX_SENT) {
      this.#sent.shift()
      this.#isComplete = false
    }
    return [...event, offsetOf([groupId, seq])]
  }

  /** Too many events wait: the client has to connect again. */
  get isOverfull(): boolean {
    return (this.#replay?.held.length ?? 0) > MAX_HELD
  }

  /** The replay is over. Returns the events that waited. */
  resumed(): readonly ClientEvent[] {
    const held = this.#replay?.held ?? []
    this.#replay = null
    return held
  }
}

/** The recoveries of all clients, by pid. */
export class Recoveries {
  readonly #steadyNow: () => number
  /** With what closes its session. */
  readonly #live = new Map<string, { readonly recovery: Recovery; readonly close: () => void }>()
  /** With the time of the disconnect, oldest first. */
  readonly #ended = new Map<string, { readonly recovery: Recovery; readonly atMs: number }>()

  constructor(steadyNow: () => number) {
    this.#steadyNow = steadyNow
  }

  /** A session uses it, which `close` closes. */
  begin(recovery: Recovery, close: () => void): void {
    this.#live.set(recovery.pid, { recovery, close })
  }

  /** Its session is disconnected. */
  end(recovery: Recovery): void {
    if (!this.#live.delete(recovery.pid)) return
    this.#ended.set(recovery.pid, { recovery, atMs: this.#steadyNow() })
    for (const [pid, { atMs }] of this.#ended) {
      if (this.#ended.size <= MAX_ENDED && this.#steadyNow() - atMs < MAX_AGE_MS) break
      this.#ended.delete(pid)
    }
  }

  /** That of the user with this pid, or null; a session that still uses it is closed. */
  take(pid: unknown, userId: string): Recovery | null {
    if (typeof pid !== 'string') return null
    const live = this.#live.get(pid)
    if (live?.recovery.userId === userId) live.close()
    const ended = this.#ended.get(pid)
    if (ended?.recovery.userId !== userId) return null
    this.#ended.delete(pid)
    return this.#steadyNow() - ended.atMs < MAX_AGE_MS ? ended.recovery : null
  }
}

function offsetOf([groupId, seq]: Position): string {
  return `${groupId}:${seq}`
}
