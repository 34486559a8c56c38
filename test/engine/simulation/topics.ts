/**
 * Topics: the subscriptions of the connections of one process, as a server has them.
 */
import { ephemeralTwin } from '../../../engine/base/topics.ts'
import type { Publisher, SessionPort } from '../../../engine/hub/gateway.ts'

export class Topics implements Publisher {
  readonly #byName = new Map<string, Set<SessionPort>>()

  subscribe(topic: string, port: SessionPort): void {
    for (const name of [topic, ephemeralTwin(topic)]) {
      const ports = this.#byName.get(name)
      if (ports) ports.add(port)
      else this.#byName.set(name, new Set([port]))
    }
  }

  unsubscribe(topic: string, port: SessionPort): void {
    for (const name of [topic, ephemeralTwin(topic)]) this.#byName.get(name)?.delete(port)
  }

  /** Removes all subscriptions of a connection. */
  forget(port: SessionPort): void {
    for (const ports of this.#byName.values()) ports.delete(port)
  }

  publish(topic: string, frame: Uint8Array, except?: SessionPort): void {
    for (const port of [...(this.#byName.get(topic) ?? [])]) if (port !== except) port.send(frame)
  }
}
