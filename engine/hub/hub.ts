/**
 * Hub: the engine's side of the main thread. Routes client frames to the shards that own their
 * ids, and executes the instructions of shards for sessions and topics.
 *
 * It decodes no frame. All mail between actors passes through it, in the order in which a shard
 * sent it, behind the frames that the shard sent before. Bounds: those of `ShardLink` and `Delivery`.
 */
import type { CloseReason } from '../../protocol/close-codes.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import { ascii } from '../base/ascii.ts'
import type { EngineLogger } from '../base/engine-logger.ts'
import { shardOf, shardOfBytes } from '../base/partition.ts'
import { randomId } from '../base/random-bytes.ts'
import { overloaded, shuttingDown } from '../base/refusals.ts'
import { SEQ_BYTES, seqAt } from '../base/seq-bytes.ts'
import { Gate } from '../hooks/gate.ts'
import type { Hooks } from '../hooks/hooks.ts'
import { Notices } from '../hooks/notices.ts'
import type { Posted } from '../hooks/posted.ts'
import { type Announcement, type Blocks, ToHub, ToShard } from '../shards/hub-records.ts'
import type { SessionIdentity, ShardStats } from '../shards/shard.ts'
import { type Defer, readBatch } from '../threads/batch.ts'
import { pack, unpack } from '../threads/packing.ts'
import { startTimer } from '../threads/timer.ts'
import { Delivery } from './delivery.ts'
import { Draining } from './draining.ts'
import { Fronts } from './fronts.ts'
import type {
  EarlierSession,
  EngineGateway,
  Front,
  Identity,
  InterruptedTopic,
  Publisher,
  SessionPort,
} from './gateway.ts'
import type { Health, HooksStats, ShardSide } from './health.ts'
import { type HubSession, HubSessions } from './hub-sessions.ts'
import { checkIdentity } from './identity.ts'
import { Profiles } from './profiles.ts'
import { ShardLink, type ShardPort } from './shard-link.ts'
import { Subscriptions } from './subscriptions.ts'

/** Time and randomness, injected. */
export interface HubDeps {
  /** Calls `then` after that time, unless the returned function was called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
  readonly newSessionId: () => string
}

/** The machine's timers and random numbers. */
export const machineHub: HubDeps = {
  after: startTimer,
  newSessionId: () => randomId(12),
}

export class Hub implements EngineGateway {
  readonly #shards: readonly ShardLink[]
  readonly #sessions = new HubSessions()
  readonly #subscriptions = new Subscriptions(this.#sessions)
  readonly #delivery = new Delivery(this.#sessions)
  readonly #profiles: Profiles
  readonly #publishers = new Set<Publisher>()
  readonly #fronts: Fronts
  readonly #draining: Draining
  readonly #logger: EngineLogger
  readonly #deps: HubDeps
  #gate: Gate | null = null
  #notices: Notices | null = null
  #stopping = false

  constructor(shards: readonly ShardPort[], defer: Defer, logger: EngineLogger, deps: HubDeps = machineHub) {
    this.#logger = logger
    this.#deps = deps
    this.#shards = shards.map((shard) => new ShardLink(shard, defer))
    this.#profiles = new Profiles(this.#shards, this.#sessions)
    this.#fronts = new Fronts(this.#shards, this.#subscriptions)
    this.#draining = new Draining(this.#shards, deps.after)
  }

  open(identity: Identity, port: SessionPort): number {
    return this.#open(identity, port, true, false)
  }

  reopen(identity: Identity, port: SessionPort, earlier: EarlierSession): number {
    return this.#open(identity, port, true, false, earlier)
  }

  continueTopics(front: Front, topics: readonly InterruptedTopic[]): void {
    this.#fronts.continueTopics(front, topics)
  }

  releaseTopic(front: Front, topic: string): void {
    this.#fronts.releaseTopic(front, topic)
  }

  settleFront(front: Front, then: () => void): void {
    this.#fronts.settle(front, then)
  }

  removeFront(front: Front): void {
    this.#fronts.remove(front)
  }

  /**
   * A session that makes requests and receives no events: for the service, and for users over HTTP. Only
   * the shards that get its requests know it.
   */
  openSilent(identity: Identity, port: SessionPort, service: boolean): number {
    const session = this.#open(identity, port, false, service)
    const { userId, name = '', picture = '' } = identity
    this.#profiles.applyOnce(userId, { name, picture })
    return session
  }

