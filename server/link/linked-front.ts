/**
 * Linked front: one front, as the process of the engine sees it over its link.
 *
 * It opens the sessions of the front at the engine's gateway, passes their frames on and sends back what the
 * engine sends. An event of a topic crosses once for all sessions of the front. After an interruption the
 * front names its topics and sessions: each topic is silent until the engine has sent what was missed
 * (RES-1). What the front sends is checked: `take` throws for anything that a front does not send, which ends
 * the link. Bounded by the front's sessions; the link bounds what is not sent.
 */
import { seqBytes } from '../../engine/base/seq-bytes.ts'
import { durableTwin } from '../../engine/base/topics.ts'
import type {
  Continued,
  EarlierSession,
  EngineGateway,
  Front,
  Identity,
  SessionPort,
  SubscriberChange,
} from '../../engine/hub/gateway.ts'
import { checkIdentity } from '../../engine/hub/identity.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { ServerLogger } from '../logger.ts'
import type { ServedEngine } from '../served-engine.ts'
import { EngineCalls } from './engine-calls.ts'
import { LinkError } from './link-error.ts'
import { ToEngine, ToFront, u32 } from './link-records.ts'
import { LinkedPort } from './linked-port.ts'
import { readNamedSession, readNamedTopics } from './named.ts'
import { packed, unpacked, unpackedFields } from './packed.ts'
import type { SessionLimits } from './session-limits.ts'
import type { StatusWait, WaitedFor } from './status-wait.ts'

/** What sends to the front: a link. */
export type PushRecord = (kind: number, number: number, id?: Uint8Array, body?: Uint8Array) => void

/** An engine that serves fronts. */
export interface LinkableEngine extends ServedEngine {
  readonly gateway: EngineGateway
}

export interface LinkedFrontDeps {
  readonly engine: LinkableEngine
  readonly limits: SessionLimits | undefined
  readonly logger: ServerLogger
  readonly push: PushRecord
  readonly onNotice: (notice: unknown) => void
  /** The front did not connect in time: others may have seen users of its sessions go offline. */
  readonly wasGivenUp: () => boolean
  /** The sessions of earlier links are open again. */
  readonly onSettled: () => void
  /** Holds requests for the status of users while fronts continue. */
  readonly statusWait: StatusWait
}

/** A topic that the front has named, and how its subscribers changed since. */
interface NamedSubscribers {
  readonly groupId: string
  readonly seq: number
  readonly changes: SubscriberChange[]
}

export class LinkedFront implements Front, WaitedFor {
  readonly #deps: LinkedFrontDeps
  readonly #gateway: EngineGateway
  readonly #calls: EngineCalls
  readonly #ports = new Map<number, LinkedPort>()
  /** The topics that its sessions subscribe to, and the numbers that stand for them. */
  readonly #topics = new Map<string, number>()
  #lastTopic = 0
  /** Topics that have not continued yet: nothing is published there. */
  readonly #silent = new Set<string>()
  /** Sessions of earlier links that the engine has not continued yet. */
  readonly #reopening = new Set<LinkedPort>()
  /** By silent topic, the sessions that left it meanwhile. */
  readonly #leaving = new Map<string, number[]>()
  #isSettled = false
  /** Whether every shard knows the blocks of all users; before that nothing is published that is not durable. */
  #isLive = false
  #hadEngine = false
  /** What the front has named, and how its subscribers changed since; until it has named all sessions. */
  readonly #named = new Map<number, NamedSubscribers>()
  #paused = false
  #isLeaving = false

  constructor(deps: LinkedFrontDeps) {
    this.#deps = deps
    this.#gateway = deps.engine.gateway
    this.#calls = new EngineCalls(deps)
  }

  /** The number of open sessions. */
  get sessions(): number {
    return this.#ports.size
  }

