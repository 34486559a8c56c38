/**
 * Hub: the engine's side of the main thread. Routes client frames to the shards that own their
 * ids, and executes the instructions of shards for sessions and topics.
 *
 * It decodes no frame. All mail between actors passes through it, in the order in which a shard
 * sent it, behind the frames that the shard sent before. Bounds: each shard may have `MAX_INBOX`
 * unprocessed records, above that `receive` refuses with `overloaded`; at most `MAX_EARLY` frames
 * for a user wait for the `connected` of a session, above that the session is closed.
 */
import { randomBytes } from 'node:crypto'
import type { CloseReason } from '../../protocol/close-codes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { events } from '../../protocol/events.ts'
import { codeOf } from '../../protocol/frame-head.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import type { Mail } from '../actors/mail.ts'
import type { EngineLogger } from '../base/engine-logger.ts'
import { shardOf, shardOfBytes } from '../base/partition.ts'
import { durableTwin } from '../base/topics.ts'
import { Gate } from '../hooks/gate.ts'
import type { Hooks } from '../hooks/hooks.ts'
import { Notices } from '../hooks/notices.ts'
import { type Announcement, type Blocks, ToHub, ToShard } from '../shards/hub-records.ts'
import type { Posted } from '../shards/posted.ts'
import type { SessionIdentity, ShardStats } from '../shards/shard.ts'
import { type Defer, Outbox, readBatch } from '../threads/batch.ts'
import { pack, unpack } from '../threads/packing.ts'
import { startTimer } from '../threads/timer.ts'
import type { Gateway, Identity, Publisher, SessionPort } from './gateway.ts'
import { checkIdentity } from './identity.ts'
import { SendRun } from './send-run.ts'

const MAX_INBOX = 65_536
/** Frames that wait for the `connected` of a session. */
const MAX_EARLY = 256
const RETRY_AFTER_MS = 500
/** Users whose claims over HTTP are remembered; above it all claims are reported again. */
const MAX_CLAIMS = 10_000
const DRAIN_AGAIN_MS = 20

/** A shard on any thread: it receives batches, and sends batches to the listener it was started with. */
export interface ShardPort {
  post(batch: Uint8Array): void
}

/** Whether the engine accepts writes. */
export type Health =
  | {
      readonly ready: true
      /** What an operator should look at before it becomes a failure. */
      readonly warning?: string
    }
  | { readonly ready: false; readonly reason: string }

/** State that the hub itself tracks of a shard. */
export interface ShardSide {
  /** Records on their way to the shard. */
  readonly inbox: number
  /** Storage currently rejects its writes. */
  readonly storageFails: boolean
  /** How often that has begun since the start. */
  readonly storageFailures: number
}

/** Requests and notices that wait for the service's hooks. */
export interface HooksStats {
  /** Requests that wait for a hook. */
  readonly requests: number
  /** Notices of durable messages. */
  readonly notices: number
  /** Notices that were dropped since the start, because the hooks were too slow. */
  readonly dropped: number
}

/** Time and randomness, injected. */
export interface HubDeps {
  /** Calls `then` after that time, unless the returned function was called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
  readonly newSessionId: () => string
}

const machine: HubDeps = {
  after: startTimer,
  newSessionId: () => randomBytes(12).toString('base64url'),
}

interface ShardLink {
  readonly outbox: Outbox
  /** Records that were pushed and that the shard has not processed yet. */
  pending: number
  drained: boolean
  storage: string | null
  storageFailures: number
  reports: ((stats: ShardStats) => void)[]
}

/** The sessions that are subscribed to a group. */
interface Subscribers {
  readonly topic: string
  readonly sessions: Set<HubSession>
}

interface HubSession {
  readonly port: SessionPort
  /** Frames for its user that wait until `connected` is sent; null from then on. */
  early: Uint8Array[] | null
  readonly userId: string
  /** Empty until a token or a look-up for the hooks supplies it. */
  name: string
  readonly homeShard: number
  /** The subscriber sets of groups that contain it. */
  readonly subscribed: Set<Subscribers>
  /** The last announcement sent to it. */
  announced: number
  /** Of a session that only makes requests: its identity, and the shards that know it. Null if all know it. */
  readonly asks: { readonly identity: Uint8Array; readonly shards: Set<ShardLink> } | null
}

