/**
 * Socket topics: the topics that one socket subscribes to.
 *
 * Each group has two topics: durable events, and their ephemeral twin. While its reader lags (`pause`) the
 * socket leaves the twins and stores their names, including those that are added and removed meanwhile;
 * `resume` subscribes to them again (SLW-1). The sockets of each wire have topics of their own. Not used once the
 * socket is closing.
 */
import { ephemeralTwin } from '../engine/base/topics.ts'
import type { Topics } from './topics.ts'
import type { Socket } from './transport/transport.ts'

const TWINS = 'e:'

export class SocketTopics {
  readonly #topics: Topics
  readonly #socket: Socket
  readonly #prefix: string
  /** The ephemeral topics that are paused; null while its reader keeps up. */
  #paused: Set<string> | null = null

  constructor(topics: Topics, socket: Socket, prefix: string) {
    this.#topics = topics
    this.#socket = socket
    this.#prefix = prefix
  }

  /** Whether ephemeral events are paused. */
  get isPaused(): boolean {
    return this.#paused !== null
  }

  subscribe(topic: string): void {
    this.#topics.subscribe(this.#socket, this.#named(topic))
    const twin = this.#named(ephemeralTwin(topic))
    if (this.#paused) this.#paused.add(twin)
    else this.#topics.subscribe(this.#socket, twin)
  }

  unsubscribe(topic: string): void {
    this.#topics.unsubscribe(this.#socket, this.#named(topic))
    const twin = this.#named(ephemeralTwin(topic))
    if (this.#paused) this.#paused.delete(twin)
    else this.#topics.unsubscribe(this.#socket, twin)
  }

  /** Stops ephemeral events. */
  pause(): void {
    if (this.#paused) return
    const twins = this.#topics.of(this.#socket).filter((topic) => topic.startsWith(this.#named(TWINS)))
    for (const twin of twins) this.#topics.unsubscribe(this.#socket, twin)
    this.#paused = new Set(twins)
  }

  /** The reader has caught up: subscribes to the ephemeral topics again. */
  resume(): void {
    const paused = this.#paused
    this.#paused = null
    if (paused) for (const twin of paused) this.#topics.subscribe(this.#socket, twin)
  }

  #named(topic: string): string {
    return `${this.#prefix}${topic}`
  }
}
