/**
 * Ledger: a shard's end of the log, and everything that waits for a commit.
 *
 * It defines the order of what is written, what may be sent only after the commit, and what members
 * are shown (at once, or after the commit). Bounded: if too much is uncommitted (`HeldBack`), writes
 * are refused as `overloaded`. While storage fails, they are refused as `storage_unavailable`.
 */
import { ChatError } from '../../protocol/errors.ts'
import { events } from '../../protocol/events.ts'
import { parseMessageId } from '../../protocol/ids.ts'
import type { ActorLedger, EventSource, PostChange } from '../actors/actor-context.ts'
import type { Caller } from '../actors/caller.ts'
import type { Effect } from '../actors/effects.ts'
import type { Clock } from '../base/clock.ts'
import type { Durability } from '../log/durability.ts'
import type { Log, LogListener } from '../log/log.ts'
import { isGroupOwner, userOwner } from '../stored/entry-owner.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { Outbox } from '../threads/batch.ts'
import { pack } from '../threads/packing.ts'
import { StallGuard } from '../threads/stall-guard.ts'
import { encode } from './encode.ts'
import { type Held, HeldBack } from './held-back.ts'
import { ToHub } from './hub-records.ts'
import type { Replies } from './replies.ts'

const RETRY_AFTER_MS = 500
const STORAGE_RETRY_AFTER_MS = 1_000

export interface LedgerOptions {
  readonly durability: Durability
  readonly fanout: 'immediate' | 'committed'
}

export interface LedgerDeps extends Pick<Clock, 'now'> {
  readonly toHub: Outbox
  readonly openLog: (listener: LogListener) => Log
  /** Calls `then` after that time, unless the returned function is called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
}

/** Is notified of commits and failures, after the ledger has handled them. */
export interface LogWatcher {
  committed(): void
  failing(error: ChatError): void
  /** Entries of the group were refused: its actor differs from the log and must be unloaded. */
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
  readonly #held = new HeldBack()
  readonly #guard: StallGuard
  #appended = 0
  #committed = 0
  #posts = 0
  /** Why storage rejects writes, or null. */
  #failing: string | null = null