  /** Whether the front has stopped to send requests, and every one is answered. */
  get isIdle(): boolean {
    if (!this.#paused || this.#calls.running > 0) return false
    for (const port of this.#ports.values()) if (port.unanswered > 0) return false
    return true
  }

  /** Whether all sessions of earlier links are continued. */
  get isComplete(): boolean {
    return this.#isLive
  }

  /** Whether the front has named a session of an earlier link. */
  get hadEngine(): boolean {
    return this.#hadEngine
  }

  /** Whether the front has said that it ends. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Handles a record of the front. @throws Error if it is not one */
  take(kind: number, number: number, id: Uint8Array, body: Uint8Array): void {
    switch (kind) {
      case ToEngine.frame:
        return this.#ports.get(number)?.received(body)
      case ToEngine.open:
        return this.#open(number, (port) => port.open(this.#gateway, identityOf(body)))
      case ToEngine.reopen: {
        const { identity, earlier } = this.#earlier(body)
        this.#hadEngine = true
        return this.#open(number, (port) => {
          port.reopen(this.#gateway, identity, earlier)
          this.#reopening.add(port)
        })
      }
      case ToEngine.closed:
        this.#close(number)
        return this.#deps.push(ToFront.ended, number)
      case ToEngine.renew: {
        const port = this.#ports.get(number)
        if (port) this.#gateway.renew(port.session, identityOf(body))
        return
      }
      case ToEngine.drained:
        return this.#ports.get(number)?.drained(Buffer.from(id).readUInt32LE(0))
      case ToEngine.call:
        return void this.#call(number, Buffer.from(id).toString('latin1'), unpacked(body))
      case ToEngine.notice:
        return this.#deps.onNotice(unpacked(body))
      case ToEngine.topics:
        return this.#continue(body)
      case ToEngine.settled:
        return this.#settle()
      case ToEngine.leaving:
        this.#isLeaving = true
        return
      case ToEngine.paused:
        this.#paused = true
        return
      default:
        throw new LinkError(`a record of an unknown kind (${kind})`)
    }
  }

  /** The link has ended: the sessions stay until `end`, and what is sent to them is lost. */
  detach(): void {
    for (const port of this.#ports.values()) port.detach()
    this.#reopening.clear()
    this.#gateway.removeFront(this)
    void this.#calls.end()
  }

  /** Closes the sessions: the front has opened them again, or it does not connect again. */
  end(): void {
    for (const number of [...this.#ports.keys()]) this.#close(number)
  }

  // Front, called by the engine

  publish(topic: string, frame: Uint8Array, except?: SessionPort): void {
    const durable = durableTwin(topic)
    const number = this.#topics.get(durable)
    if (number === undefined || !this.isLive(durable)) return
    const isOwn = except instanceof LinkedPort && except.front === this
    this.#deps.push(ToFront.publish, number, isOwn ? u32((except as LinkedPort).number) : undefined, frame)
  }

  isLive(topic: string): boolean {
    return this.#isLive && !this.#isSilent(topic)
  }

  show(topic: string, seq: number, frame: Uint8Array): void {
    if (!this.#isSilent(topic)) this.showMissed(topic, seq, frame)
  }

  showMissed(topic: string, seq: number, frame: Uint8Array): void {
    const number = this.#topics.get(topic)
    if (number !== undefined) this.#deps.push(ToFront.show, number, seqBytes([seq]), frame)
  }

  continued(topic: string, how: Continued): void {
    this.#silent.delete(topic)
    for (const session of this.#leaving.get(topic) ?? []) this.unsubscribe(session, topic)
    this.#leaving.delete(topic)
    if (this.#isSettled) this.#gateway.releaseTopic(this, topic)
    const number = this.#topics.get(topic)
    if (number === undefined) return
    if (how === 'lost') this.#deps.push(ToFront.lost, number)
    if (how === 'none') this.changeSubscribers(topic, { only: [] })
  }

  changeSubscribers(topic: string, change: SubscriberChange): void {
    const number = this.#topics.get(topic)
    if (number === undefined) return
    this.#named.get(number)?.changes.push(change)
    this.#deps.push(ToFront.changeSubscribers, number, Buffer.from(topic, 'latin1'), packed(change))
  }

  userLeft(topic: string, userId: string): void {
    // Of a silent topic the group sends the change after the event by which they left.
    if (!this.#isSettled && !this.#isSilent(topic)) this.changeSubscribers(topic, { left: userId })
  }

  left(topic: string): void {
    this.#topics.delete(topic)
  }

  // Called by the ports

  /** The engine has continued the session. */
  reopened(port: LinkedPort): void {
    if (this.#reopening.delete(port)) this.#continuedMore()
  }

  /** The number of a topic that a session of the front subscribes to. */
  topicNumber(topic: string): number {
    let number = this.#topics.get(topic)
    if (number === undefined) {
      this.#lastTopic = (this.#lastTopic + 1) >>> 0
      number = this.#lastTopic
      this.#topics.set(topic, number)
    }
    return number
  }

  /** Unsubscribes a session; from a topic that is silent once it has received what it missed before it left. */
  unsubscribe(session: number, topic: string): void {
    if (!this.#isSilent(topic)) {
      this.#deps.push(ToFront.unsubscribe, session, u32(this.topicNumber(topic)))
      return
    }
    const others = this.#leaving.get(topic)
    if (others) others.push(session)
    else this.#leaving.set(topic, [session])
  }

  #settle(): void {
    this.#isSettled = true
    for (const { groupId } of this.#named.values()) {
      const topic = `g:${groupId}`
      if (!this.#isSilent(topic)) this.#gateway.releaseTopic(this, topic)
    }
    this.#named.clear()
    this.#deps.onSettled()
    this.#continuedMore()
  }

  /** Until a session is continued, its user's blocks and the groups that they have left are not known. // PRV-1 */
  #continuedMore(): void {
    if (!this.#isSettled || this.#reopening.size > 0) return
    this.#gateway.settleFront(this, () => {
      this.#isLive = true
      this.#deps.statusWait.check()
    })
  }

  #isSilent(topic: string): boolean {
    return this.#silent.size > 0 && this.#silent.has(topic)
  }

  #open(number: number, open: (port: LinkedPort) => void): void {
    if (this.#ports.has(number)) throw new LinkError(`session ${number} was opened twice`)
    const port = new LinkedPort(this, number, this.#deps)
    this.#ports.set(number, port)
    try {
      open(port)
    } catch (error) {
      this.#ports.delete(number)
      if (!(error instanceof ChatError)) throw error
      this.#deps.push(ToFront.close, number, Buffer.from('try_later'))
    }
  }

  #close(number: number): void {
    const port = this.#ports.get(number)
    if (!port) return
    this.#ports.delete(number)
    port.ended(this.#gateway)
    this.reopened(port)
  }

  #continue(body: Uint8Array): void {
    const topics = readNamedTopics(body)
    for (const [number, groupId, seq] of topics) {
      const topic = `g:${groupId}`
      if (this.#topics.has(topic) || this.#named.has(number)) throw new LinkError('a topic was named twice')
      this.#topics.set(topic, number)
      this.#lastTopic = Math.max(this.#lastTopic, number)
      this.#silent.add(topic)
      this.#named.set(number, { groupId, seq, changes: [] })
    }
    const interrupted = topics.map(([, groupId, seq, inDoubt]) => [groupId, seq, inDoubt] as const)
    this.#gateway.continueTopics(this, interrupted)
  }

  /** A session of an earlier link, with the topics to which its user is subscribed by now. */
  #earlier(body: Uint8Array): { identity: Identity; earlier: EarlierSession } {
    const { identity, topics, baselines, missed } = readNamedSession(body)
    const subscribed: [string, number][] = []
    const { userId } = identity
    for (const number of topics) {
      const named = this.#named.get(number)
      if (!named) throw new LinkError(`topic ${number} was not named`)
      const isSubscribed = named.changes.reduce((is, change) => isSubscribedAfter(change, userId, is), true)
      if (isSubscribed) subscribed.push([named.groupId, named.seq])
    }
    return { identity, earlier: { subscribed, baselines, missed, wasGivenUp: this.#deps.wasGivenUp() } }
  }

  async #call(number: number, name: string, args: unknown): Promise<void> {
    const { push, logger } = this.#deps
    try {
      if (!Array.isArray(args)) throw new ChatError('bad_request')
      push(ToFront.answer, number, undefined, packed((await this.#calls.run(name, args)) ?? null))
    } catch (error) {
      if (!(error instanceof ChatError)) logger.error({ err: error, call: name }, 'a call of a front failed')
      push(ToFront.refusal, number, undefined, packed(ChatError.from(error).toFields()))
    }
  }
}

/** Whether a user is subscribed after a change. */
function isSubscribedAfter(change: SubscriberChange, userId: string, before: boolean): boolean {
  if ('left' in change) return before && change.left !== userId
  if ('joined' in change) return before || change.joined === userId
  return before && change.only.includes(userId)
}

/** @throws ChatError or Error */
function identityOf(body: Uint8Array): Identity {
  return checkIdentity(unpackedFields(body) as unknown as Identity)
}
