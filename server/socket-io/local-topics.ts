/**
 * Local topics: publishing to clients that the transport cannot publish to: those that poll, and those that
 * need other bytes than the rest. Everything else is passed to the app unchanged. Bounded by the sockets
 * and their groups.
 */
import type { PublishingApp } from '../topics.ts'

export interface LocalSubscriber {
  published(message: Uint8Array): void
}

export class LocalTopics implements PublishingApp {
  readonly #app: PublishingApp
  readonly #subscribers = new Map<string, Set<LocalSubscriber>>()

  constructor(app: PublishingApp) {
    this.#app = app
  }

  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): void {
    this.#app.publish(topic, message, isBinary, compress)
    if (this.#subscribers.size === 0) return
    for (const subscriber of this.#subscribers.get(topic) ?? []) subscriber.published(message)
  }

  numSubscribers(topic: string): number {
    const local = this.#subscribers.size === 0 ? 0 : (this.#subscribers.get(topic)?.size ?? 0)
    return this.#app.numSubscribers(topic) + local
  }

  subscribe(topic: string, subscriber: LocalSubscriber): void {
    const all = this.#subscribers.get(topic)
    if (all) all.add(subscriber)
    else this.#subscribers.set(topic, new Set([subscriber]))
  }

  unsubscribe(topic: string, subscriber: LocalSubscriber): void {
    const all = this.#subscribers.get(topic)
    all?.delete(subscriber)
    if (all?.size === 0) this.#subscribers.delete(topic)
  }
}
