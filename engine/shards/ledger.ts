/**
 * Ledger: a shard's end of its lanes of the log, and what waits for them.
 *
 * It determines the order: what is written, what is acknowledged only once that is committed, and what
 * members are shown, at once or then. Each lane has its own offsets, held answers and failures, so that a
 * lane that waits does not hold up another one. Bound: `HeldBack`; above it writes are refused as
 * `overloaded`, and as `storage_unavailable` while their lane cannot be committed.
 */
import { encode, encodeMessageSent } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { events } from '../../protocol/events.ts'
import { parseMessageId } from '../../protocol/ids.ts'
import type { ActorLedger, EventSource, PostChange } from '../actors/actor-context.ts'
import type { Caller } from '../actors/caller.ts'
import type { Effect } from '../actors/effects.ts'
import { LANES, laneOf } from '../base/partition.ts'
import { overloaded, shuttingDown, storageUnavailable } from '../base/refusals.ts'
import { withSeq } from '../base/seq-bytes.ts'
import type { Durability } from '../log/durability.ts'
import type { LaneBatch, LaneOffset, Log, LogListener } from '../log/log.ts'
import { isGroupOwner, laneOfOwner, ownerOf, userOwner } from '../stored/entry-owner.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import type { ReadQuery, Reads } from '../stored/reads.ts'
import type { BatchWriter, Defer } from '../threads/batch.ts'
import { pack } from '../threads/packing.ts'
import type { Held, HeldTotals } from './held-back.ts'
import { ToHub } from './hub-records.ts'
import { Lane } from './lane.ts'
import type { Replies } from './replies.ts'

export interface LedgerOptions {
  readonly durability: Durability
  readonly fanout: 'immediate' | 'committed'
}

export interface LedgerDeps {
  readonly toHub: BatchWriter
  readonly openLog: (listener: LogListener) => Log
  /** Runs a task when the current turn of the event loop ends. */
  readonly defer: Defer
}

/** Is notified of the log, after the ledger has handled it. */
export interface LogWatcher {
  /** After a commit, while writes are stopped. */
  drained(): void
  failing(lanes: ReadonlySet<number>, error: ChatError): void
  /** Entries of the group were refused: its actor differs from the log and is unloaded. */
  refused(groupId: string): void
}

/** Number of log entries and messages since the start, and of items that wait for a commit. */
export interface LedgerDepths {
  readonly appended: number
  readonly committed: number
  readonly posts: number
  readonly held: number
}

export class Ledger implements ActorLedger {
  readonly #options: LedgerOptions
  readonly #deps: LedgerDeps
  readonly #replies: Replies
  readonly #watcher: LogWatcher
  readonly #log: Log
  readonly #held: HeldTotals = { items: 0, bytes: 0 }
  /** By number. */
  readonly #lanes: readonly Lane[] = Array.from(
    { length: LANES },
    (_, number) => new Lane(number, this.#held),
  )
  /** The lanes with entries of this turn. */
  #written: Lane[] = []
  #posts = 0
  #stopped = false
  /** Lanes that cannot be committed now. */
  #failing = 0

