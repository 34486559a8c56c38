/**
 * Device: one device of a user, with its successive connections and what it has received.
 *
 * It checks the order of events: for every group it receives exactly the events of the log, each
 * once, live above the number in `connected` and by `resume` below it (ORD-1, CUP-1). Every request
 * gets exactly one answer. A device that connects to a front stays connected while the link of the front
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
import { seqOf } from './group-model.ts'
import type { Oracle } from './oracle.ts'
import type { Topics } from './topics.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** A front knows where the groups of a session began for 30 s (`LinkedGateway`). */
const RESUME_WITHIN_MS = 20_000

/** What a session has received of a group. */
interface View {
  /** Everything above is received live. */
  baseline: number
  /** The newest number received live, or the baseline. */
  live: number
  /** The user has left; nothing more arrives until they rejoin. */
  ended: boolean
  /** `connected` has listed it. */
  readonly listed: boolean
  /** The replay that `resume` asked for, up to the baseline, and its progress. */
  replay: { at: number; phase: 'asked' | 'refused' | 'done' } | null
}

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
  readonly #views = new Map<string, View>()
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
    return [...this.#views].filter(([, { ended }]) => !ended).map(([groupId]) => groupId)
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
    for (const [groupId, view] of this.#views) {
      if (view.replay?.phase !== 'asked' && view.replay?.phase !== 'refused')
        this.lastSeqs.set(groupId, view.live)
      else this.lastSeqs.set(groupId, view.replay.at)
    }
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
    // No event says that a group has never existed.
    for (const [groupId, view] of this.#views) if (!oracle.group(groupId)) view.ended = true
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
    if (request.event === 'resume') this.#resuming(request.fields.groups)
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
    const groups = [...this.#views.keys()].flatMap((groupId) => {
      const replay = this.#views.get(groupId)?.replay
      const last = replay ? replay.at : this.lastSeqs.get(groupId)
      const isListed = !front || this.#views.get(groupId)?.listed
      return last === undefined || replay?.phase === 'asked' || replay?.phase === 'done' || !isListed
        ? []
        : [[groupId, last] as const]
    })
    this.ask('resume', { groups })
  }

  /** At rest: it has received everything that it should. @throws Violation */
  complete(): void {
    if (this.phase !== 'connected') return
    const first = this.unanswered[0]
    if (first) throw new Violation(`${this}: ${first.request.event} has no answer`)
    for (const groupId of this.#oracle.groupIds) {
      const group = this.#oracle.group(groupId)
      const view = this.#views.get(groupId)
      const isMember = group?.members.has(this.userId) ?? false
      if (isMember && (!view || view.ended)) throw new Violation(`${this} does not receive ${groupId}`)
      if (!isMember && view && !view.ended)
        throw new Violation(`${this} was not notified that it left ${groupId}`)
      if (!isMember || !view) continue
      this.#nothingBetween(groupId, view.live, group?.lastSeq ?? 0)
      if (view.live > (group?.lastSeq ?? 0)) throw new Violation(`${this} got no gap of ${groupId}`)
    }
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
    if (userId !== this.userId) this.#seen.set(userId, status)
  }

  #connected(event: Extract<Event, { event: 'connected' }>): void {
    if (this.phase !== 'connecting') throw new Violation(`${this} was connected twice`)
    this.phase = 'connected'
    this.#connectedAt = this.#world.scheduler.elapsed
    this.#oracle.people.connected(this.userId)
    for (const { group, lastSeq } of event.fields.groups) {
      const view = { baseline: lastSeq, live: lastSeq, ended: false, listed: true, replay: null }
      this.#views.set(group.groupId, view)
    }
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
    if (asked.request.event === 'resume') this.#resumed(asked.request.fields.groups, answer)
    this.#watcher.answered(this, asked, answer)
  }

  #resuming(groups: readonly (readonly [string, number])[]): void {
    for (const [groupId, lastSeq] of groups) {
      const view = this.#views.get(groupId)
      if (view) view.replay = { at: lastSeq, phase: 'asked' }
    }
  }

  #resumed(groups: readonly (readonly [string, number])[], answer: Event): void {
    for (const [groupId] of groups) {
      const view = this.#views.get(groupId)
      const outcome = answer.event === 'resumed' ? answer.fields.groups.find(([id]) => id === groupId) : null
      if (!view?.replay) continue
      if (answer.event !== 'resumed') view.replay.phase = 'refused'
      if (!outcome) continue
      if (!outcome[2]) {
        if (this.#world.disk.failedReads === 0) throw new Violation(`${this} did not get all of ${groupId}`)
        // It reads the history in pages instead.
        view.replay = { at: outcome[1], phase: 'done' }
        continue
      }
      this.#nothingBetween(groupId, view.replay.at, outcome[1])
      view.replay.phase = 'done'
    }
  }

  #durable(event: Event): void {
    const seq = seqOf(event)
    const groupId = event.event === 'new_message' ? event.fields.message.groupId : groupIdOf(event)
    const known = this.#views.get(groupId)
    const where = `${groupId}:${seq} (${event.event})`
    const real = this.#oracle.event(groupId, seq)
    if (real?.event !== event.event) throw new Violation(`${this} received ${where}, which is not in the log`)
    if (!this.#oracle.mayBeShown(groupId, seq))
      throw new Violation(`${this} received ${where} before it is committed`)
    if (known?.ended && this.#isBack(known, event)) known.ended = false
    if (!known || (known.ended && seq > known.live)) {
      if (!this.#joinsMe(event)) throw new Violation(`${this} received ${where}, of a group it is not in`)
      // A replay in progress continues, up to where the user rejoined.
      const replay = known?.replay ?? null
      // The status of other members may have changed before its front was linked.
      if (this.front) this.#seen.clear()
      this.#views.set(groupId, { baseline: seq - 1, live: seq, ended: false, listed: false, replay })
      return
    }
    // After a user leaves, their status may no longer arrive; after they join, it has not arrived yet.
    if (event.event === 'user_left_group' || event.event === 'user_joined_group') {
      if (event.fields.userId === this.userId) this.#seen.clear()
      else this.#seen.delete(event.fields.userId)
    }
    if (seq > known.baseline) {
      if (seq <= known.live) throw new Violation(`${this} received ${where} after ${known.live}`)
      this.#nothingBetween(groupId, known.live, seq - 1)
      known.live = seq
      if (this.#ends(event)) {
        known.ended = true
        for (const who of this.typing) if (who.startsWith(`${groupId} `)) this.typing.delete(who)
      }
      return
    }
    const { replay } = known
    if (replay?.phase !== 'asked') throw new Violation(`${this} received ${where} again`)
    if (seq <= replay.at) throw new Violation(`${this} received a replay of ${where} after ${replay.at}`)
    this.#nothingBetween(groupId, replay.at, seq - 1)
    replay.at = seq
  }

  /** GAP-1: whether a crash took the event by which the user left. */
  #isBack(view: View, event: Event): boolean {
    if (event.event !== 'gap' || !this.front) return false
    const { groupId, seq, from, to } = event.fields
    return from <= view.live && view.live <= to && this.#oracle.memberAt(groupId, seq, this.userId)
  }

  /** Whether it receives nothing of the group after the event. */
  #ends(event: Event): boolean {
    if (event.event === 'user_left_group') return event.fields.userId === this.userId
    // GAP-1: a crash took the event by which the user joined.
    if (event.event !== 'gap' || !this.front) return false
    return !this.#oracle.memberAt(event.fields.groupId, event.fields.seq, this.userId)
  }

  #joinsMe(event: Event): boolean {
    if (event.event === 'user_joined_group') return event.fields.userId === this.userId
    return (
      event.event === 'group_created' &&
      (event.fields.group.members ?? []).some(({ userId }) => userId === this.userId)
    )
  }

  #nothingBetween(groupId: string, after: number, upTo: number): void {
    const [missed] = this.#oracle.events(groupId, after, upTo)
    if (missed) throw new Violation(`${this} did not get ${groupId}:${missed[0]} (${missed[1].event})`)
  }
}

function groupIdOf({ fields }: Event): string {
  return 'groupId' in fields && typeof fields.groupId === 'string' ? fields.groupId : ''
}
