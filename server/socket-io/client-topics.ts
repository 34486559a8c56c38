/**
 * Client topics: the subscriptions of one Socket.IO client.
 *
 * The transport publishes to clients with a WebSocket in the main namespace. All others, which poll, need
 * the name of their namespace in each packet, or have a `relay`, are subscribers in `LocalTopics`.
 */
import type { Socket } from '../transport/transport.ts'
import type { EngineSession } from './engine-session.ts'
import type { LocalSubscriber, LocalTopics } from './local-topics.ts'

export class ClientTopics implements LocalSubscriber {
  readonly #topics: LocalTopics
  readonly #session: EngineSession
  /** Empty for the main namespace. */
  namespace = ''
  /** Receives what is published instead of the client; set before the first topic. */
  relay: ((message: Uint8Array) => void) | null = null
  /** Topics that are not published by the transport. */
  #local: Set<string> | null = null

  constructor(topics: LocalTopics, session: EngineSession) {
    this.#topics = topics
    this.#session = session
  }

  subscribe(topic: string): void {
    const { socket } = this.#session
    if (socket && this.#isShared) socket.subscribe(topic)
    else {
      this.#local ??= new Set()
      this.#local.add(topic)
      this.#topics.subscribe(topic, this)
    }
  }

  unsubscribe(topic: string): void {
    if (this.#local?.delete(topic)) this.#topics.unsubscribe(topic, this)
    else this.#session.socket?.unsubscribe(topic)
  }

  isSubscribed(topic: string): boolean {
    return this.#local?.has(topic) || this.#session.socket?.isSubscribed(topic) || false
  }

  getTopics(): readonly string[] {
    return [...(this.#local ?? []), ...(this.#session.socket?.getTopics() ?? [])]
  }

  /** The client has a WebSocket from now on, whose transport publishes to it. */
  upgraded(socket: Socket): void {
    if (!this.#isShared) return
    for (const topic of this.#removeLocal()) socket.subscribe(topic)
  }

  /** The client is disconnected: those of its socket end with the socket. */
  close(): void {
    this.#removeLocal()
  }

  published(message: Uint8Array): void {
    if (this.relay) this.relay(message)
    else this.#session.send(this.namespace === '' ? message : withNamespace(message, this.namespace), false)
  }

  /** Whether the client receives the same bytes as others. */
  get #isShared(): boolean {
    return this.namespace === '' && this.relay === null
  }

  #removeLocal(): Iterable<string> {
    const topics = this.#local ?? []
    this.#local = null
    for (const topic of topics) this.#topics.unsubscribe(topic, this)
    return topics
  }
}

/** `42[…]` with the namespace of the client. */
function withNamespace(message: Uint8Array, namespace: string): Uint8Array {
  return Buffer.concat([message.subarray(0, 2), Buffer.from(`${namespace},`), message.subarray(2)])
}