  constructor(options: LedgerOptions, deps: LedgerDeps, replies: Replies, watcher: LogWatcher) {
    this.#options = options
    this.#deps = deps
    this.#replies = replies
    this.#watcher = watcher
    this.#log = deps.openLog({
      committed: this.#onCommitted,
      failing: (lanes, reason) => this.#onFailing(lanes, reason),
      refused: (lane, owner, from, reason) => this.#onRefused(this.#lanes[lane] as Lane, owner, from, reason),
    })
  }

  /** Ends the log's timers. */
  close(): void {
    this.#log.close()
  }

  get depths(): LedgerDepths {
    let [appended, committed] = [0, 0]
    for (const lane of this.#lanes) {
      appended += lane.appended
      committed += lane.committed
    }
    return { appended, committed, posts: this.#posts, held: this.#held.items }
  }

  /** Whether any lane cannot be committed now. */
  get fails(): boolean {
    return this.#failing > 0
  }

  /** Whether the lane cannot be committed now. */
  isFailing(lane: number): boolean {
    return (this.#lanes[lane] as Lane).failing !== null
  }

  committedOf(lane: number): number {
    return (this.#lanes[lane] as Lane).committed
  }

  /** The shard drains: refuses all later writes. */
  stopWrites(): void {
    this.#stopped = true
  }

  refusal(lane: number): ChatError | null {
    if (this.#stopped) return shuttingDown()
    const { failing, held } = this.#lanes[lane] as Lane
    if (failing !== null) return storageUnavailable()
    return held.full ? overloaded() : null
  }

  /** Reads events of a group from the log. */
  events(query: ReadQuery<'events'>, userId: string): Promise<Reads['events']['result']> {
    return this.#log.events(query, userId)
  }

  /** Appends an entry, for the actor that it belongs to. */
  append(entry: LogEntry, group: EventSource | null): void {
    const lane = this.#lanes[group ? group.lane : laneOfOwner(ownerOf(entry))] as Lane
    this.#append(lane, entry)
    if (group) group.lastOffset = lane.appended
  }

  /** Appends a lease and calls back once it is committed. */
  lease(groupId: string, ceiling: number, then: () => void): void {
    const lane = this.#lanes[laneOf(groupId)] as Lane
    this.#append(lane, { type: 'lease', groupId, ceiling })
    lane.held.push(lane.appended, groupId, { type: 'call', release: then })
  }

  /**
   * Runs a task of the group once members have been shown all events so far: immediately if none
   * waits. `drop` is called instead if the group's events are refused.
   */
  afterShown(groupId: string, task: () => void, drop: () => void): void {
    const { held, appended } = this.#lanes[laneOf(groupId)] as Lane
    if (held.shows === 0) task()
    else held.push(appended, groupId, { type: 'show', frame: null, release: task, drop })
  }

  /**
   * Runs a task of the owner once everything that its lane has so far is committed, or `drop` if it is
   * refused.
   */
  afterCommit(owner: string, task: () => void, drop: () => void): void {
    const { held, appended, committed } = this.#lanes[laneOfOwner(owner)] as Lane
    if (appended <= committed) task()
    else held.push(appended, owner, { type: 'call', release: task, drop })
  }

  /** Answers once everything that the actor's lane has so far is as durable as configured (DUR-1). */
  answer(to: Caller, frame: Uint8Array, tempId: string | undefined, group: EventSource | null): void {
    const { held, appended, committed } = this.#lanes[group ? group.lane : laneOf(to.userId)] as Lane
    if (this.#options.durability === 'memory' || appended <= committed) {
      this.#replies.send(to.session, frame)
    } else {
      const owner = group ? group.groupId : userOwner(to.userId)
      held.push(appended, owner, { type: 'answer', to, frame, tempId })
    }
  }

  /** Appends a durable event of a group and sends it to every member, at once or once it is committed. */
  record({ seq, at, event, sender }: Extract<Effect, { type: 'record' }>, group: EventSource): void {
    const lane = this.#lanes[group.lane] as Lane
    const frame = encode(event, 0)
    if (event.name === 'new_message') {
      const { message } = event.fields
      this.#posts += 1
      this.#append(lane, { type: 'message', message })
      group.recorded({ seq, message }, lane.appended, lane.committed)
    } else {
      const { groupId } = group
      const { code } = events[event.name]
      const target = targetOf(event)
      this.#append(lane, { type: 'event', groupId, seq, code, at, frame, target })
      group.recorded({ seq, code, frame, target }, lane.appended, lane.committed)
    }
    group.lastOffset = lane.appended
    if (this.#options.fanout === 'immediate') this.#show(group, seq, frame)
    else {
      const release = () => this.#show(group, seq, frame)
      lane.held.push(lane.appended, group.groupId, { type: 'show', frame, release })
    }
    if (!sender) return
    const { by, tempId } = sender
    this.answer(by, encodeMessageSent(frame, by.ref, tempId), tempId, group)
  }

  /** Appends the new version of a post. */
  change(change: PostChange, group: EventSource): void {
    const lane = this.#lanes[group.lane] as Lane
    this.#append(lane, { type: 'change', message: change.message })
    group.lastOffset = lane.appended
    group.changed(change, lane.appended, lane.committed)
  }

  #append(lane: Lane, entry: LogEntry): void {
    if (lane.turn.length === 0) {
      if (this.#written.length === 0) this.#deps.defer(this.#flush)
      this.#written.push(lane)
    }
    lane.turn.push(entry)
    lane.appended += 1
  }

  /** The turn ends: its entries leave. */
  readonly #flush = (): void => {
    const batches: LaneBatch[] = []
    for (const lane of this.#written) {
      batches.push({ lane: lane.number, entries: lane.turn })
      lane.turn = []
    }
    this.#written = []
    this.#log.append(batches)
  }

  #show(group: EventSource, seq: number, frame: Uint8Array): void {
    group.published(seq)
    this.#deps.toHub.push(ToHub.show, 0, withSeq(group.address, seq), frame)
  }

  readonly #onCommitted = (reached: readonly LaneOffset[]): void => {
    const failed = this.#failing > 0
    for (const [number, offset] of reached) {
      const lane = this.#lanes[number] as Lane
      lane.committed = offset
      if (lane.failing === null) continue
      lane.failing = null
      this.#failing -= 1
    }
    if (failed && this.#failing === 0) this.#deps.toHub.push(ToHub.storage, 1)
    for (const [number, offset] of reached)
      (this.#lanes[number] as Lane).held.release(offset, this.#releaseItem)
    if (this.#stopped) this.#watcher.drained()
  }

  #onFailing(lanes: readonly number[], reason: string): void {
    if (!this.fails) this.#deps.toHub.push(ToHub.storage, 0, undefined, Buffer.from(reason))
    for (const number of lanes) {
      const lane = this.#lanes[number] as Lane
      if (lane.failing === null) this.#failing += 1
      lane.failing = reason
      // DUR-1: only what is stored is acknowledged. It may be committed later; a client that sends it
      // again with the same tempId gets the same message.
      for (const { to, tempId } of lane.held.takeAnswers())
        this.#replies.refuse(to, storageUnavailable(), tempId)
    }
    this.#watcher.failing(new Set(lanes), storageUnavailable())
  }

  /** What waits for the refused entries fails; all other entries of the log continue. */
  #onRefused(lane: Lane, owner: string, from: number, reason: string): void {
    const fields = pack({ owner, cause: reason })
    this.#deps.toHub.push(ToHub.log, 2, Buffer.from('a log entry could not be applied'), fields)
    const isGroup = isGroupOwner(owner)
    // First: what waited finds the actor unloaded.
    if (isGroup) this.#watcher.refused(owner)
    for (const held of lane.held.takeOf(owner, from)) {
      if (held.type === 'answer') this.#replies.refuse(held.to, new ChatError('internal'), held.tempId)
      else held.drop?.()
    }
    if (isGroup) this.#append(lane, { type: 'restart', groupId: owner })
  }

  readonly #releaseItem = (held: Held): void => {
    if (held.type === 'answer') this.#replies.send(held.to.session, held.frame)
    else held.release()
  }
}

/** The seq of the post that an event is about. */
function targetOf({ fields }: { readonly fields: object }): number | undefined {
  return 'messageId' in fields ? parseMessageId(String(fields.messageId)).seq : undefined
}
