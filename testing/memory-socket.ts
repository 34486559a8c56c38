/**
 * Memory socket: a WebSocket of `ChatClient` that ends at an engine in the same process, without network,
 * server or token. The token is the identity of the user as JSON.
 *
 * Frames arrive in the order in which they were sent, in a later microtask. It has what the client uses
 * of a WebSocket, nothing else.
 */
import { ephemeralTwin } from '../engine/base/topics.ts'
import type { Gateway, Identity, Publisher, SessionPort } from '../engine/hub/gateway.ts'
import { type CloseReason, closeCodes } from '../protocol/close-codes.ts'
import { decodeRequest, encodeEvent } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import { viewFrame } from '../protocol/frame-view.ts'

/** The connection broke: no close frame was received. */
const ABNORMAL = 1_006

export class MemorySocket {
  binaryType = 'arraybuffer'
  onopen: (() => void) | null = null
  onmessage: ((event: { readonly data: ArrayBuffer }) => void) | null = null
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null
  onerror: ((event: { readonly message: string }) => void) | null = null
  readonly #gateway: Gateway
  readonly #port: Port
  readonly #onEnd: (socket: MemorySocket) => void
  readonly #removePublisher: () => void
  #session: number | null = null
  #isOpen = true
  /** The user, once the client has sent `authenticate`. */
  userId = ''

  /** `onEnd` is called once, when either side has closed it. */
  constructor(gateway: Gateway, onEnd: (socket: MemorySocket) => void) {
    this.#gateway = gateway
    this.#onEnd = onEnd
    this.#port = new Port(
      (frame) => this.#deliver(frame),
      (reason) => this.#ended(closeCodes[reason].code, closeCodes[reason].meaning),
    )
    this.#removePublisher = gateway.addPublisher(this.#port)
    // After the client has set its handlers.
    setImmediate(() => this.onopen?.())
  }

  send(bytes: Uint8Array): void {
    const frame = bytes.slice()
    queueMicrotask(() => {
      if (this.#isOpen) this.#receive(frame)
    })
  }

  /** Closed by the client, which is not notified. */
  close(): void {
    this.onclose = null
    this.#ended(ABNORMAL, '')
  }

  /** Breaks the connection, as a network does. */
  cut(): void {
    this.#ended(ABNORMAL, '')
  }

  #receive(frame: Uint8Array): void {
    const view = viewFrame(frame)
    try {
      if (!view) throw new ChatError('bad_request')
      if (this.#session === null) this.#authenticate(frame)
      else this.#gateway.receive(this.#session, frame, view)
    } catch (error) {
      if (this.#session === null) this.#port.close('unauthenticated')
      else this.#deliver(encodeEvent('error', view?.ref ?? 0, ChatError.from(error).toFields()))
    }
  }

  #authenticate(frame: Uint8Array): void {
    const { event, fields } = decodeRequest(frame)
    if (event !== 'authenticate') throw new ChatError('unauthenticated')
    const identity = JSON.parse(fields.token) as Identity
    this.userId = identity.userId
    this.#session = this.#gateway.open(identity, this.#port)
  }

  #deliver(frame: Uint8Array): void {
    // The bytes are the engine's.
    const data = Uint8Array.from(frame).buffer
    queueMicrotask(() => {
      if (this.#isOpen) this.onmessage?.({ data })
    })
  }

  #ended(code: number, reason: string): void {
    queueMicrotask(() => {
      if (!this.#isOpen) return
      this.#isOpen = false
      this.#removePublisher()
      if (this.#session !== null) this.#gateway.closed(this.#session)
      this.#onEnd(this)
      this.onclose?.({ code, reason })
    })
  }
}

/** The engine's end. */
class Port implements SessionPort, Publisher {
  readonly send: (frame: Uint8Array) => void
  readonly close: (reason: CloseReason) => void
  readonly #topics = new Set<string>()

  constructor(send: (frame: Uint8Array) => void, close: (reason: CloseReason) => void) {
    this.send = send
    this.close = close
  }

  publish(topic: string, frame: Uint8Array, except?: SessionPort): void {
    if (except !== this && this.#topics.has(topic)) this.send(frame)
  }

  subscribe(topic: string): void {
    for (const name of [topic, ephemeralTwin(topic)]) this.#topics.add(name)
  }

  unsubscribe(topic: string): void {
    for (const name of [topic, ephemeralTwin(topic)]) this.#topics.delete(name)
  }

  whenDrained(then: () => void): void {
    // The client handles each frame as it arrives: there is nothing to wait for.
    queueMicrotask(then)
  }
}
