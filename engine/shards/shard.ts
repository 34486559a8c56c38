/**
 * Shard: the actors of some partitions, the mail for them, and the effects they ask for.
 *
 * Knows bytes on the outside and typed mail on the inside: a client frame is decoded and validated
 * here, once; an event is encoded here, once. It has no clock, thread or file of its own, so that
 * the same code runs in a worker and on the calling thread. Bounds: what may be uncommitted
 * (`HeldBack`), loaded actors (`MAX_ACTORS`), mail per actor (`Mailbox`); its inbox by the hub.
 */

import { decodeRequest, encodeEvent } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type EventFields, type EventName, events } from '../../protocol/events.ts'
import { peekHead } from '../../protocol/frame-head.ts'
import type { Request } from '../../protocol/requests.ts'
import { requests } from '../../protocol/requests.ts'
import type { ActorContext, Asked } from '../actors/actor-context.ts'
import type { Caller, Effect, Effects, ReadEffect } from '../actors/effects.ts'
import { GroupActor } from '../actors/group/group-actor.ts'
import type { Mail } from '../actors/mail.ts'
import type { Greeting } from '../actors/user/sessions.ts'
import { UserActor } from '../actors/user/user-actor.ts'
import type { Log, LoggedEvent, LogListener, ReadName, ReadQuery, Reads } from '../storage/log.ts'
import type { Durability } from '../storage/sqlite/database.ts'
import { type Outbox, readBatch, ToHub, ToShard } from './batch.ts'
import { type Held, HeldBack } from './held-back.ts'
import { pack, unpack } from './packing.ts'
import { shardOf } from './partition.ts'

/** Loaded actors of each kind; above it idle ones go early, and then new ones are refused. */
const MAX_ACTORS = 200_000
const RETRY_AFTER_MS = 500

export interface ShardOptions {
  readonly index: number
  /** How many shards there are. */
  readonly shards: number
  readonly durability: Durability
  readonly fanout: 'immediate' | 'committed'
  /** Actors unused for so long are evicted. */
  readonly idleMs: number
  readonly greeting: Greeting
}

/** What a shard does not do itself. */
export interface ShardDeps {
  readonly now: () => number
  /** A fresh id, time-ordered. */
  readonly newId: () => string
  readonly toHub: Outbox
  readonly openLog: (listener: LogListener) => Log
}

/** Who is behind a session. `listening` ones hear events; the others only ask. */
export interface SessionIdentity {
  readonly userId: string
  readonly name: string
  readonly picture: string
  readonly sessionId: string
  readonly listening: boolean
}

/** Depths and counts of one shard. */
export interface ShardStats {
  readonly groups: number
  readonly users: number
  readonly sessions: number
  /** Log entries appended and committed since the start. */
  readonly appended: number
  readonly committed: number
  /** Answers and events that wait for a commit. */
  readonly held: number
  /** Mail waiting for actors that are loading. */
  readonly mail: number
}

export class Shard implements ActorContext {
  readonly greeting: Greeting
  readonly now: () => number
  readonly newId: () => string
  readonly #options: ShardOptions
  readonly #toHub: Outbox
  readonly #log: Log
  readonly #sessions = new Map<number, SessionIdentity>()
  readonly #groups = new Map<string, GroupActor>()
  readonly #users = new Map<string, UserActor>()
  readonly #held = new HeldBack()
  #appended = 0
  #committed = 0
  /** Why storage takes no writes at present, or null. */
  #failing: string | null = null
  #draining = false

