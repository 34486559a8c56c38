/**
 * Device: one device of a user, with its successive connections and what it has received.
 *
 * It checks the order of events (`Views`). Every request gets exactly one answer. A device that connects to a
 * front stays connected while the link of the front
 * breaks and while engines crash (RES-1).
 */
import type { Gateway, SessionPort } from '../../../engine/hub/gateway.ts'
import type { CloseReason } from '../../../protocol/close-codes.ts'
import { decodeEvent, encodeRequest } from '../../../protocol/codec.ts'
import { ChatError } from '../../../protocol/errors.ts'
import { type Event, type EventFields, events } from '../../../protocol/events.ts'
import { viewFrame } from '../../../protocol/frame-view.ts'
import { type Request, requests } from '../../../protocol/requests.ts'
import { isRepeatable } from '../../../server/link/waiting-requests.ts'
import type { Asked } from './asked.ts'
import type { Connection, Front } from './front.ts'
import { groupIdOf } from './group-model.ts'
import type { Oracle } from './oracle.ts'
import type { Topics } from './topics.ts'
import { Views } from './views.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** A front knows where the groups of a session began for 30 s (`LinkedGateway`). */
const RESUME_WITHIN_MS = 20_000

/** A request without an answer. */
interface Pending {
  asked: Asked
  /** Whether its front has sent it to an engine. */
  isSent: boolean
}

/** Is notified of what a device receives. */
export interface DeviceWatcher {
  arrives(device: Device, event: Event): void
  answered(device: Device, asked: Asked, answer: Event): void
  received(device: Device, event: Event): void
  /** Stores a violation, because not every caller of a connection passes it on. */
  guarded(action: () => void): void
}

export class Device implements Connection {
  readonly userId: string
  readonly name: string
  /** It connects to this front; to the engine's process if there is none. */
  readonly front: Front | null
  readonly #world: World
  readonly #oracle: Oracle
  readonly #watcher: DeviceWatcher
  /** By group: it has everything up to this number. */
  readonly lastSeqs = new Map<string, number>()
  /** Who types in which group, according to the events received. */
  readonly typing = new Set<string>()
  /** The status of other users, according to the events received. */
  readonly #seen = new Map<string, string>()
  readonly #views: Views
  readonly #asked = new Map<number, Pending>()
  #connecting: Asked | null = null
  #connectedAt = 0
  /** Whether it counts as a session of its user: the engine knows it. */
  #counts = false
  #session = 0
  #port: SessionPort | null = null
  #ref = 0
  phase: 'away' | 'connecting' | 'connected' = 'away'

  constructor(userId: string, front: Front | null, world: World, oracle: Oracle, watcher: DeviceWatcher) {
    this.userId = userId
    this.name = userId.toUpperCase()
    this.front = front
    this.#world = world
    this.#oracle = oracle
    this.#watcher = watcher
    this.#views = new Views(this, oracle, world.disk)
  }

  /** For the trace. */
  get label(): string {
    return `${this.userId}/${this.front?.id ?? 'engine'}/${this.#session}`
  }

  /** Requests without an answer yet. */
  get unanswered(): readonly Asked[] {
    return [...this.#asked.values()].map(({ asked }) => asked)
  }

  /** The groups whose events it receives. */
  get groupIds(): readonly string[] {
    return this.#views.groupIds
  }

  get #gateway(): Gateway {
    return this.front?.gateway ?? this.#world.hub
  }

