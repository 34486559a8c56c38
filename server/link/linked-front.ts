/**
 * Linked front: one front, as the process of the engine sees it over its link.
 *
 * It opens the sessions of the front at the engine's gateway, passes their frames on and sends back what the
 * engine sends. An event of a topic crosses once for all sessions of the front. What the front sends is
 * checked: `take` throws for anything that a front does not send, which ends the link. When the link ends all
 * its sessions are closed. Bounded by the front's sessions; the link bounds what is not sent.
 */
import type { Front, Gateway, Identity, SessionPort } from '../../engine/hub/gateway.ts'
import { checkIdentity } from '../../engine/hub/identity.ts'
import type { CloseReason } from '../../protocol/close-codes.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { viewFrame } from '../../protocol/frame-view.ts'
import { refOf } from '../frame-ref.ts'
import type { ServerLogger } from '../logger.ts'
import type { ServedEngine } from '../served-engine.ts'
import { EngineCalls } from './engine-calls.ts'
import { LinkError } from './link-error.ts'
import { SEQ_BYTES, ToEngine, ToFront, u32 } from './link-records.ts'
import { packed, unpacked, unpackedFields } from './packed.ts'
import type { SessionLimits } from './session-limits.ts'

/** What sends to the front: a link. */
export type PushRecord = (kind: number, number: number, id?: Uint8Array, body?: Uint8Array) => void

export interface LinkedFrontDeps {
  readonly engine: ServedEngine
  readonly limits: SessionLimits | undefined
  readonly logger: ServerLogger
  readonly push: PushRecord
  readonly onNotice: (notice: unknown) => void
}

export class LinkedFront implements Front {
  readonly #deps: LinkedFrontDeps
  readonly #gateway: Gateway
  readonly #calls: EngineCalls
  readonly #ports = new Map<number, LinkedPort>()
  /** The topics that its sessions subscribe to, and the numbers that stand for them. */
  readonly #topics = new Map<string, number>()
  #lastTopic = 0

  constructor(deps: LinkedFrontDeps) {
    this.#deps = deps
    this.#gateway = deps.engine.gateway
    this.#calls = new EngineCalls(deps)
  }

  /** The number of open sessions. */
  get sessions(): number {
    return this.#ports.size
  }

  /** Requests and calls that are not answered yet. */
  get unanswered(): number {
    let sum = this.#calls.running
    for (const port of this.#ports.values()) sum += port.unanswered
    return sum
  }

  /** Handles a record of the front. @throws Error if it is not one */
  take(kind: number, number: number, id: Uint8Array, body: Uint8Array): void {
    switch (kind) {
      case ToEngine.frame:
        return this.#ports.get(number)?.received(body)
      case ToEngine.open:
        return this.#open(number, identityOf(body))
      case ToEngine.closed:
        return this.#close(number)
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
      default:
        throw new LinkError(`a record of an unknown kind (${kind})`)
    }
  }

  /** The link has ended: closes the sessions and files. */
  end(): void {
    for (const number of [...this.#ports.keys()]) this.#close(number)
    void this.#calls.end()
  }

  // Front, called by the engine

  publish(topic: string, frame: Uint8Array, except?: SessionPort): void {
    const number = this.#topics.get(topic) ?? this.#topics.get(`g${topic.slice(1)}`)
    if (number === undefined) return
    const other = except instanceof LinkedPort && except.front === this ? u32(except.number) : undefined
    const kind = topic.startsWith('g') ? ToFront.show : ToFront.publish
    this.#deps.push(kind, number, kind === ToFront.show ? Buffer.alloc(SEQ_BYTES) : other, frame)
  }

  left(topic: string): void {
    this.#topics.delete(topic)
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

  #open(number: number, identity: Identity): void {
    if (this.#ports.has(number)) throw new LinkError(`session ${number} was opened twice`)
    const port = new LinkedPort(this, number, this.#deps)
    this.#ports.set(number, port)
    try {
      port.open(this.#gateway, identity)
    } catch (error) {
      this.#ports.delete(number)
      if (!(error instanceof ChatError)) this.#deps.logger.error({ err: error }, 'no session was opened')
      port.close('try_later')
    }
  }

  #close(number: number): void {
    const port = this.#ports.get(number)
    if (!port) return
    this.#ports.delete(number)
    port.ended(this.#gateway)
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

/** A session of a front. */
class LinkedPort implements SessionPort {
  readonly front: LinkedFront
  readonly number: number
  readonly #deps: LinkedFrontDeps
  session = 0
  #limited: unknown
  #opened = false
  /** Frames that are not answered yet. */
  unanswered = 0
  #questions: Map<number, () => void> | null = null
  #lastQuestion = 0

  constructor(front: LinkedFront, number: number, deps: LinkedFrontDeps) {
    this.front = front
    this.number = number
    this.#deps = deps
  }

  /** @throws ChatError */
  open(gateway: Gateway, identity: Identity): void {
    this.session = gateway.open(identity, this)
    this.#opened = true
    this.#limited = this.#deps.limits?.opened(identity.userId, (reason) => this.close(reason))
  }

  /** The connection is closed. */
  ended(gateway: Gateway): void {
    if (!this.#opened) return
    gateway.closed(this.session)
    this.#deps.limits?.closed(this.#limited)
  }

  /** @throws LinkError if it is not a frame */
  received(frame: Uint8Array): void {
    const view = viewFrame(frame)
    if (!view) throw new LinkError('a frame that does not start like a request')
    this.unanswered += 1
    try {
      this.#deps.limits?.received(this.#limited, view, frame.length)
      this.#deps.engine.gateway.receive(this.session, frame, view)
    } catch (error) {
      if (!(error instanceof ChatError)) this.#deps.logger.error({ err: error }, 'handling a frame failed')
      this.send(encodeEvent('error', view.ref, ChatError.from(error).toFields()))
    }
  }

  drained(question: number): void {
    const then = this.#questions?.get(question)
    this.#questions?.delete(question)
    then?.()
  }

  // SessionPort, called by the engine

  send(frame: Uint8Array): void {
    if (refOf(frame) !== 0 && this.unanswered > 0) this.unanswered -= 1
    this.#deps.push(ToFront.send, this.number, undefined, frame)
  }

  subscribe(topic: string): void {
    const body = Buffer.alloc(4 + SEQ_BYTES)
    body.writeUInt32LE(this.front.topicNumber(topic))
    this.#deps.push(ToFront.subscribe, this.number, Buffer.from(topic), body)
  }

  unsubscribe(topic: string): void {
    this.#deps.push(ToFront.unsubscribe, this.number, u32(this.front.topicNumber(topic)))
  }

  close(reason: CloseReason): void {
    this.#deps.push(ToFront.close, this.number, Buffer.from(reason))
  }

  countMalformed(): void {
    this.#deps.push(ToFront.malformed, this.number)
  }

  whenDrained(then: () => void): void {
    this.#lastQuestion = (this.#lastQuestion + 1) >>> 0
    this.#questions ??= new Map()
    this.#questions.set(this.#lastQuestion, then)
    this.#deps.push(ToFront.whenDrained, this.number, u32(this.#lastQuestion))
  }
}

/** @throws ChatError or Error */
function identityOf(body: Uint8Array): Identity {
  return checkIdentity(unpackedFields(body) as unknown as Identity)
}