  constructor(options: LedgerOptions, deps: LedgerDeps, replies: Replies, watcher: LogWatcher) {
    this.#options = options
    this.#deps = deps
    this.#replies = replies
    this.#watcher = watcher
    this.#log = deps.openLog({
      committed: (offset) => this.#onCommitted(offset),
      failing: (reason) => this.#onFailing(reason),
      refused: (owner, from, reason) => this.#onRefused(owner, from, reason),
    })
    // A disk that hangs causes no error: nothing is committed, and nothing fails.
    this.#guard = new StallGuard({
      after: deps.after,
      isWaiting: () => this.#appended > this.#committed,
      onStalled: () => this.#onFailing('storage does not answer'),
    })
  }

  /** Stops its timer. */
  close(): void {
    this.#guard.close()
  }

  get depths(): LedgerDepths {
    const [appended, committed, posts] = [this.#appended, this.#committed, this.#posts]
    return { appended, committed, posts, held: this.#held.size }
  }

  get committedOffset(): number {
    return this.#committed
  }

  /** Whether storage rejects writes. */
  get fails(): boolean {
    return this.#failing !== null
  }

  /** The reason to refuse a write now, or null. */
  get refusal(): ChatError | null {
    if (this.#failing !== null) return storageUnavailable()
    return this.#held.full ? new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS }) : null
  }

  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    return this.#log.read(query, userId)
  }

  /** Appends an entry of the actor. */
  append(entry: LogEntry, group: EventSource | null): void {
    this.#appended = this.#log.append(entry)
    this.#guard.watch()
    if (group) group.lastOffset = this.#appended
  }

  /** Appends a lease and calls back once it is committed. */
  lease(groupId: string, ceiling: number, then: () => void): void {
    this.append({ type: 'lease', groupId, ceiling }, null)
    this.#held.push(this.#appended, groupId, { type: 'call', release: then })
  }

  /**
   * Runs a task of the group once members have been shown all events so far; at once if none waits.
   * `drop` is called instead if the group's events are refused.
   */
  afterShown(groupId: string, task: () => void, drop: () => void): void {
    if (this.#held.shows === 0) task()
    else this.#held.push(this.#appended, groupId, { type: 'show', frame: null, release: task, drop })
  }

  /** Runs a task of the owner once everything written so far is committed, or `drop` if it is refused. */
  afterCommit(owner: string, task: () => void, drop: () => void): void {
    if (this.#appended <= this.#committed) task()
    else this.#held.push(this.#appended, owner, { type: 'call', release: task, drop })
  }

  /** Answers once everything written so far is as durable as configured (DUR-1). */
  answer(to: Caller, frame: Uint8Array, tempId: string | undefined, group: EventSource | null): void {
    if (this.#options.durability === 'memory' || this.#appended <= this.#committed) {
      this.#replies.send(to.session, frame)
    } else {
      const owner = group ? group.groupId : userOwner(to.userId)
      this.#held.push(this.#appended, owner, { type: 'answer', to, frame, tempId })
    }
  }

  /** Appends a durable event of a group and sends it to every member, at once or once it is committed. */
  record({ seq, at, event }: Extract<Effect, { type: 'record' }>, group: EventSource): void {
    const frame = encode(event, 0)
    if (event.name === 'new_message') {
      const { message } = event.fields
      this.#posts += 1
      this.append({ type: 'message', message }, group)
      group.recorded({ seq, message }, this.#appended, this.#committed)
    } else {
      const { groupId } = group
      const { code } = events[event.name]
      const target = targetOf(event)
      this.append({ type: 'event', groupId, seq, code, at, frame, target }, group)
      group.recorded({ seq, code, frame, target }, this.#appended, this.#committed)
    }
    if (this.#options.fanout === 'immediate') this.#show(group, seq, frame)
    else {
      const release = () => this.#show(group, seq, frame)
      this.#held.push(this.#appended, group.groupId, { type: 'show', frame, release })
    }
  }

  #show(group: EventSource, seq: number, frame: Uint8Array): void {
    group.published(seq)
    this.#deps.toHub.push(ToHub.publish, 0, group.topic, frame)
  }

  /** Appends the new version of a post. */
  change(change: PostChange, group: EventSource): void {
    this.append({ type: 'change', message: change.message }, group)
    group.changed(change, this.#appended, this.#committed)
  }

  #onCommitted(offset: number): void {
    this.#committed = offset
    this.#guard.advanced()
    if (this.#failing !== null) {
      this.#failing = null
      this.#deps.toHub.push(ToHub.storage, 1)
    }
    this.#held.release(offset, (held) => this.#releaseItem(held))
    this.#watcher.committed()
  }

  #onFailing(reason: string): void {
    if (this.#failing === null) this.#deps.toHub.push(ToHub.storage, 0, undefined, Buffer.from(reason))
    this.#failing = reason
    // DUR-1: nothing is acknowledged before it is stored. It may still be committed later. The sender
    // repeats it with the same tempId and gets the same message.
    for (const { to, tempId } of this.#held.takeAnswers())
      this.#replies.refuse(to, storageUnavailable(), tempId)
    this.#watcher.failing(storageUnavailable())
  }

  /** The items that wait for the refused entries fail. Other owners are not affected. */
  #onRefused(owner: string, from: number, reason: string): void {
    const fields = pack({ owner, cause: reason })
    this.#deps.toHub.push(ToHub.log, 2, Buffer.from('a log entry could not be applied'), fields)
    const isGroup = isGroupOwner(owner)
    // First, so that the items below find the actor unloaded.
    if (isGroup) this.#watcher.refused(owner)
    for (const held of this.#held.takeOf(owner, from)) {
      if (held.type === 'answer') this.#replies.refuse(held.to, new ChatError('internal'), held.tempId)
      else held.drop?.()
    }
    if (isGroup) this.append({ type: 'restart', groupId: owner }, null)
  }

  #releaseItem(held: Held): void {
    if (held.type === 'answer') this.#replies.send(held.to.session, held.frame)
    else held.release()
  }
}

/** The seq of the post that an event is about. */
function targetOf({ fields }: { readonly fields: object }): number | undefined {
  return 'messageId' in fields ? parseMessageId(String(fields.messageId)).seq : undefined
}

function storageUnavailable(): ChatError {
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: STORAGE_RETRY_AFTER_MS })
}
