/**
 * Socket topics: what one socket hears of its groups.
 *
 * Of each group there are two topics: what is kept, and its ephemeral twin. While its reader is
 * behind (`spare`) the socket does without the twins and remembers them, also those that come and
 * go meanwhile; `restore` brings them back (SLW-1). JSON sockets have topics of their own. Not
 * to be called once the socket is closing.
 */
import { ephemeralTwin } from '../engine/gateway.ts'
import type { Topics } from './topics.ts'
import type { Socket } from './transport/transport.ts'

const TWINS = 'e:'

export class SocketTopics {
  readonly #topics: Topics
  readonly #socket: Socket
  readonly #prefix: '' | 'j'
  /** The twins it does without; null where its reader keeps up. */
  #spared: Set<string> | null = null

  constructor(topics: Topics, socket: Socket, json: boolean) {
    this.#topics = topics
    this.#socket = socket
    this.#prefix = json ? 'j' : ''
  }

  /** Whether it does without ephemeral events. */
  get spared(): boolean {
    return this.#spared !== null
  }

  subscribe(topic: string): void {
    this.#topics.subscribe(this.#socket, this.#named(topic))
    const twin = this.#named(ephemeralTwin(topic))
    if (this.#spared) this.#spared.add(twin)
    else this.#topics.subscribe(this.#socket, twin)
  }

  unsubscribe(topic: string): void {
    this.#topics.unsubscribe(this.#socket, this.#named(topic))
    const twin = this.#named(ephemeralTwin(topic))
    if (this.#spared) this.#spared.delete(twin)
    else this.#topics.unsubscribe(this.#socket, twin)
  }

  /** No more ephemeral events from here on. */
  spare(): void {
    if (this.#spared) return
    const twins = this.#topics.of(this.#socket).filter((topic) => topic.startsWith(this.#named(TWINS)))
    for (const twin of twins) this.#topics.unsubscribe(this.#socket, twin)
    this.#spared = new Set(twins)
  }

  /** The reader has caught up. */
  restore(): void {
    const spared = this.#spared
    this.#spared = null
    if (spared) for (const twin of spared) this.#topics.subscribe(this.#socket, twin)
  }

  /** Runs `publish` while this socket does not hear the topic. */
  apartFrom(topic: string, publish: () => void): void {
    const name = this.#named(topic)
    const hears = this.#topics.hears(this.#socket, name)
    if (hears) this.#topics.unsubscribe(this.#socket, name)
    publish()
    if (hears) this.#topics.subscribe(this.#socket, name)
  }

  #named(topic: string): string {
    return `${this.#prefix}${topic}`
  }
}
