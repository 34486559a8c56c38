/**
 * Linked port: a session of a front, as the engine uses it. Everything that is sent to it becomes a record.
 */
import { addressOf, SEQ_BYTES, withSeq } from '../../engine/base/seq-bytes.ts'
import type { EarlierSession, EngineGateway, Identity, SessionPort } from '../../engine/hub/gateway.ts'
import type { CloseReason } from '../../protocol/close-codes.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type FrameView, viewFrame } from '../../protocol/frame-view.ts'
import { refOf } from '../frame-ref.ts'
import { LinkError } from './link-error.ts'
import { ToFront, u32 } from './link-records.ts'
import type { LinkedFront, LinkedFrontDeps } from './linked-front.ts'

export class LinkedPort implements SessionPort {
  readonly front: LinkedFront
  readonly number: number
  readonly #deps: LinkedFrontDeps
  session = 0
  /** Requests with a ref that are not answered yet. */
  unanswered = 0
  #limited: unknown
  #isLimited = false
  #questions: Map<number, () => void> | null = null
  #lastQuestion = 0

  constructor(front: LinkedFront, number: number, deps: LinkedFrontDeps) {
    this.front = front
    this.number = number
    this.#deps = deps
  }

  /** @throws ChatError */
  open(gateway: EngineGateway, identity: Identity): void {
    this.session = gateway.open(identity, this)
    this.#limit(identity.userId, false)
  }

  /** @throws ChatError */
  reopen(gateway: EngineGateway, identity: Identity, earlier: EarlierSession): void {
    this.session = gateway.reopen(identity, this, earlier)
    this.#limit(identity.userId, true)
  }

  /** The link has ended: the session counts no more. */
  detach(): void {
    if (this.#isLimited) this.#deps.limits?.closed(this.#limited)
    this.#isLimited = false
    this.#questions = null
  }

  /** The connection is closed. */
  ended(gateway: EngineGateway): void {
    gateway.closed(this.session)
    this.detach()
  }

  /** @throws LinkError if it is not a frame */
  received(frame: Uint8Array): void {
    const view = viewFrame(frame)
    if (!view) throw new LinkError('a frame that does not start like a request')
    if (view.ref !== 0) this.unanswered += 1
    try {
      this.#deps.limits?.received(this.#limited, view, frame.length)
    } catch (error) {
      return this.#refuse(view, error)
    }
    if (!this.#deps.statusWait.holds(view.row)) return this.#pass(frame, view)
    const held = Uint8Array.from(frame)
    this.#deps.statusWait.add(() => this.#pass(held, view))
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

  sendMissed(topic: string, seq: number, frame: Uint8Array, replayed: boolean): void {
    const kind = replayed ? ToFront.replayed : ToFront.missed
    this.#deps.push(kind, this.number, withSeq(addressOf(topic), seq), frame)
  }

  subscribe(topic: string, seq = 0): void {
    const body = Buffer.allocUnsafe(4 + SEQ_BYTES)
    body.writeUInt32LE(this.front.topicNumber(topic))
    body.writeUIntLE(seq, 4, SEQ_BYTES)
    this.#deps.push(ToFront.subscribe, this.number, Buffer.from(topic, 'latin1'), body)
  }

  unsubscribe(topic: string): void {
    this.front.unsubscribe(this.number, topic)
  }

  attaching(groups: Uint8Array): void {
    this.#deps.push(ToFront.attaching, this.number, undefined, groups)
  }

  reopened(): void {
    this.front.reopened(this)
    this.#deps.push(ToFront.reopened, this.number)
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

  #pass(frame: Uint8Array, view: FrameView): void {
    try {
      this.#deps.engine.gateway.receive(this.session, frame, view)
    } catch (error) {
      this.#refuse(view, error)
    }
  }

  #refuse({ ref }: FrameView, error: unknown): void {
    if (!(error instanceof ChatError)) this.#deps.logger.error({ err: error }, 'handling a frame failed')
    this.send(encodeEvent('error', ref, ChatError.from(error).toFields()))
  }

  #limit(userId: string, isContinued: boolean): void {
    this.#isLimited = true
    this.#limited = this.#deps.limits?.opened(userId, (reason) => this.close(reason), isContinued)
  }
}