export class Hub implements Gateway {
  readonly #shards: ShardLink[]
  readonly #sessions = new Map<number, HubSession>()
  /** Sessions of each user, for leaving a group with all devices at once. */
  readonly #byUser = new Map<string, Set<number>>()
  /** By topic, for events that are published to several topics. Bounded by the sessions and their groups. */
  readonly #subscribers = new Map<string, Subscribers>()
  /** The users that each connected user has blocked. // PRV-1 */
  readonly #blocked = new Map<string, ReadonlySet<string>>()
  #announcements = 0
  /** Pending look-ups of names, by number. Bounded by the gate: one at a time for each session. */
  readonly #lookups = new Map<number, (name: string) => void>()
  #lastLookup = 0
  /** The last claims of each user over HTTP, so that each claim is reported once. */
  readonly #claims = new Map<string, string>()
  readonly #publishers = new Set<Publisher>()
  readonly #logger: EngineLogger
  readonly #deps: HubDeps
  readonly #run = new SendRun()
  #gate: Gate | null = null
  #notices: Notices | null = null
  #lastSession = 0
  #stopping = false
  #onDrained: (() => void) | null = null

  constructor(shards: readonly ShardPort[], defer: Defer, logger: EngineLogger, deps: HubDeps = machine) {
    this.#logger = logger
    this.#deps = deps
    this.#shards = shards.map((shard) => ({
      outbox: new Outbox((batch) => shard.post(batch), defer),
      pending: 0,
      drained: false,
      storage: null,
      storageFailures: 0,
      reports: [],
    }))
  }

  open(identity: Identity, port: SessionPort): number {
    return this.#open(identity, port, true, false)
  }

  /**
   * A session that makes requests and receives no events: for the service, and for users over HTTP. Only
   * the shards that get its requests know it.
   */
  openSilent(identity: Identity, port: SessionPort, service: boolean): number {
    const session = this.#open(identity, port, false, service)
    const { userId, name = '', picture = '' } = identity
    const claims = JSON.stringify([name, picture])
    if ((name || picture) && this.#claims.get(userId) !== claims) {
      if (this.#claims.size >= MAX_CLAIMS) this.#claims.clear()
      this.#claims.set(userId, claims)
      this.#tellProfile(userId, { name, picture })
    }
    return session
  }

  receive(session: number, frame: Uint8Array, view: FrameView): void {
    const known = this.#sessions.get(session)
    if (!known) return
    if (this.#stopping) throw new ChatError('shutting_down', undefined, { retryAfterMs: RETRY_AFTER_MS })
    if (!view.row) throw new ChatError('unknown_event')
    if (this.#gate?.takes(session, known, frame, view)) return
    this.#route(session, known, frame, view)
  }

  /** To the shard that owns the id. @throws ChatError `overloaded` */
  #route(session: number, known: HubSession, frame: Uint8Array, view: FrameView): void {
    // A group id that is missing or malformed is refused by any shard's validation.
    const index =
      view.row?.route === 'group' && view.idEnd > view.idStart
        ? shardOfBytes(frame, view.idStart, endOfGroupId(frame, view), this.#shards.length)
        : known.homeShard
    const shard = this.#shards[index] as ShardLink
    if (shard.pending >= MAX_INBOX) {
      throw new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
    }
    if (known.asks && !known.asks.shards.has(shard)) {
      known.asks.shards.add(shard)
      this.#push(shard, ToShard.openWithFrame, session, frame, known.asks.identity)
    } else this.#push(shard, ToShard.frame, session, frame)
  }

  closed(session: number): void {
    const known = this.#sessions.get(session)
    if (!known) return
    this.#sessions.delete(session)
    this.#gate?.closed(session)
    for (const subscribers of known.subscribed) this.#leave(known, subscribers)
    const others = this.#byUser.get(known.userId)
    others?.delete(session)
    if (others?.size === 0) {
      this.#byUser.delete(known.userId)
      this.#blocked.delete(known.userId)
    }
    for (const shard of known.asks?.shards ?? this.#shards) this.#push(shard, ToShard.closed, session)
  }

  renew(session: number, { name = '', picture = '' }: Identity): void {
    const known = this.#sessions.get(session)
    if (!known) return
    this.#tellProfile(known.userId, { name, picture })
  }

  /** The user's actor applies the claims of a token; shards use the name if the user is connected. */
  #tellProfile(userId: string, { name, picture }: { readonly name: string; readonly picture: string }): void {
    if (name) {
      this.#rename(userId, name)
      const body = pack({ userId, name })
      for (const shard of this.#shards) this.#push(shard, ToShard.renamed, 0, body)
    }
    const mail: Mail = { to: 'user', id: userId, mail: { type: 'profile', name, picture } }
    const home = this.#shards[shardOf(userId, this.#shards.length)] as ShardLink
    this.#push(home, ToShard.mail, 0, pack(mail))
  }

  /** The newest token of a user applies to all their sessions (IDN-2). */
  #rename(userId: string, name: string): void {
    for (const session of this.#byUser.get(userId) ?? []) {
      const known = this.#sessions.get(session)
      if (known) known.name = name
    }
  }

  /** The name of a user whose tokens have none; the user id if no name is known. IDN-2 */
  async #lookUp(userId: string): Promise<string> {
    const number = ++this.#lastLookup
    try {
      const name = await new Promise<string>((resolve) => {
        this.#lookups.set(number, resolve)
        const home = this.#shards[shardOf(userId, this.#shards.length)] as ShardLink
        this.#push(home, ToShard.nameOf, number, Buffer.from(userId))
      })
      for (const session of this.#byUser.get(userId) ?? []) {
        const known = this.#sessions.get(session)
        if (known) known.name ||= name
      }
      return name
    } finally {
      this.#lookups.delete(number)
    }
  }

  addPublisher(publisher: Publisher): () => void {
    this.#publishers.add(publisher)
    return () => this.#publishers.delete(publisher)
  }

  /** Processes a batch of a shard. */
  take(index: number, batch: Uint8Array): void {
    const from = this.#shards[index] as ShardLink
    readBatch(batch, (kind, number, id, body) => {
      if (kind !== ToHub.send && kind !== ToHub.sendUser) this.#run.end()
      switch (kind) {
        case ToHub.send:
          return this.#send(number, body)
        case ToHub.publish: {
          const topic = ascii(id)
          if (!this.#hasSubscribers(topic)) return
          const except = number === 0 ? undefined : this.#sessions.get(number)?.port
          for (const publisher of this.#publishers) publisher.publish(topic, body, except)
          return
        }
        case ToHub.blocks: {
          const blocks = Uint8Array.from(body)
          const { userId, blocked } = unpack<Blocks>(blocks)
          if (this.#byUser.has(userId)) this.#blocked.set(userId, new Set(blocked))
          for (const shard of this.#shards) this.#push(shard, ToShard.blocks, 0, blocks)
          return
        }
        case ToHub.presence:
          for (const shard of this.#shards) this.#push(shard, ToShard.presence, number, id)
          return
        case ToHub.full: {
          const userId = Uint8Array.from(body)
          for (const shard of this.#shards) this.#push(shard, ToShard.full, number, userId)
          return
        }
        case ToHub.sendUser:
          return this.#sendUser(Buffer.from(id).toString(), body, number)
        case ToHub.subscribe:
          return this.#subscribe(number, ascii(body).split('\n'))
        case ToHub.announce:
          return this.#announce(unpack<Announcement>(body), id)
        case ToHub.unsubscribe:
          return this.#unsubscribe(Buffer.from(body).toString(), ascii(id))
        case ToHub.mail:
          return this.#push(this.#shards[number] as ShardLink, ToShard.mail, 0, body)
        case ToHub.whenDrained:
          return this.#whenDrained(from, number, body)
        case ToHub.close:
          return this.#sessions.get(number)?.port.close(ascii(id) as CloseReason)
        case ToHub.malformed:
          return this.#sessions.get(number)?.port.countMalformed?.()
        case ToHub.named:
          return this.#lookups.get(number)?.(Buffer.from(body).toString())
        case ToHub.posted:
          return this.#notices?.posted(unpack<Posted>(body))
        case ToHub.handled:
          from.pending -= number
          return
        case ToHub.storage:
          return this.#onStorage(from, number === 1 ? null : Buffer.from(body).toString())
        case ToHub.report:
          from.reports.shift()?.(unpack<ShardStats>(body))
          return
        case ToHub.drained:
          from.drained = true
          if (this.#shards.every((shard) => shard.drained)) this.#onDrained?.()
          return
        case ToHub.log: {
          const level = (['info', 'warn', 'error'] as const)[number] ?? 'error'
          return this.#logger[level](unpack<object>(body), Buffer.from(id).toString())
        }
      }
    })
    this.#run.end()
  }

  health(): Health {
    if (this.#stopping) return { ready: false, reason: 'stopping' }
    const failing = this.#shards.find((shard) => shard.storage !== null)
    return failing ? { ready: false, reason: 'storage rejects writes' } : { ready: true }
  }

  /** Connections, and the queue lengths of each shard and of the service's hooks. */
  async stats(): Promise<{
    sessions: number
    shards: readonly (ShardStats & ShardSide)[]
    hooks: HooksStats
  }> {
    const shards = this.#shards.map((shard) => {
      const { pending: inbox, storageFailures } = shard
      const storageFails = shard.storage !== null
      return new Promise<ShardStats>((resolve) => {
        shard.reports.push(resolve)
        this.#push(shard, ToShard.report, 0)
      }).then((stats) => ({ ...stats, inbox, storageFails, storageFailures }))
    })
    const hooks = {
      requests: this.#gate?.size ?? 0,
      notices: this.#notices?.size ?? 0,
      dropped: this.#notices?.dropped ?? 0,
    }
    return { sessions: this.#sessions.size, shards: await Promise.all(shards), hooks }
  }

  /** Attaches the hooks; called once, before anything is received. */
  useHooks(hooks: Hooks, timeoutMs: number, now: () => number): void {
    const shared = { hooks, timeoutMs, logger: this.#logger, after: this.#deps.after }
    this.#gate = new Gate({
      ...shared,
      now,
      nameOf: (userId) => this.#lookUp(userId),
      forward: (session, frame, view) => {
        const known = this.#sessions.get(session)
        if (known) this.#route(session, known, frame, view)
      },
      answer: (session, frame) => this.#sessions.get(session)?.port.send(frame),
    })
    this.#notices = new Notices(shared)
  }

  /** Accepts no more requests; resolves when the running hooks are done, at the latest after `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true
    await this.#gate?.close(withinMs)
  }

  /** Resolves when hooks were notified of everything durable, at the latest after `withinMs`. */
  async endNotices(withinMs: number): Promise<void> {
    await this.#notices?.close(withinMs)
  }

  /** Accepts no more requests; resolves when all shards have committed everything; rejects after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void> {
    this.#stopping = true
    return new Promise((resolve, reject) => {
      const { after } = this.#deps
      let cancelAgain: () => void = () => {}
      // Repeated until done: an actor that was loading is released by a later attempt.
      const ask = () => {
        for (const shard of this.#shards) if (!shard.drained) this.#push(shard, ToShard.drain, 0)
        cancelAgain = after(DRAIN_AGAIN_MS, ask)
      }
      const cancelGiveUp = after(timeoutMs, () => {
        cancelAgain()
        reject(new Error(`shards did not finish within ${timeoutMs} ms`))
      })
      this.#onDrained = () => {
        cancelAgain()
        cancelGiveUp()
        resolve()
      }
      ask()
    })
  }

  /** Closes all sessions that are left, after everything was sent. */
  endSessions(): void {
    for (const { port } of [...this.#sessions.values()]) port.close('shutdown')
  }

  #open(given: Identity, port: SessionPort, listening: boolean, service: boolean): number {
    if (this.#stopping) throw new ChatError('shutting_down', undefined, { retryAfterMs: RETRY_AFTER_MS })
    const { userId, name = '', picture = '' } = checkIdentity(given)
    // 32 bits overflow after 4,294,967,296 connections.
    do this.#lastSession = (this.#lastSession + 1) >>> 0
    while (this.#lastSession === 0 || this.#sessions.has(this.#lastSession))
    const session = this.#lastSession
    const homeShard = shardOf(userId, this.#shards.length)
    if (name) this.#rename(userId, name)
    const others = this.#byUser.get(userId)
    if (others) others.add(session)
    else this.#byUser.set(userId, new Set([session]))
    const body = pack({
      userId,
      name,
      picture,
      sessionId: this.#deps.newSessionId(),
      listening,
      service,
    } satisfies SessionIdentity)
    const asks = listening ? null : { identity: body, shards: new Set<ShardLink>() }
    const early = listening ? [] : null
    const subscribed = new Set<Subscribers>()
    this.#sessions.set(session, {
      port,
      userId,
      name,
      homeShard,
      early,
      subscribed,
      announced: 0,
      asks,
    })
    if (listening) for (const shard of this.#shards) this.#push(shard, ToShard.open, session, body)
    return session
  }

  #push(shard: ShardLink, kind: number, number: number, body?: Uint8Array, id?: Uint8Array): void {
    shard.pending += 1
    shard.outbox.push(kind, number, id, body)
  }

  /** Sends a frame to all sessions of a user. */
  sendUser(userId: string, frame: Uint8Array): void {
    this.#sendUser(userId, frame, 0)
    this.#run.end()
  }

  #sendUser(userId: string, frame: Uint8Array, exceptSession: number): void {
    for (const session of [...(this.#byUser.get(userId) ?? [])]) {
      if (session === exceptSession) continue
      const known = this.#sessions.get(session)
      if (!known?.early) this.#run.add(known?.port, frame)
      else if (known.early.length < MAX_EARLY) known.early.push(Uint8Array.from(frame))
      else known.port.close('failed')
    }
  }

  /** Sends a frame to one session; after its `connected`, the frames that waited for it. */
  #send(session: number, frame: Uint8Array): void {
    const known = this.#sessions.get(session)
    this.#run.add(known?.port, frame)
    if (!known?.early || codeOf(frame) !== events.connected.code) return
    const { early } = known
    known.early = null
    for (const waited of early) this.#run.add(known.port, waited)
  }

  #unsubscribe(userId: string, topic: string): void {
    const subscribers = this.#subscribers.get(topic)
    for (const session of this.#byUser.get(userId) ?? []) {
      const known = this.#sessions.get(session)
      if (!known) continue
      known.port.unsubscribe(topic)
      if (subscribers) this.#leave(known, subscribers)
    }
  }

  #subscribe(session: number, groupIds: readonly string[]): void {
    const known = this.#sessions.get(session)
    if (!known) return
    for (const groupId of groupIds) {
      const topic = `g:${groupId}`
      known.port.subscribe(topic)
      let subscribers = this.#subscribers.get(topic)
      if (!subscribers) {
        subscribers = { topic, sessions: new Set() }
        this.#subscribers.set(topic, subscribers)
      }
      subscribers.sessions.add(known)
      known.subscribed.add(subscribers)
    }
  }

  /** Whether a session is subscribed to the group of the topic, durable or ephemeral. */
  #hasSubscribers(topic: string): boolean {
    return this.#subscribers.has(topic) || this.#subscribers.has(durableTwin(topic))
  }

  #leave(known: HubSession, subscribers: Subscribers): void {
    known.subscribed.delete(subscribers)
    subscribers.sessions.delete(known)
    if (subscribers.sessions.size === 0) this.#subscribers.delete(subscribers.topic)
  }

  /** PRS-3: an event for the subscribers of several topics, once for each session. */
  #announce({ topics, exceptSession, exceptUsers, onlyUser, about }: Announcement, frame: Uint8Array): void {
    if (onlyUser !== undefined) return this.#announceTo(onlyUser, new Set(topics), frame)
    this.#announcements += 1
    const except = exceptSession === undefined ? undefined : this.#sessions.get(exceptSession)
    const apart = new Set(exceptUsers)
    for (const topic of topics) {
      for (const known of this.#subscribers.get(topic)?.sessions ?? []) {
        if (known.announced === this.#announcements) continue
        known.announced = this.#announcements
        if (known === except || apart.has(known.userId)) continue
        if (about !== undefined && this.#blocked.get(known.userId)?.has(about)) continue
        known.port.send(frame)
      }
    }
  }

  /** An event for the sessions of one user that are subscribed to one of the topics. */
  #announceTo(userId: string, topics: ReadonlySet<string>, frame: Uint8Array): void {
    for (const session of this.#byUser.get(userId) ?? []) {
      const known = this.#sessions.get(session)
      if (!known) continue
      for (const { topic } of known.subscribed) {
        if (!topics.has(topic)) continue
        known.port.send(frame)
        break
      }
    }
  }

  #whenDrained(from: ShardLink, session: number, body: Uint8Array): void {
    const known = this.#sessions.get(session)
    if (!known) return
    const mail = Uint8Array.from(body)
    known.port.whenDrained(() => {
      if (this.#sessions.get(session) === known) this.#push(from, ToShard.mail, 0, mail)
    })
  }

  #onStorage(shard: ShardLink, reason: string | null): void {
    if (reason !== null) this.#logger.error({ reason }, 'storage rejects writes')
    else this.#logger.info({}, 'storage accepts writes again')
    if (reason !== null && shard.storage === null) shard.storageFailures += 1
    shard.storage = reason
  }
}

const COLON = 0x3a

/** The groupId of a messageId or fileId ends before the colon. */
function endOfGroupId(frame: Uint8Array, { idStart, idEnd }: FrameView): number {
  let end = idStart
  while (end < idEnd && frame[end] !== COLON) end++
  return end
}

/** Topics and reasons are ASCII. */
function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
