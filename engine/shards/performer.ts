/**
 * Performer: what actors may use of their shard, and what becomes of the effects they ask for.
 *
 * The one place where the order of things is made: what is written, what may be said only once
 * that is committed, and what goes out at once. An event is encoded here, once. Bound: `HeldBack`
 * says when too much is uncommitted, and then writes are refused as `overloaded`.
 */
import { encodeEvent } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type EventFields, type EventName, events } from '../../protocol/events.ts'
import { parseMessageId } from '../../protocol/ids.ts'
import type { Message } from '../../protocol/records.ts'
import type { Request } from '../../protocol/requests.ts'
import type { ActorContext, EventSource } from '../actors/actor-context.ts'
import type { Caller } from '../actors/caller.ts'
import type { Effect, Effects, FileEffect, ReadEffect } from '../actors/effects.ts'
import type { GroupRules, GroupState } from '../actors/group/group-state.ts'
import { isGone } from '../actors/group/known-messages.ts'
import type { Mail } from '../actors/mail.ts'
import type { Presence } from '../actors/presence.ts'
import type { Greeting } from '../actors/user/sessions.ts'
import type { FileDepths, Files } from '../files/file-calls.ts'
import { ephemeralTwin } from '../gateway.ts'
import type { Posted } from '../hooks/notices.ts'
import type { Log, LoggedEvent, LogListener, ReadName, ReadQuery, Reads } from '../storage/log.ts'
import type { Durability } from '../storage/sqlite/database.ts'
import type { Alarms } from './alarms.ts'
import { type Outbox, statuses, ToHub } from './batch.ts'
import { type Held, HeldBack } from './held-back.ts'
import { pack } from './packing.ts'
import { shardOf } from './partition.ts'
import type { PresenceDirectory } from './presence-directory.ts'

const RETRY_AFTER_MS = 500
const STORAGE_RETRY_AFTER_MS = 1_000

export interface PerformerOptions {
  /** After the last session of a user has gone others are not told for so long. */
  readonly presenceGraceMs: number
  /** How many shards there are. */
  readonly shards: number
  readonly durability: Durability
  readonly fanout: 'immediate' | 'committed'
  readonly greeting: Greeting
  readonly rules: GroupRules
  /** Whether hooks want to know of durable posts, and of the members who were away. */
  readonly tellPosts?: { readonly away: boolean } | undefined
}

/** What a shard does not do itself. */
export interface ShardDeps {
  readonly now: () => number
  /** A fresh id, time-ordered. */
  readonly newId: () => string
  /** Calls `then` after that time, unless the function returned was called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
  readonly toHub: Outbox
  readonly openLog: (listener: LogListener) => Log
  /** Where the bytes of files go. */
  readonly files: Files
}

/** What the performer shares with its shard. */
export interface ShardParts {
  readonly alarms: Alarms
  readonly directory: PresenceDirectory
}

/** What the shard hears of its log, after the performer has dealt with it. */
export interface LogWatcher {
  committed(): void
  failing(error: ChatError): void
}

export class Performer implements ActorContext {
  readonly greeting: Greeting
  readonly rules: GroupRules
  readonly now: () => number
  readonly newId: () => string
  readonly #options: PerformerOptions
  readonly #toHub: Outbox
  readonly #log: Log
  readonly #files: Files
  readonly presenceGraceMs: number
  readonly #alarms: Alarms
  readonly #directory: PresenceDirectory
  readonly #watcher: LogWatcher
  readonly #held = new HeldBack()
  #appended = 0
  #committed = 0
  #posts = 0
  /** Why storage takes no writes at present, or null. */
  #failing: string | null = null
  #stopped = false

