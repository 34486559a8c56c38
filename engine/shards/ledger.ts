/**
 * Ledger: a shard's end of its log, and what waits for it.
 *
 * Here the order of things is made: what is written, what may be said only once that is committed,
 * and what members see, at once or then. Bound: `HeldBack` says when too much is uncommitted, and
 * then writes are refused as `overloaded`; while storage fails they are `storage_unavailable`.
 */
import { ChatError } from '../../protocol/errors.ts'
import { events } from '../../protocol/events.ts'
import { parseMessageId } from '../../protocol/ids.ts'
import type { Message } from '../../protocol/records.ts'
import type { EventSource } from '../actors/actor-context.ts'
import type { Caller } from '../actors/caller.ts'
import type { Effect } from '../actors/effects.ts'
import type { GroupState } from '../actors/group/group-state.ts'
import type { Clock } from '../base/clock.ts'
import type { Durability } from '../log/durability.ts'
import type { Log, LogListener } from '../log/log.ts'
import { isGroupOwner, userOwner } from '../stored/entry-owner.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { LoggedEvent } from '../stored/stored-group.ts'
import type { Outbox } from '../threads/batch.ts'
import { pack } from '../threads/packing.ts'
import { StallGuard } from '../threads/stall-guard.ts'
import { encode } from './encode.ts'
import { type Held, HeldBack } from './held-back.ts'
import { ToHub } from './hub-records.ts'
import type { MessageChange, Posted } from './posted.ts'
import type { PresenceDirectory } from './presence-directory.ts'

const RETRY_AFTER_MS = 500
const STORAGE_RETRY_AFTER_MS = 1_000

export interface LedgerOptions {
  readonly durability: Durability
  readonly fanout: 'immediate' | 'committed'
  /** Whether hooks want to know of durable posts, and of the members who were away. */
  readonly tellPosts?: { readonly away: boolean } | undefined
}

export interface LedgerDeps extends Pick<Clock, 'now'> {
  readonly toHub: Outbox
  readonly openLog: (listener: LogListener) => Log
  /** Calls `then` after that time, unless the function returned was called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
}

/** What others hear of the log, after the ledger has dealt with it. */
export interface LogWatcher {
  committed(): void
  failing(error: ChatError): void
  /** Entries of the group were refused: its actor knows what the log does not, and has to go. */
  refused(groupId: string): void
}

/** Sends what waited for the ledger, and logs. */
interface Speaker {
  report(error: unknown, what: string): void
  send(session: number, frame: Uint8Array): void
  refuse(to: Caller, error: ChatError, tempId: string | undefined): void
}

/** Log entries and messages since the start, and what waits for a commit. */
export interface LedgerDepths {
  readonly appended: number
  readonly committed: number
  readonly posts: number
  readonly held: number
}

export class Ledger {
  readonly #options: LedgerOptions
  readonly #deps: LedgerDeps
  readonly #directory: PresenceDirectory
  readonly #watcher: LogWatcher & Speaker
  readonly #log: Log
  readonly #held = new HeldBack()
  readonly #guard: StallGuard
  #appended = 0
  #committed = 0
  #posts = 0
  /** Why storage takes no writes at present, or null. */
  #failing: string | null = null

