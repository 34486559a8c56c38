/**
 * Linked gateway: the engine's gateway, in the process of a front.
 *
 * Connections use it like the gateway of an engine in their process. Frames are appended to the batch for
 * the engine, undecoded; what the engine sends is passed to the ports of the connections and, for topics, to
 * the publishers, once for each event. When the link breaks no connection is closed (RES-1): requests wait,
 * and over the next link the front names its topics, then its sessions, `AT_ONCE` at a time; each makes its requests
 * once the engine has continued it. A durable event that was passed on before is dropped by its seq.
 */
import { ascii } from '../../engine/base/ascii.ts'
import { overloaded } from '../../engine/base/refusals.ts'
import { SEQ_BYTES, seqAt } from '../../engine/base/seq-bytes.ts'
import { ephemeralTwin } from '../../engine/base/topics.ts'
import type { Gateway, Identity, Publisher, SessionPort, SubscriberChange } from '../../engine/hub/gateway.ts'
import { checkIdentity } from '../../engine/hub/identity.ts'
import { SendRun } from '../../engine/hub/send-run.ts'
import { type CloseReason, closeCodes } from '../../protocol/close-codes.ts'
import { events } from '../../protocol/events.ts'
import { codeOf } from '../../protocol/frame-head.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import { refOf } from '../frame-ref.ts'
import { type FrontSession, FrontSessions } from './front-sessions.ts'
import type { Link } from './link.ts'
import { LinkError } from './link-error.ts'
import { type NamedSession, ToEngine, ToFront } from './link-records.ts'
import { packed, unpacked } from './packed.ts'
import { WaitingRequests } from './waiting-requests.ts'

/** Above this many unsent bytes the engine does not keep up: requests are refused. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024
/** Sessions that the engine continues at the same time. */
const AT_ONCE = 256
const TOPICS_AT_ONCE = 1_000
/** A client sends `resume` soon after it has connected; until then its baselines are needed. */
const RESUME_WITHIN_MS = 30_000
const FORGET_EVERY_MS = 10_000
const CONNECTED_CODE: number = events.connected.code

/** What a gateway uses of its link. */
export type GatewayLink = Pick<Link, 'push' | 'pushBody' | 'unsentBytes'>

export interface LinkedGatewayDeps {
  readonly steadyNow: () => number
}

export class LinkedGateway implements Gateway {
  readonly #deps: LinkedGatewayDeps
  readonly #sessions: FrontSessions
  readonly #requests = new WaitingRequests()
  readonly #publishers = new Set<Publisher>()
  /** Frames for one connection that are sent together; ends with the records of one chunk. */
  readonly #run = new SendRun()
  #runEnds = false
  #link: GatewayLink | null = null
  /** The engine takes requests: it is linked and does not stop. */
  #isOpen = false
  /** Requests were refused because no link came in time; later ones are refused at once. */
  #expired = false
  /** Sessions that the engine does not know yet, while they are named. */
  #unnamed: Iterator<FrontSession> | null = null
  #reopening = 0
  #forgottenAtMs = 0

  constructor(deps: LinkedGatewayDeps) {
    this.#deps = deps
    this.#sessions = new FrontSessions(deps.steadyNow)
  }

  /** Requests without an answer, also those that wait for a link. */
  get unanswered(): number {
    return this.#requests.size
  }

  /** Whether all connections are live. */
  get isSettled(): boolean {
    return this.#isOpen && this.#unnamed === null && this.#reopening === 0
  }