  get #topics(): Topics {
    return this.front?.topics ?? this.#world.topics
  }

  connect(): void {
    const world = this.#world
    const { generation, scheduler, topics } = world
    const { front } = this
    const port: SessionPort = {
      send: (frame) => this.#port === port && this.#watcher.guarded(() => this.#receive(frame)),
      subscribe: (topic) => (front?.topics ?? topics).subscribe(topic, port),
      unsubscribe: (topic) => (front?.topics ?? topics).unsubscribe(topic, port),
      close: (reason) => this.#port === port && this.#watcher.guarded(() => this.#close(reason)),
      whenDrained: (then) =>
        scheduler.enqueue(front?.id ?? `drain${this.#session}`, () => {
          if (this.#port === port && (front || world.generation === generation)) then()
        }),
    }
    if (!front) this.opened()
    this.#connecting = this.#oracle.ask(this.userId, 0, { event: 'ping', ref: 0, fields: {} })
    try {
      const identity = { userId: this.userId, name: this.name }
      this.#session = scheduler.turn(() => this.#gateway.open(identity, port))
    } catch (error) {
      if (front?.refuses === 'overloaded') return
      throw error
    }
    this.#port = port
    this.phase = 'connecting'
    front?.add(this.#session, this)
  }

  /** Ends the connection and notifies the engine. */
  disconnect(): void {
    if (!this.#port) return
    this.drop()
    this.front?.remove(this.#session, this.userId)
    this.#world.scheduler.turn(() => this.#gateway.closed(this.#session))
  }

  /** Drops the connection without notifying the engine, as in a crash. */
  drop(): void {
    if (!this.#port) return
    for (const [groupId, lastSeq] of this.#views.lastSeqs()) this.lastSeqs.set(groupId, lastSeq)
    this.#topics.forget(this.#port)
    this.#port = null
    this.#views.clear()
    this.#asked.clear()
    this.interrupted()
    this.phase = 'away'
    // The engine may receive later that it was opened, and closed.
    this.opened()
    this.givenUp()
  }

  // Connection

  sent(ref: number): void {
    const pending = this.#asked.get(ref)
    if (!pending) return
    const { event } = pending.asked.request
    if (pending.isSent && !isRepeatable(requests[event]))
      return this.#watcher.guarded(() => {
        throw new Violation(`${this}: ${event} is made again`)
      })
    // The first one may have been carried out.
    if (pending.isSent) pending.asked = this.#oracle.again(pending.asked)
    pending.isSent = true
  }

  opened(): void {
    if (!this.#counts) this.#oracle.people.opening(this.userId)
    this.#counts = true
  }

  continued(): void {
    this.#oracle.people.connected(this.userId)
  }

  givenUp(): void {
    if (this.#counts) this.#oracle.people.closed(this.userId)
    this.#counts = false
  }

  /** What is not durable may be missed: it knows nothing of it. */
  interrupted(): void {
    this.typing.clear()
    this.#seen.clear()
  }

  /** The engine has crashed or was replaced, and the oracle knows it. The connection stays. */
  continueLater(): void {
    if (!this.#port) return
    this.#counts = false
    const oracle = this.#oracle
    for (const pending of this.#asked.values()) {
      const asked = oracle.afterCrash(pending.asked)
      pending.asked = pending.isSent ? asked : oracle.again(asked)
    }
    if (this.#connecting) this.#connecting = oracle.again(oracle.afterCrash(this.#connecting))
    this.#views.endLost()
  }

  /** Sends a request. */
  ask(event: Request['event'], fields: Request['fields']): Asked | null {
    this.#ref += 1
    const ref = this.#ref
    const request = { event, ref, fields } as Request
    const frame = encodeRequest(event, ref, fields as never)
    const view = viewFrame(frame)
    if (!view) throw new Violation(`${event} has no head`)
    const asked = this.#oracle.ask(this.userId, this.#session, request)
    this.#asked.set(ref, { asked, isSent: false })
    if (request.event === 'resume') this.#views.resuming(request.fields.groups)
    try {
      this.#world.scheduler.turn(() => this.#gateway.receive(this.#session, frame, view))
    } catch (error) {
      const answer = { event: 'error', ref, fields: ChatError.from(error).toFields() } as const
      this.#answered(asked, answer)
    }
    return asked
  }

  /** Requests what it has missed. */
  resume(): void {
    const { front } = this
    if (front && this.#world.scheduler.elapsed - this.#connectedAt > RESUME_WITHIN_MS) return
    this.ask('resume', { groups: this.#views.missed(this.lastSeqs) })
  }

  /** At rest: it has received everything that it should. @throws Violation */
  complete(): void {
    if (this.phase !== 'connected') return
    const first = this.unanswered[0]
    if (first) throw new Violation(`${this}: ${first.request.event} has no answer`)
    this.#views.complete()
  }

  /** At rest: each status that it has received is the current one. @throws Violation */
  upToDate(): void {
    const { people, blocks } = this.#oracle
    for (const [userId, status] of this.#seen) {
      // It receives nothing about users who share no group with it any more.
      if (!this.#oracle.shareNow(userId, this.userId)) this.#seen.delete(userId)
      if (!this.#seen.has(userId)) continue
      const now = blocks.areApartNow(userId, this.userId) ? 'offline' : people.seen(userId)
      if (status !== now) throw new Violation(`${this} sees ${userId} as ${status}, who is ${now}`)
    }
  }

  toString(): string {
    return `a device of ${this.userId} (${this.label})`
  }

  /** RES-1: a front closes a connection only if an event would be missed. */
  #close(reason: CloseReason): void {
    if (this.front && (reason !== 'failed' || this.#world.disk.failedReads === 0))
      throw new Violation(`${this} was closed (${reason})`)
    this.disconnect()
  }

  #receive(frame: Uint8Array): void {
    const event = decodeEvent(frame)
    if (!event) throw new Violation(`${this} got a frame that is not an event`)
    this.#watcher.arrives(this, event)
    if (this.phase === 'connecting' && event.event !== 'connected') {
      throw new Violation(`${this} got ${event.event} before connected`)
    }
    if (event.event === 'connected') this.#connected(event)
    else if (event.ref !== 0) {
      const asked = this.#asked.get(event.ref)?.asked
      if (!asked) throw new Violation(`${this} got ${event.event} for ${event.ref}, which is answered`)
      this.#answered(asked, event)
    } else if ('durable' in events[event.event]) this.#durable(event)
    else if (event.event === 'user_typing') {
      // The user's own devices know by themselves when the user's typing ends.
      if (event.fields.userId !== this.userId)
        this.typing.add(`${event.fields.groupId} ${event.fields.userId}`)
    } else if (event.event === 'user_stopped_typing') {
      this.typing.delete(`${event.fields.groupId} ${event.fields.userId}`)
    }
    if (event.event === 'contact_status_changed') this.#status(event.fields)
    this.#watcher.received(this, event)
  }

  /** PRS-3: nobody receives the status of a user who shares no group with them. */
  #status(fields: EventFields<'contact_status_changed'>): void {
    const { userId, status } = fields
    if (userId !== this.userId && !this.#oracle.share(userId, this.userId)) {
      throw new Violation(`${this} received the status of ${userId}, but they share no group`)
    }
    const apart = userId === this.userId ? 'no' : this.#oracle.blocks.apart(userId, this.userId)
    this.#oracle.people.received(fields, apart)
    if (userId === this.userId) return
    // Nothing follows about a user who has left meanwhile.
    if (this.#oracle.shareNow(userId, this.userId)) this.#seen.set(userId, status)
    else this.#seen.delete(userId)
  }

  #connected(event: Extract<Event, { event: 'connected' }>): void {
    if (this.phase !== 'connecting') throw new Violation(`${this} was connected twice`)
    this.phase = 'connected'
    this.#connectedAt = this.#world.scheduler.elapsed
    this.#oracle.people.connected(this.userId)
    this.#views.connected(event.fields.groups)
    if (this.#connecting) this.#watcher.answered(this, this.#connecting, event)
    this.#connecting = null
  }

  #answered(asked: Asked, answer: Event): void {
    const { event, ref } = asked.request
    const isSent = this.#asked.get(ref)?.isSent
    this.#asked.delete(ref)
    // What a front refuses after it was sent may be carried out.
    if (!this.front?.refuses || !isSent) asked.answer = answer
    // RES-2
    if (answer.event === 'error' && answer.fields.code === 'unavailable' && isRepeatable(requests[event]))
      throw new Violation(`${this}: ${event} is not made again`)
    if (asked.request.event === 'resume') this.#views.resumed(asked.request.fields.groups, answer)
    this.#watcher.answered(this, asked, answer)
  }

  #durable(event: Event): void {
    const then = this.#views.received(event)
    if (then === 'begins') {
      // The status of other members may have changed before its front was linked, or before it was subscribed.
      if (this.front) this.#seen.clear()
      for (const userId of this.#oracle.group(groupIdOf(event))?.members.keys() ?? [])
        this.#seen.delete(userId)
      return
    }
    // After a user leaves, their status may no longer arrive; after they join, it has not arrived yet.
    if (event.event === 'user_left_group' || event.event === 'user_joined_group') {
      if (event.fields.userId === this.userId) this.#seen.clear()
      else this.#seen.delete(event.fields.userId)
    }
    if (then !== 'ends') return
    const groupId = groupIdOf(event)
    for (const who of this.typing) if (who.startsWith(`${groupId} `)) this.typing.delete(who)
  }
}
