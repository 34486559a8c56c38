/**
 * Local topics: publishing to clients that the transport cannot publish to: those that poll, and those that
 * need other bytes than the rest. Everything else is passed unchanged to the apps, which have the sockets: that
 * of the port and, with fronts, that of the clients that other fronts relay. Bounded by the sockets and their
 * groups.
 */
import type { PublishingApp } from '../topics.ts'

export interface LocalSubscriber {
  published(message: Uint8Array): void
}

export class LocalTopics implements PublishingApp {
  readonly #apps: readonly PublishingApp[]
  readonly #subscribers = new Map<string, Set<LocalSubscriber>>()

  constructor(apps: readonly PublishingApp[]) {
    this.#apps = apps
  }

  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): void {
    for (const app of this.#apps) app.publish(topic, message, isBinary, compress)
    if (this.#subscribers.size === 0) return
    for (const subscriber of this.#subscribers.get(topic) ?? []) subscriber.published(message)
  }

  numSubscribers(topic: string): number {
    let subscribers = this.#subscribers.size === 0 ? 0 : (this.#subscribers.get(topic)?.size ?? 0)
    for (const app of this.#apps) subscribers += app.numSubscribers(topic)
    return subscribers
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