  open(identity: Identity, port: SessionPort): number {
    const checked = checkIdentity(identity)
    if (this.#expired) throw overloaded()
    const session = this.#sessions.add(port, checked)
    if (this.#link && this.#isOpen && this.#unnamed === null) this.#openNew(this.#link, session)
    return session.number
  }

  receive(number: number, frame: Uint8Array, view: FrameView): void {
    const session = this.#sessions.get(number)
    if (!session) return
    const link = this.#link
    // A session is continued with its user's blocks, which requests depend on.
    if (!link || !this.#isOpen || !isKnown(session) || session.phase === 'reopening') {
      if (this.#expired) throw overloaded()
      this.#requests.hold(session, frame, view)
      return
    }
    if (link.unsentBytes > MAX_REQUEST_BYTES) throw overloaded()
    this.#requests.sent(session, link.pushBody(ToEngine.frame, number, frame), view)
  }

  renew(number: number, identity: Identity): void {
    const session = this.#sessions.get(number)
    if (!session) return
    session.identity = checkIdentity(identity)
    if (isKnown(session)) {
      this.#link?.push(ToEngine.renew, number, undefined, packed(session.identity))
    }
  }

  closed(number: number): void {
    const session = this.#sessions.get(number)
    if (!session || session.phase === 'closed') return
    this.#requests.drop(session)
    if (session.phase === 'new') return this.#sessions.remove(session)
    // Others may see its user online. If the link breaks now the next engine opens it once more, and closes it.
    if (isKnown(session)) this.#link?.push(ToEngine.closed, number)
    const { phase } = session
    session.phase = 'closed'
    this.#sessions.leaveAll(session)
    if (this.#link && phase === 'reopening') this.#reopened(this.#link)
  }

  addPublisher(publisher: Publisher): () => void {
    this.#publishers.add(publisher)
    return () => this.#publishers.delete(publisher)
  }

  /** The link is up: names what the engine must know. */
  linked(link: GatewayLink): void {
    this.#link = link
    this.#isOpen = true
    this.#expired = false
    this.#reopening = 0
    const topics = this.#sessions.renumber()
    for (let from = 0; from < topics.length; from += TOPICS_AT_ONCE) {
      link.push(ToEngine.topics, 0, undefined, packed(topics.slice(from, from + TOPICS_AT_ONCE)))
    }
    // Those that are opened meanwhile come last.
    this.#unnamed = this.#sessions.all()[Symbol.iterator]()
    this.#nameMore(link)
  }

  /** The link has ended: requests wait for the next one. */
  broken(): void {
    this.#link = null
    this.#isOpen = false
    this.#unnamed = null
    for (const session of this.#sessions.all()) {
      if (session.phase === 'opening') this.#sessions.reset(session)
      else if (isKnown(session)) session.phase = 'interrupted'
      this.#requests.interrupted(session)
    }
  }

  /** No link came in time: refuses what waits, and what comes until there is one. */
  expire(): void {
    this.#expired = true
    for (const session of this.#sessions.all()) this.#requests.expire(session)
  }

  /** Handles a record of the engine. @throws Error if it is not one */
  take(kind: number, number: number, id: Uint8Array, body: Uint8Array): void {
    if (kind === ToFront.send || kind === ToFront.missed || kind === ToFront.replayed) {
      const session = this.#sessions.get(number)
      if (session) this.#take(session, kind, id, body)
      return
    }
    if (this.#run.port) this.#run.end()
    switch (kind) {
      case ToFront.show:
        return this.#show(number, seqAt(id), body)
      case ToFront.publish: {
        const topic = this.#sessions.topic(number)
        const except = id.length === 0 ? undefined : this.#sessions.get(viewOf(id).readUInt32LE(0))?.port
        if (topic) this.#publish(ephemeralTwin(topic.name), body, except)
        return
      }
      case ToFront.subscribe: {
        const session = this.#sessions.get(number)
        const topic = viewOf(body).readUInt32LE(0)
        const seq = seqAt(body, 4)
        if (session) this.#sessions.subscribe(session, topic, ascii(id), seq)
        return
      }
      case ToFront.unsubscribe: {
        const session = this.#sessions.get(number)
        if (session) this.#sessions.unsubscribe(session, viewOf(id).readUInt32LE(0))
        return
      }
      case ToFront.changeSubscribers: {
        const change = unpacked(body) as SubscriberChange
        return this.#sessions.changeSubscribers(number, ascii(id), change)
      }
      case ToFront.lost:
        for (const { port } of this.#sessions.subscribers(number)) port.close('failed')
        return
      case ToFront.attaching: {
        const session = this.#sessions.get(number)
        if (!session) return
        session.attaching ??= []
        session.attaching.push(Uint8Array.from(body))
        session.changedAtMs = this.#deps.steadyNow()
        return
      }
      case ToFront.reopened: {
        const session = this.#sessions.get(number)
        if (!this.#link || session?.phase !== 'reopening') return
        session.phase = 'continued'
        if (this.#isOpen) this.#sendWaiting(this.#link, session)
        return this.#reopened(this.#link)
      }
      case ToFront.ended: {
        const session = this.#sessions.get(number)
        if (session?.phase === 'closed') this.#sessions.remove(session)
        return
      }
      case ToFront.pause:
        this.#isOpen = false
        this.#link?.push(ToEngine.paused, 0)
        return
      case ToFront.close:
        return this.#sessions.get(number)?.port.close(reasonOf(id))
      case ToFront.malformed:
        return this.#sessions.get(number)?.port.countMalformed?.()
      case ToFront.whenDrained: {
        const question = Uint8Array.from(id)
        const link = this.#link
        this.#sessions.get(number)?.port.whenDrained(() => link?.push(ToEngine.drained, number, question))
        return
      }
      default:
        throw new LinkError(`a record of an unknown kind (${kind})`)
    }
  }

  /** The next engine does not read what this one said about where groups began. */
  forgetAttaching(): void {
    for (const session of this.#sessions.all()) session.attaching = null
  }

  /**
   * Forgets where the groups of sessions began, and what they had received of groups, a while after they have
   * begun to receive them. Called with each heartbeat of the engine, about once a second.
   */
  sweep(): void {
    this.#sessions.settle()
    const now = this.#deps.steadyNow()
    if (now - this.#forgottenAtMs < FORGET_EVERY_MS) return
    this.#forgottenAtMs = now
    for (const session of this.#sessions.all()) {
      if (now - session.changedAtMs <= RESUME_WITHIN_MS || this.#requests.isResuming(session)) continue
      session.attaching = null
      session.missed = null
    }
  }

  #take(session: FrontSession, kind: number, id: Uint8Array, frame: Uint8Array): void {
    if (kind === ToFront.send) {
      const ref = refOf(frame)
      if (ref !== 0) this.#requests.answered(session, ref)
      if (session.phase === 'opening' && codeOf(frame) === CONNECTED_CODE) {
        session.phase = 'open'
        session.changedAtMs = this.#deps.steadyNow()
      }
    } else {
      const topic = ascii(id, SEQ_BYTES)
      if (kind === ToFront.missed && !this.#sessions.missed(session, topic, seqAt(id))) return
      if (kind === ToFront.replayed) {
        session.replayed ??= new Map()
        session.replayed.set(topic, seqAt(id))
      }
    }
    this.#run.add(session.port, frame)
    if (this.#runEnds) return
    this.#runEnds = true
    // The bytes stay as they are: the chunk in which they arrived is not used again.
    queueMicrotask(() => {
      this.#runEnds = false
      this.#run.end()
    })
  }

  #show(number: number, seq: number, frame: Uint8Array): void {
    const topic = this.#sessions.topic(number)
    if (topic && this.#sessions.publishes(topic, seq, frame)) this.#publish(topic.name, frame, undefined)
  }

  #publish(topic: string, frame: Uint8Array, except: SessionPort | undefined): void {
    for (const publisher of this.#publishers) publisher.publish(topic, frame, except)
  }

  /** One session less is reopening. */
  #reopened(link: GatewayLink): void {
    this.#reopening -= 1
    this.#nameMore(link)
  }

  #nameMore(link: GatewayLink): void {
    const unnamed = this.#unnamed
    if (!unnamed || !this.#isOpen) return
    while (this.#reopening < AT_ONCE) {
      const { value: session, done } = unnamed.next()
      if (done) {
        this.#unnamed = null
        link.push(ToEngine.settled, 0)
        return
      }
      this.#name(link, session)
    }
  }

  #name(link: GatewayLink, session: FrontSession): void {
    if (session.phase === 'new') return this.#openNew(link, session)
    if (isKnown(session)) return
    const { number, identity, topics, attaching, missed } = session
    const named: NamedSession = [
      identity as NamedSession[0],
      Array.from(topics, (topic) => topic.number),
      attaching ?? [],
      [...(missed ?? [])].map(([topic, seq]) => [topic.slice(2), seq] as const),
    ]
    link.push(ToEngine.reopen, number, undefined, packed(named))
    if (session.phase === 'closed') {
      link.push(ToEngine.closed, number)
      return
    }
    this.#reopening += 1
    session.phase = 'reopening'
  }

  #openNew(link: GatewayLink, session: FrontSession): void {
    link.push(ToEngine.open, session.number, undefined, packed(session.identity))
    session.phase = 'opening'
    this.#sendWaiting(link, session)
  }

  #sendWaiting(link: GatewayLink, session: FrontSession): void {
    for (const { frame } of this.#requests.resend(session)) {
      link.push(ToEngine.frame, session.number, undefined, frame)
    }
  }
}

/** Whether the engine at the other end of this link has been sent the session. */
function isKnown({ phase }: FrontSession): boolean {
  return phase === 'open' || phase === 'opening' || phase === 'reopening' || phase === 'continued'
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** @throws LinkError if the table of close codes does not have it */
function reasonOf(id: Uint8Array): CloseReason {
  const reason = ascii(id)
  if (!Object.hasOwn(closeCodes, reason)) throw new LinkError(`an unknown reason to close: ${reason}`)
  return reason as CloseReason
}