  receive(session: number, frame: Uint8Array, view: FrameView): void {
    const known = this.#sessions.get(session)
    if (!known) return
    if (this.#stopping) throw shuttingDown()
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
    if (shard.isFull) {
      throw overloaded()
    }
    if (known.asks && !known.asks.shards.has(shard)) {
      known.asks.shards.add(shard)
      shard.push(ToShard.openWithFrame, session, frame, known.asks.identity)
    } else shard.push(ToShard.frame, session, frame)
  }

  closed(session: number): void {
    const known = this.#sessions.get(session)
    if (!known) return
    this.#sessions.remove(known)
    this.#gate?.closed(session)
    this.#subscriptions.removeAll(known)
    for (const shard of known.asks?.shards ?? this.#shards) shard.push(ToShard.closed, session)
  }

  renew(session: number, { name = '', picture = '' }: Identity): void {
    const known = this.#sessions.get(session)
    if (!known) return
    this.#profiles.apply(known.userId, { name, picture })
  }

  addPublisher(publisher: Publisher): () => void {
    this.#publishers.add(publisher)
    return () => this.#publishers.delete(publisher)
  }

  /** Processes a batch of a shard. */
  readonly take = (index: number, batch: Uint8Array): void => {
    const from = this.#shards[index] as ShardLink
    const { run } = this.#delivery
    readBatch(batch, (kind, number, id, body) => {
      if (run.port && !isSent(kind)) run.end()
      switch (kind) {
        case ToHub.send:
          return this.#delivery.send(number, body)
        case ToHub.publish: {
          const topic = ascii(id)
          const subscribers = this.#subscriptions.of(topic)
          if (!subscribers) return
          const except = number === 0 ? undefined : this.#sessions.get(number)?.port
          for (const publisher of this.#publishers) publisher.publish(topic, body, except)
          if (subscribers.fronts) {
            for (const front of subscribers.fronts.keys()) front.publish(topic, body, except)
          }
          return
        }
        case ToHub.show: {
          const topic = ascii(id, SEQ_BYTES)
          const subscribers = this.#subscriptions.of(topic)
          if (!subscribers) return
          for (const publisher of this.#publishers) publisher.publish(topic, body)
          if (subscribers.fronts) {
            for (const front of subscribers.fronts.keys()) front.show(topic, seqAt(id), body)
          }
          return
        }
        case ToHub.missed:
        case ToHub.replayed: {
          const port = this.#sessions.get(number)?.port
          if (!port?.sendMissed) return this.#delivery.send(number, body)
          if (run.port) run.end()
          return port.sendMissed(ascii(id, SEQ_BYTES), seqAt(id), body, kind === ToHub.replayed)
        }
        case ToHub.blocks: {
          const blocks = Uint8Array.from(body)
          const { userId, blocked } = unpack<Blocks>(blocks)
          this.#sessions.setBlocked(userId, blocked)
          for (const shard of this.#shards) shard.push(ToShard.blocks, 0, blocks)
          return
        }
        case ToHub.presence:
          for (const shard of this.#shards) shard.push(ToShard.presence, number, id)
          return
        case ToHub.full: {
          const userId = Uint8Array.from(body)
          for (const shard of this.#shards) shard.push(ToShard.full, number, userId)
          return
        }
        case ToHub.sendUser:
          return this.#delivery.sendUser(Buffer.from(id).toString(), body, number)
        case ToHub.subscribe:
          return this.#subscribe(number, ascii(body).split('\n'), id)
        case ToHub.announce:
          return this.#subscriptions.announce(unpack<Announcement>(body), id)
        case ToHub.unsubscribe:
          return this.#subscriptions.removeUser(Buffer.from(body).toString(), ascii(id))
        case ToHub.mail:
          return this.#shards[number]?.push(ToShard.mail, 0, body)
        case ToHub.attach:
          this.#sessions.get(number)?.port.attaching?.(body)
          return this.#shards[id[0] as number]?.push(ToShard.mail, 0, body)
        case ToHub.reopened:
          return this.#sessions.get(number)?.port.reopened?.()
        case ToHub.showFront:
        case ToHub.continued:
        case ToHub.changeSubscribers:
        case ToHub.settled:
          return this.#fronts.take(kind, number, id, body)
        case ToHub.whenDrained:
          return this.#whenDrained(from, number, body)
        case ToHub.close:
          return this.#sessions.get(number)?.port.close(ascii(id) as CloseReason)
        case ToHub.malformed:
          return this.#sessions.get(number)?.port.countMalformed?.()
        case ToHub.named:
          return this.#profiles.lookedUp(number, Buffer.from(body).toString())
        case ToHub.posted:
          return this.#notices?.posted(unpack<Posted>(body))
        case ToHub.handled:
          return from.handled(number)
        case ToHub.storage:
          return this.#onStorage(from, number === 1 ? null : Buffer.from(body).toString())
        case ToHub.report:
          return from.reported(unpack<ShardStats>(body))
        case ToHub.drained:
          return this.#draining.drained(from)
        case ToHub.log: {
          const level = (['info', 'warn', 'error'] as const)[number] ?? 'error'
          return this.#logger[level](unpack<object>(body), Buffer.from(id).toString())
        }
      }
    })
    if (run.port) run.end()
  }

  health(): Health {
    if (this.#stopping) return { ready: false, reason: 'stopping' }
    const failing = this.#shards.some(({ storageFails }) => storageFails)
    return failing ? { ready: false, reason: 'storage rejects writes' } : { ready: true }
  }

  /** Connections, and the queue lengths of each shard and of the service's hooks. */
  async stats(): Promise<{
    sessions: number
    shards: readonly (ShardStats & ShardSide)[]
    hooks: HooksStats
  }> {
    const shards = await Promise.all(this.#shards.map((shard) => shard.stats()))
    const hooks = {
      requests: this.#gate?.size ?? 0,
      notices: this.#notices?.size ?? 0,
      dropped: this.#notices?.dropped ?? 0,
    }
    return { sessions: this.#sessions.size, shards, hooks }
  }

  /** Attaches the hooks; called once, before anything is received. */
  useHooks(hooks: Hooks, timeoutMs: number, now: () => number): void {
    const shared = { hooks, timeoutMs, logger: this.#logger, after: this.#deps.after }
    this.#gate = new Gate({
      ...shared,
      now,
      nameOf: (userId) => this.#profiles.lookUp(userId),
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
    return this.#draining.drain(timeoutMs)
  }

  /** Closes all sessions that are left, after everything was sent. */
  endSessions(): void {
    for (const { port } of [...this.#sessions.all()]) port.close('shutdown')
  }

  #open(
    given: Identity,
    port: SessionPort,
    listening: boolean,
    service: boolean,
    earlier?: EarlierSession,
  ): number {
    if (this.#stopping) throw shuttingDown()
    const { userId, name = '', picture = '' } = checkIdentity(given)
    const session = this.#sessions.nextNumber()
    const homeShard = shardOf(userId, this.#shards.length)
    if (name) this.#sessions.rename(userId, name)
    const identity: SessionIdentity = {
      userId,
      name,
      picture,
      sessionId: this.#deps.newSessionId(),
      listening,
      service,
    }
    const body = pack(identity)
    const asks = listening ? null : { identity: body, shards: new Set<ShardLink>() }
    const known: HubSession = {
      number: session,
      port,
      userId,
      name,
      homeShard,
      early: listening && !earlier ? [] : null,
      subscribed: null,
      announced: 0,
      asks,
    }
    this.#sessions.add(known)
    if (!listening) return session
    if (earlier)
      this.#subscriptions.restore(
        known,
        earlier.subscribed.map(([groupId]) => groupId),
      )
    for (const [index, shard] of this.#shards.entries()) {
      const isHome = earlier && index === homeShard
      shard.push(ToShard.open, session, isHome ? pack({ ...identity, earlier }) : body)
    }
    return session
  }

  /** Sends a frame to all sessions of a user. */
  sendUser(userId: string, frame: Uint8Array): void {
    this.#delivery.sendUser(userId, frame, 0)
    this.#delivery.run.end()
  }

  #subscribe(session: number, groupIds: readonly string[], seqs: Uint8Array): void {
    const known = this.#sessions.get(session)
    if (known) this.#subscriptions.add(known, groupIds, seqs)
  }

  #whenDrained(from: ShardLink, session: number, body: Uint8Array): void {
    const known = this.#sessions.get(session)
    if (!known) return
    const mail = Uint8Array.from(body)
    known.port.whenDrained(() => {
      if (this.#sessions.get(session) === known) from.push(ToShard.mail, 0, mail)
    })
  }

  #onStorage(shard: ShardLink, reason: string | null): void {
    if (reason !== null) this.#logger.error({ reason }, 'storage rejects writes')
    else this.#logger.info({}, 'storage accepts writes again')
    shard.storageFails = reason !== null
  }
}

/** Records of these kinds are sent together. */
function isSent(kind: number): boolean {
  return kind === ToHub.send || kind === ToHub.sendUser || kind === ToHub.missed || kind === ToHub.replayed
}

const COLON = 0x3a

/** The groupId of a messageId or fileId ends before the colon. */
function endOfGroupId(frame: Uint8Array, { idStart, idEnd }: FrameView): number {
  let end = idStart
  while (end < idEnd && frame[end] !== COLON) end++
  return end
}