  constructor(options: PerformerOptions, deps: ShardDeps, parts: ShardParts, watcher: LogWatcher) {
    this.#options = options
    this.greeting = options.greeting
    this.rules = options.rules
    this.now = deps.now
    this.newId = deps.newId
    this.#toHub = deps.toHub
    this.#alarms = parts.alarms
    this.#directory = parts.directory
    this.presenceGraceMs = options.presenceGraceMs
    this.#watcher = watcher
    this.#files = deps.files
    this.#log = deps.openLog({
      committed: (offset) => this.#onCommitted(offset),
      failing: (reason) => this.#onFailing(reason),
    })
  }

  /** Log entries and messages since the start, what waits for a commit, and uploads. */
  get depths(): FileDepths & {
    readonly appended: number
    readonly committed: number
    readonly held: number
    readonly posts: number
  } {
    const { size: held } = this.#held
    const [appended, committed, posts] = [this.#appended, this.#committed, this.#posts]
    return { appended, committed, posts, held, ...this.#files.depths }
  }

  get storageFails(): boolean {
    return this.#failing !== null
  }

  get committedOffset(): number {
    return this.#committed
  }

  /** From now on writes are refused: the shard drains. */
  stopWrites(): void {
    this.#stopped = true
  }

  writeRefusal(): ChatError | null {
    if (this.#stopped) return new ChatError('shutting_down', undefined, { retryAfterMs: RETRY_AFTER_MS })
    if (this.#failing !== null) return storageUnavailable()
    return this.#held.full ? overloaded() : null
  }

  read<N extends ReadName>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return this.#log.read(query)
  }

  lease(groupId: string, ceiling: number, then: () => void): void {
    this.#append({ type: 'lease', groupId, ceiling })
    this.#held.push(this.#appended, { type: 'call', release: then })
  }

  afterShown(task: () => void): void {
    if (this.#held.shows === 0) task()
    else this.#held.push(this.#appended, { type: 'show', frame: null, release: task })
  }

  report(error: unknown, what: string): void {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#toHub.push(ToHub.log, 2, Buffer.from(what), pack({ cause }))
  }

  refuse(by: Caller, request: Request, error: unknown): void {
    const refusal = ChatError.from(error)
    if (refusal !== error) this.report(error, `request "${request.event}" failed`)
    // SPEC 3: a post that was understood is refused by `message_error`, with its tempId.
    const tempId =
      request.event === 'send_message' && refusal.code !== 'bad_request' ? request.fields.tempId : undefined
    this.sendRefusal(by, refusal, tempId)
  }

  presenceOf(userId: string): Presence {
    return this.#directory.presenceOf(userId)
  }

  perform(effects: Effects, group: EventSource | null): void {
    for (const effect of effects) this.#do(effect, group)
  }

  #do(effect: Effect, group: EventSource | null): void {
    switch (effect.type) {
      case 'append':
        // Each says all there is to say: while storage fails they are not worth a queue.
        if (effect.entry.type === 'presence' && this.storageFails) return
        this.#append(effect.entry)
        if (group) group.lastOffset = this.#appended
        return
      case 'record':
        return this.#record(effect, group as EventSource)
      case 'change':
        return this.#change(effect, group as EventSource)
      case 'answer':
        return this.#send(effect.to.session, encode(effect.event, effect.to.ref))
      case 'answer_committed':
        return this.#answerCommitted(effect.to, encode(effect.event, effect.to.ref), effect.tempId)
      case 'send':
        return this.#send(effect.session, encode(effect.event, 0))
      case 'send_frame':
        return this.#send(effect.session, effect.frame)
      case 'send_user': {
        const { userId, event, but = 0 } = effect
        // Most users have one device: then nobody is left who has to hear of what it did.
        if (but !== 0 && this.#directory.hasOnly(userId, but)) return
        return this.#toHub.push(ToHub.sendUser, but, Buffer.from(userId), encode(event, 0))
      }
      case 'publish':
        return this.#publish(effect)
      case 'with_presence':
        return this.perform(
          effect.then((userId) => this.presenceOf(userId)),
          group,
        )
      case 'presence':
        return this.#toHub.push(ToHub.presence, statuses.indexOf(effect.status), Buffer.from(effect.userId))
      case 'watch':
        return this.#directory.watch(effect.userId, effect.groupId, effect.on)
      case 'wake_group':
        return this.#alarms.set({ to: 'group', id: effect.groupId, what: effect.what }, effect.at)
      case 'wake_user':
        return this.#alarms.set({ to: 'user', id: effect.userId, what: effect.what }, effect.at)
      case 'subscribe':
        return this.#toHub.push(ToHub.subscribe, effect.session, topicOf(effect.groupId))
      case 'unsubscribe':
        // They still hear of what ended it.
        return this.afterShown(() =>
          this.#toHub.push(ToHub.unsubscribe, 0, topicOf(effect.groupId), Buffer.from(effect.userId)),
        )
      case 'close':
        return this.#toHub.push(ToHub.close, effect.session, Buffer.from(effect.reason))
      case 'tell_group':
        return this.#tell({ to: 'group', id: effect.groupId, mail: effect.mail })
      case 'tell_user':
        if (effect.ifConnected && !this.presenceOf(effect.userId).connected) return
        return this.#tell({ to: 'user', id: effect.userId, mail: effect.mail })
      case 'when_drained': {
        const mail: Mail = { to: 'group', id: effect.groupId, mail: effect.mail }
        return this.#toHub.push(ToHub.whenDrained, effect.session, undefined, pack(mail))
      }
      case 'read':
        return this.#read(effect, group)
      case 'file':
        return this.#file(effect)
    }
  }

  #record(effect: Extract<Effect, { type: 'record' }>, group: EventSource): void {
    const { seq, at, event } = effect
    const frame = encode(event, 0)
    const { groupId, state } = group
    const isPost = event.name === 'new_message'
    if (isPost) this.#posts += 1
    const logged: LoggedEvent = isPost
      ? { seq, message: event.fields.message }
      : { seq, code: events[event.name].code, frame }
    this.#append(
      isPost
        ? { type: 'message', message: event.fields.message }
        : { type: 'event', groupId, seq, code: events[event.name].code, at, frame, target: targetOf(event) },
    )
    const offset = this.#appended
    group.lastOffset = offset
    state.recent.push(logged, offset, this.#committed)
    if (isPost && this.#options.tellPosts) this.#tellPosted(event.fields.message, state, offset)
    const show = () => {
      state.publishedSeq = seq
      this.#toHub.push(ToHub.publish, 0, group.topic, frame)
    }
    if (this.#options.fanout === 'immediate') show()
    else this.#held.push(offset, { type: 'show', frame, release: show })
  }

  /** The service's hooks hear of a post once it is durable. */
  #tellPosted(message: Message, { members }: GroupState, offset: number): void {
    const release = () => {
      const now = this.now()
      const away: string[] = []
      for (const { userId, quietUntil } of this.#options.tellPosts?.away ? members.values() : []) {
        if (userId === message.senderId || quietUntil > now) continue
        if (!this.#directory.presenceOf(userId).connected) away.push(userId)
      }
      this.#toHub.push(ToHub.posted, 0, undefined, pack({ message, away } satisfies Posted))
    }
    this.#held.push(offset, { type: 'call', release })
  }

  #change(
    { seq, before, message }: Extract<Effect, { type: 'change' }>,
    { state, reading }: EventSource,
  ): void {
    this.#append({ type: 'change', message })
    const { changed, recent, publishedSeq } = state
    changed.set(message, before, seq, this.#appended, publishedSeq)
    if (isGone(message)) recent.emptyEdits(message.groupId, message.seq)
    // An older answer of the log may be on its way to somebody.
    if (reading === 0) changed.tidy(this.#committed, publishedSeq, (left) => recent.replace(left))
  }

  #publish({ groupIds, event, but = 0 }: Extract<Effect, { type: 'publish' }>): void {
    if (groupIds.length === 0) return
    const frame = encode(event, 0)
    for (const groupId of groupIds) {
      this.#toHub.push(ToHub.publish, but, Buffer.from(ephemeralTwin(`g:${groupId}`)), frame)
    }
  }

  #append(entry: Parameters<Log['append']>[0]): void {
    this.#appended = this.#log.append(entry)
  }

  #answerCommitted(to: Caller, frame: Uint8Array, tempId: string | undefined): void {
    if (this.#options.durability === 'memory' || this.#appended <= this.#committed) {
      this.#send(to.session, frame)
    } else {
      this.#held.push(this.#appended, { type: 'answer', to, frame, tempId })
    }
  }

  #read({ query, then, to }: ReadEffect, group: EventSource | null): void {
    if (group) group.reading += 1
    this.#log
      .read(query)
      .finally(() => {
        if (group) group.reading -= 1
      })
      .then((result) => this.perform(then(result as never, this.now()), group))
      .catch((error: unknown) => {
        if (!(error instanceof ChatError)) this.report(error, `read "${query.read}" failed`)
        if ('ref' in to) this.sendRefusal(to, ChatError.from(error))
        // It would miss what the read was for: it reconnects and resumes.
        else this.perform([{ type: 'close', session: to.session, reason: 'failed' }], null)
      })
  }

  #file({ call, then, to }: FileEffect): void {
    this.#files
      .run(call)
      .then((result) => this.perform(then(result as never, this.now()), null))
      .catch((error: unknown) => {
        if (!(error instanceof ChatError)) this.report(error, `files "${call.call}" failed`)
        this.sendRefusal(to, ChatError.from(error))
      })
  }

  #send(session: number, frame: Uint8Array): void {
    this.#toHub.push(ToHub.send, session, undefined, frame)
  }

  /** Answers with an `error`, or for a post, by its `tempId`, with a `message_error`. */
  sendRefusal(to: Caller, error: ChatError, tempId?: string | undefined): void {
    const frame =
      tempId === undefined
        ? encodeEvent('error', to.ref, error.toFields())
        : encodeEvent('message_error', to.ref, { tempId, error: error.toFields(), timestamp: this.now() })
    this.#send(to.session, frame)
  }

  #tell(mail: Mail): void {
    this.#toHub.push(ToHub.mail, shardOf(mail.id, this.#options.shards), undefined, pack(mail))
  }

  #onCommitted(offset: number): void {
    this.#committed = offset
    if (this.#failing !== null) {
      this.#failing = null
      this.#toHub.push(ToHub.storage, 1)
    }
    this.#held.release(offset, (held) => this.#give(held))
    this.#watcher.committed()
  }

  #onFailing(reason: string): void {
    if (this.#failing === null) this.#toHub.push(ToHub.storage, 0, undefined, Buffer.from(reason))
    this.#failing = reason
    // SPEC 5.2: nothing is acknowledged that is not kept. It may still be committed later; the
    // sender asks again with the same tempId and gets the one message.
    for (const { to, tempId } of this.#held.takeAnswers()) this.sendRefusal(to, storageUnavailable(), tempId)
    this.#watcher.failing(storageUnavailable())
  }

  #give(held: Held): void {
    if (held.type === 'answer') this.#send(held.to.session, held.frame)
    else held.release()
  }
}

function encode(
  { name, fields }: { readonly name: EventName; readonly fields: unknown },
  ref: number,
): Uint8Array {
  return encodeEvent(name, ref, fields as EventFields<EventName>)
}

/** The post that an event is about. */
function targetOf({ fields }: { readonly fields: object }): number | undefined {
  return 'messageId' in fields ? parseMessageId(String(fields.messageId)).seq : undefined
}

function topicOf(groupId: string): Uint8Array {
  return Buffer.from(`g:${groupId}`)
}

function overloaded(): ChatError {
  return new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
}

function storageUnavailable(): ChatError {
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: STORAGE_RETRY_AFTER_MS })
}