  constructor(
    options: LedgerOptions,
    deps: LedgerDeps,
    directory: PresenceDirectory,
    watcher: LogWatcher & Speaker,
  ) {
    this.#options = options
    this.#deps = deps
    this.#directory = directory
    this.#watcher = watcher
    this.#log = deps.openLog({
      committed: (offset) => this.#onCommitted(offset),
      failing: (reason) => this.#onFailing(reason),
      refused: (owner, from, reason) => this.#onRefused(owner, from, reason),
    })
    // A disk that hangs does not fail: nothing is committed, and no error says so.
    this.#guard = new StallGuard({
      after: deps.after,
      waits: () => this.#appended > this.#committed,
      onStalled: () => this.#onFailing('storage does not answer'),
    })
  }

  /** Ends its timer. */
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

  /** Whether storage takes no writes at present. */
  get fails(): boolean {
    return this.#failing !== null
  }

  /** Why a write cannot be taken at present, or null. */
  get refusal(): ChatError | null {
    if (this.#failing !== null) return storageUnavailable()
    return this.#held.full ? new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS }) : null
  }

  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    return this.#log.read(query, userId)
  }

  /** Writes an entry, for the actor whose it is. */
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
   * Runs a task of the group's once members have been shown all events so far: at once where none
   * waits. `drop` is called instead where the group's events are refused.
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

  /** Answers once all that was written so far is as durable as configured (DUR-1). */
  answer(to: Caller, frame: Uint8Array, tempId: string | undefined, group: EventSource | null): void {
    if (this.#options.durability === 'memory' || this.#appended <= this.#committed) {
      this.#watcher.send(to.session, frame)
    } else {
      const owner = group ? group.groupId : userOwner(to.userId)
      this.#held.push(this.#appended, owner, { type: 'answer', to, frame, tempId })
    }
  }

  /** A durable event of a group: to the log, to its newest events, to every member. Encoded once. */
  record(effect: Extract<Effect, { type: 'record' }>, group: EventSource): void {
    const { seq, at, event } = effect
    const frame = encode(event, 0)
    const { groupId, state } = group
    const isPost = event.name === 'new_message'
    if (isPost) this.#posts += 1
    const logged: LoggedEvent = isPost
      ? { seq, message: event.fields.message }
      : { seq, code: events[event.name].code, frame, target: targetOf(event) }
    this.append(
      isPost
        ? { type: 'message', message: event.fields.message }
        : { type: 'event', groupId, seq, code: events[event.name].code, at, frame, target: targetOf(event) },
      group,
    )
    const offset = this.#appended
    state.recent.push(logged, offset, this.#committed)
    if (isPost && this.#options.tellPosts) this.#tellHooks(event.fields.message, 'posted', group)
    const show = () => {
      state.publishedSeq = seq
      this.#deps.toHub.push(ToHub.publish, 0, group.topic, frame)
    }
    if (this.#options.fanout === 'immediate') show()
    else this.#held.push(offset, groupId, { type: 'show', frame, release: show })
  }

  /** The service's hooks are told of a post, or what became of one, once that is durable. */
  #tellHooks(message: Message, change: MessageChange, group: EventSource): void {
    const release = () => {
      const tellsAway = change === 'posted' && this.#options.tellPosts?.away
      const away = tellsAway ? this.#awayFrom(message, group.state) : []
      const asks = away.length > 0 && this.#directory.mayBeBlocked(message.senderId)
      this.#tellPosted({ message, change, away: asks ? [] : away })
      if (asks) this.#tellAway(message, away, group)
    }
    this.#held.push(this.#appended, message.groupId, { type: 'call', release })
  }

  /** The members who have no session now and have not muted the group. */
  #awayFrom({ senderId }: Message, { members }: GroupState): readonly string[] {
    const now = this.#deps.now()
    const away: string[] = []
    for (const { userId, quietUntil } of members.values()) {
      if (userId === senderId || quietUntil > now) continue
      if (!this.#directory.presenceOf(userId).connected) away.push(userId)
    }
    return away
  }

  /** PRV-1: members who have blocked the sender are not notified. If the read fails, nobody is notified. */
  #tellAway(message: Message, away: readonly string[], group: EventSource): void {
    const { groupId, senderId: userId } = message
    group.reading += 1
    this.read({ read: 'blockers', userId, groupId }, userId)
      .then((blockers) => {
        const barred = new Set(blockers)
        this.#tellPosted({ message, change: null, away: away.filter((id) => !barred.has(id)) })
      })
      .catch((error: unknown) => this.#watcher.report(error, 'read "blockers" failed'))
      .finally(() => {
        group.reading -= 1
      })
  }

  #tellPosted(posted: Posted): void {
    this.#deps.toHub.push(ToHub.posted, 0, undefined, pack(posted))
  }

  /** A post is another from now on. */
  change({ seq, before, message }: Extract<Effect, { type: 'change' }>, group: EventSource): void {
    const { state, reading } = group
    this.append({ type: 'change', message }, group)
    const { changed, recent, publishedSeq } = state
    changed.set(message, before, seq, this.#appended, publishedSeq)
    const what = this.#options.tellPosts && changeOf(before, message)
    if (what) this.#tellHooks(message, what, group)
    // An older answer of the log may be on its way to somebody.
    if (reading === 0) changed.tidy(this.#committed, publishedSeq, (left) => recent.replace(left))
  }

  #onCommitted(offset: number): void {
    this.#committed = offset
    this.#guard.moved()
    if (this.#failing !== null) {
      this.#failing = null
      this.#deps.toHub.push(ToHub.storage, 1)
    }
    this.#held.release(offset, (held) => this.#give(held))
    this.#watcher.committed()
  }

  #onFailing(reason: string): void {
    if (this.#failing === null) this.#deps.toHub.push(ToHub.storage, 0, undefined, Buffer.from(reason))
    this.#failing = reason
    // DUR-1: nothing is acknowledged that is not stored. It may still be committed later; the
    // sender asks again with the same tempId and gets the one message.
    for (const { to, tempId } of this.#held.takeAnswers())
      this.#watcher.refuse(to, storageUnavailable(), tempId)
    this.#watcher.failing(storageUnavailable())
  }

  /** What waited for the refused entries fails; everything else of the log goes on. */
  #onRefused(owner: string, from: number, reason: string): void {
    const fields = pack({ owner, cause: reason })
    this.#deps.toHub.push(ToHub.log, 2, Buffer.from('a log entry could not be applied'), fields)
    const isGroup = isGroupOwner(owner)
    // Before what waited: it finds the actor gone.
    if (isGroup) this.#watcher.refused(owner)
    for (const held of this.#held.takeOf(owner, from)) {
      if (held.type === 'answer') this.#watcher.refuse(held.to, new ChatError('internal'), held.tempId)
      else held.drop?.()
    }
    if (isGroup) this.append({ type: 'restart', groupId: owner }, null)
  }

  #give(held: Held): void {
    if (held.type === 'answer') this.#watcher.send(held.to.session, held.frame)
    else held.release()
  }
}

/** What hooks call the change of a post; undefined for what is none of its content. */
function changeOf(before: Message, after: Message): MessageChange | undefined {
  if (after.deletedAt !== before.deletedAt) return 'deleted'
  if (after.recalledAt !== before.recalledAt) return 'recalled'
  const { content, mentions, type } = before
  const edited = after.content !== content || after.mentions !== mentions || after.type !== type
  return edited ? 'edited' : undefined
}

/** The post that an event is about. */
function targetOf({ fields }: { readonly fields: object }): number | undefined {
  return 'messageId' in fields ? parseMessageId(String(fields.messageId)).seq : undefined
}

function storageUnavailable(): ChatError {
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: STORAGE_RETRY_AFTER_MS })
}