  constructor(options: ShardOptions, deps: ShardDeps) {
    this.#options = options
    this.greeting = options.greeting
    this.now = deps.now
    this.newId = deps.newId
    this.#toHub = deps.toHub
    this.#log = deps.openLog({
      committed: (offset) => this.#onCommitted(offset),
      failing: (reason) => this.#onFailing(reason),
    })
  }

  get committedOffset(): number {
    return this.#committed
  }

  /** Takes a batch from the hub. */
  receive(batch: Uint8Array): void {
    let taken = 0
    readBatch(batch, (kind, number, _id, body) => {
      taken += 1
      switch (kind) {
        case ToShard.frame:
          return this.#onFrame(number, body)
        case ToShard.open:
          return this.#onOpen(number, unpack<SessionIdentity>(body))
        case ToShard.closed:
          return this.#onClosed(number)
        case ToShard.mail:
          return this.#deliver(unpack<Mail>(body))
        case ToShard.report:
          return this.#toHub.push(ToHub.report, 0, undefined, pack(this.stats()))
        case ToShard.drain:
          this.#draining = true
          return this.sweep()
      }
    })
    this.#toHub.push(ToHub.taken, taken)
  }

  /** Evicts idle actors, or all while it drains. Called now and then, and as commits come in. */
  sweep(idleMs = this.#draining ? 0 : this.#options.idleMs): void {
    const usedBefore = this.now() - idleMs
    for (const [id, group] of this.#groups) {
      if (group.lastUsedAt <= usedBefore && group.release()) this.#groups.delete(id)
    }
    // A user's memberships may be uncommitted for as long as storage fails.
    if (this.#failing === null) {
      for (const [id, user] of this.#users) {
        if (user.lastUsedAt <= usedBefore && user.idle) this.#users.delete(id)
      }
    }
    if (this.#draining && this.#groups.size === 0 && this.#appended === this.#committed) {
      this.#toHub.push(ToHub.drained, 0)
    }
  }

  stats(): ShardStats {
    let mail = 0
    for (const actor of this.#groups.values()) mail += actor.depth
    for (const actor of this.#users.values()) mail += actor.depth
    return {
      groups: this.#groups.size,
      users: this.#users.size,
      sessions: this.#sessions.size,
      appended: this.#appended,
      committed: this.#committed,
      held: this.#held.size,
      mail,
    }
  }

  // What actors use.

  writeRefusal(): ChatError | null {
    if (this.#draining) return new ChatError('shutting_down', undefined, { retryAfterMs: RETRY_AFTER_MS })
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
    this.#sendRefusal(by, refusal, tempId)
  }

  perform(effects: Effects, group: GroupActor | null): void {
    for (const effect of effects) this.#do(effect, group)
  }

  #do(effect: Effect, group: GroupActor | null): void {
    switch (effect.type) {
      case 'append':
        this.#append(effect.entry)
        if (group) group.lastOffset = this.#appended
        return
      case 'record':
        return this.#record(effect, group as GroupActor)
      case 'answer':
        return this.#send(effect.to.session, encode(effect.event, effect.to.ref))
      case 'answer_committed':
        return this.#answerCommitted(effect.to, encode(effect.event, effect.to.ref), effect.tempId)
      case 'send':
        return this.#send(effect.session, encode(effect.event, 0))
      case 'send_frame':
        return this.#send(effect.session, effect.frame)
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
        return this.#tell({ to: 'user', id: effect.userId, mail: effect.mail })
      case 'when_drained': {
        const mail: Mail = { to: 'group', id: effect.groupId, mail: effect.mail }
        return this.#toHub.push(ToHub.whenDrained, effect.session, undefined, pack(mail))
      }
      case 'read':
        return this.#read(effect, group)
    }
  }

  #record(effect: Extract<Effect, { type: 'record' }>, group: GroupActor): void {
    const { seq, at, event } = effect
    const frame = encode(event, 0)
    const { groupId, state } = group
    const isPost = event.name === 'new_message'
    const logged: LoggedEvent = isPost
      ? { seq, message: event.fields.message }
      : { seq, code: events[event.name].code, frame }
    this.#append(
      isPost
        ? { type: 'message', message: event.fields.message }
        : { type: 'event', groupId, seq, code: events[event.name].code, at, frame },
    )
    const offset = this.#appended
    group.lastOffset = offset
    state.recent.push(logged, offset, this.#committed)
    const show = () => {
      state.publishedSeq = seq
      this.#toHub.push(ToHub.publish, 0, group.topic, frame)
    }
    if (this.#options.fanout === 'immediate') show()
    else this.#held.push(offset, { type: 'show', frame, release: show })
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

  #read({ query, then, to }: ReadEffect, group: GroupActor | null): void {
    if (group) group.reading += 1
    this.#log
      .read(query)
      .finally(() => {
        if (group) group.reading -= 1
      })
      .then((result) => this.perform(then(result as never, this.now()), group))
      .catch((error: unknown) => {
        if (!(error instanceof ChatError)) this.report(error, `read "${query.read}" failed`)
        if (to) this.#sendRefusal(to, ChatError.from(error), undefined)
      })
  }

  #send(session: number, frame: Uint8Array): void {
    this.#toHub.push(ToHub.send, session, undefined, frame)
  }

  #sendRefusal(to: Caller, error: ChatError, tempId: string | undefined): void {
    const frame =
      tempId === undefined
        ? encodeEvent('error', to.ref, error.toFields())
        : encodeEvent('message_error', to.ref, { tempId, error: error.toFields(), timestamp: this.now() })
    this.#send(to.session, frame)
  }

  #tell(mail: Mail): void {
    this.#toHub.push(ToHub.mail, shardOf(mail.id, this.#options.shards), undefined, pack(mail))
  }

  // What comes in.

  #onFrame(session: number, frame: Uint8Array): void {
    const identity = this.#sessions.get(session)
    // Frames of a session that has just been closed from this side.
    if (!identity) return
    let by: Caller = { session, ref: peekHead(frame)?.ref ?? 0, userId: identity.userId, name: identity.name }
    try {
      const request = decodeRequest(frame)
      by = { ...by, ref: request.ref }
      const asked: Asked = { type: 'request', by, request }
      switch (requests[request.event].route) {
        case 'group':
          return this.#group((request.fields as { groupId: string }).groupId).receive(asked)
        case 'user':
          return this.#user(identity.userId).receive(asked)
        case 'connection':
          throw new ChatError('bad_request', `${request.event} is answered by the connection only`)
      }
    } catch (error) {
      if (!(error instanceof ChatError)) this.report(error, 'a frame failed')
      this.#sendRefusal(by, ChatError.from(error), undefined)
    }
  }

  #onOpen(session: number, identity: SessionIdentity): void {
    this.#sessions.set(session, identity)
    if (!identity.listening || shardOf(identity.userId, this.#options.shards) !== this.#options.index) return
    const { userId, sessionId, name, picture } = identity
    this.#deliver({ to: 'user', id: userId, mail: { type: 'open', session, sessionId, name, picture } })
  }

  #onClosed(session: number): void {
    const identity = this.#sessions.get(session)
    this.#sessions.delete(session)
    if (!identity?.listening) return
    this.#users.get(identity.userId)?.receive({ type: 'closed', session })
  }

  #deliver({ to, id, mail }: Mail): void {
    try {
      if (to === 'group') this.#group(id).receive(mail)
      else this.#user(id).receive(mail)
    } catch (error) {
      this.report(error, `mail "${mail.type}" could not be delivered`)
      // A session that misses mail would miss events: it reconnects and resumes.
      if ('session' in mail) this.#do({ type: 'close', session: mail.session, reason: 'failed' }, null)
    }
  }

  #group(id: string): GroupActor {
    const known = this.#groups.get(id)
    if (known) return known
    this.#makeRoom(this.#groups)
    const actor = new GroupActor(id, this)
    actor.onFailed = () => this.#groups.delete(id)
    this.#groups.set(id, actor)
    return actor
  }

  #user(id: string): UserActor {
    const known = this.#users.get(id)
    if (known) return known
    this.#makeRoom(this.#users)
    const actor = new UserActor(id, this)
    actor.onFailed = () => this.#users.delete(id)
    this.#users.set(id, actor)
    return actor
  }

  #makeRoom(actors: ReadonlyMap<string, unknown>): void {
    if (actors.size < MAX_ACTORS) return
    this.sweep(1_000)
    if (actors.size >= MAX_ACTORS) throw overloaded()
  }

  // What the log tells.

  #onCommitted(offset: number): void {
    this.#committed = offset
    if (this.#failing !== null) {
      this.#failing = null
      this.#toHub.push(ToHub.storage, 1)
    }
    this.#held.release(offset, (held) => this.#give(held))
    if (this.#draining) this.sweep()
  }

  #onFailing(reason: string): void {
    if (this.#failing === null) this.#toHub.push(ToHub.storage, 0, undefined, Buffer.from(reason))
    this.#failing = reason
    // SPEC 5.2: nothing is acknowledged that is not kept. It may still be committed later; the
    // sender asks again with the same tempId and gets the one message.
    for (const { to, tempId } of this.#held.takeAnswers()) this.#sendRefusal(to, storageUnavailable(), tempId)
    for (const group of this.#groups.values()) group.storageFailed(storageUnavailable())
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

function topicOf(groupId: string): Uint8Array {
  return Buffer.from(`g:${groupId}`)
}

function overloaded(): ChatError {
  return new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
}

function storageUnavailable(): ChatError {
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: 1_000 })
}
