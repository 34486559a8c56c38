/**
 * Session: a user of the engine in this process, with the same methods and events as a client behind a
 * socket. Its requests take the same path, as frames, and pass the same validation.
 */
import { AwaitedAnswers } from '../../protocol/awaited-answers.ts'
import { type CloseReason, closeCodes } from '../../protocol/close-codes.ts'
import { decodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type Event, type EventFields, type EventName, events } from '../../protocol/events.ts'
import { viewFrame } from '../../protocol/frame-view.ts'
import { Listeners } from '../../protocol/listeners.ts'
import {
  type Answer,
  type MethodRequest,
  type RequestMethods,
  requestMethods,
} from '../../protocol/methods.ts'
import { type RequestFields, requests } from '../../protocol/requests.ts'
import { ephemeralTwin } from '../base/topics.ts'
import type { SessionPort } from './gateway.ts'
import type { Hub } from './hub.ts'

/** Unanswered requests of one session; above it they are refused as `overloaded`. */
const MAX_PENDING = 10_000

/** Receives one kind of event. */
export type EventListener<N extends EventName> = (fields: EventFields<N>) => void

/**
 * A user of the engine, in this process: one method per request, and events.
 *
 * @example
 * ```ts
 * const bruno = await engine.connect({ userId: 'bruno' })
 * const stop = bruno.on('new_message', ({ message }) => log(message.content))
 * const { messages } = await bruno.getHistory({ groupId: 'team', limit: 50 })
 * stop()
 * bruno.close()
 * ```
 */
export interface Session extends RequestMethods {
  readonly userId: string
  /** The fields of `connected`: the state of the user's groups. */
  readonly connected: EventFields<'connected'>
  /** Calls `listener` for each such event; the returned function removes it. */
  on<N extends EventName>(event: N, listener: EventListener<N>): () => void
  /** Ends the session. Unanswered requests reject with `shutting_down`. */
  close(): void
}

/** The fields of each event, for its listeners. */
type FieldsByEvent = { readonly [N in EventName]: EventFields<N> }

/** Topics of the sessions in this process, and their subscribers. */
export class LocalTopics {
  readonly #listeners = new Map<string, Set<LocalPort>>()

  add(topic: string, port: LocalPort): void {
    const ports = this.#listeners.get(topic)
    if (ports) ports.add(port)
    else this.#listeners.set(topic, new Set([port]))
  }

  remove(topic: string, port: LocalPort): void {
    const ports = this.#listeners.get(topic)
    ports?.delete(port)
    if (ports?.size === 0) this.#listeners.delete(topic)
  }

  publish(topic: string, frame: Uint8Array, except?: SessionPort): void {
    const ports = this.#listeners.get(topic)
    if (!ports) return
    const event = decodeEvent(frame)
    if (event) for (const port of [...ports]) if (port !== except) port.receive(event)
  }
}

/** The port of an in-process session: decodes frames, and matches answers by ref. */
export class LocalPort implements SessionPort {
  readonly #topics: LocalTopics
  readonly #subscribed = new Set<string>()
  readonly #answers = new AwaitedAnswers(MAX_PENDING)
  readonly #listeners = new Listeners<FieldsByEvent>()
  #onEnd: (() => void) | null = null
  /** Why it has ended; later requests are refused with it. */
  #ended: ChatError | null = null
  /** Events that arrived before the opener of the session could add listeners. */
  #early: Event[] | null = []

  constructor(topics: LocalTopics) {
    this.#topics = topics
  }

  send(frame: Uint8Array): void {
    const event = decodeEvent(frame)
    if (event) this.receive(event)
  }

  subscribe(topic: string): void {
    for (const name of [topic, ephemeralTwin(topic)]) {
      this.#subscribed.add(name)
      this.#topics.add(name, this)
    }
  }

  unsubscribe(topic: string): void {
    for (const name of [topic, ephemeralTwin(topic)]) {
      this.#subscribed.delete(name)
      this.#topics.remove(name, this)
    }
  }

  close(reason: CloseReason): void {
    this.end(new ChatError(reason === 'shutdown' ? 'shutting_down' : 'internal', closeCodes[reason].meaning))
  }

  whenDrained(then: () => void): void {
    // Listeners are called synchronously: there is nothing to wait for.
    queueMicrotask(then)
  }

  /** Sends one request over the session. */
  request<N extends MethodRequest>(
    hub: Hub,
    session: number,
    name: N,
    fields: RequestFields<N>,
  ): Promise<Answer<N>> {
    // A caller that makes requests has its listeners: early events are delivered before the answer.
    if (this.#early) this.start()
    return new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended
      if (!Object.hasOwn(requests, name)) throw new ChatError('unknown_event')
      const ref = this.#answers.nextRef()
      const frame = encodeRequest(name, ref, fields)
      const view = viewFrame(frame)
      if (!view) throw new ChatError('bad_request')
      this.#answers.add(ref, resolve, reject)
      try {
        hub.receive(session, frame, view)
      } catch (error) {
        this.#answers.remove(ref)
        throw error
      }
    })
  }

  on<N extends EventName>(event: N, listener: EventListener<N>): () => void {
    if (!Object.hasOwn(events, event)) throw new TypeError(`unknown event: ${String(event)}`)
    if (typeof listener !== 'function')
      throw new TypeError(`a listener takes a function; given: ${typeof listener}`)
    return this.#listeners.on(event, listener)
  }

  /** Calls `listener` when the session has ended. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener
  }

  /** Ends it from either side: refuses unanswered requests, leaves topics. */
  end(error: ChatError): void {
    this.#ended ??= error
    for (const topic of this.#subscribed) this.#topics.remove(topic, this)
    this.#subscribed.clear()
    this.#answers.rejectAll(error)
    this.#onEnd?.()
    this.#onEnd = null
  }

  /** From now on events reach the listeners, early ones first. */
  start(): void {
    const early = this.#early ?? []
    this.#early = null
    for (const event of early) this.receive(event)
  }

  receive(event: Event): void {
    if (this.#early && event.ref === 0 && event.event !== 'connected') {
      this.#early.push(event)
      return
    }
    if (event.ref !== 0) this.#answers.settle(event)
    this.#listeners.emit(event.event, event.fields as never)
  }
}

/** Opens a session and waits for `connected`. */
export function openSession(
  hub: Hub,
  topics: LocalTopics,
  identity: {
    readonly userId: string
    readonly name?: string | undefined
    readonly picture?: string | undefined
  },
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const port = new LocalPort(topics)
    const session = hub.open(identity, port)
    port.onEnd(() => {
      hub.closed(session)
      reject(new ChatError('shutting_down'))
    })
    port.on('connected', (connected) => {
      // After the caller's `await` has continued and its listeners are added.
      setImmediate(() => port.start())
      resolve({
        ...requestMethods((name, fields) => port.request(hub, session, name, fields)),
        userId: identity.userId,
        connected,
        on: (event, listener) => port.on(event, listener),
        close: () => port.end(new ChatError('shutting_down', 'the session was closed')),
      })
    })
  })
}
