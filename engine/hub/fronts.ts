/**
 * Fronts: the fronts whose topics continue after an interruption of their links, by the numbers that stand
 * for them in records.
 *
 * A front counts as a subscriber of each topic that it has named until that has continued and its sessions
 * are open again, so that the topic's events reach it. Bounded by the fronts and their topics.
 */
import { ascii } from '../base/ascii.ts'
import { shardOf } from '../base/partition.ts'
import { SEQ_BYTES, seqAt } from '../base/seq-bytes.ts'
import { ToHub, ToShard } from '../shards/hub-records.ts'
import { pack, unpack } from '../threads/packing.ts'
import type { Continued, Front, InterruptedTopic, SubscriberChange } from './gateway.ts'
import type { ShardLink } from './shard-link.ts'
import type { Subscriptions } from './subscriptions.ts'

export class Fronts {
  readonly #shards: readonly ShardLink[]
  readonly #subscriptions: Subscriptions
  readonly #byNumber = new Map<number, Front>()
  readonly #numbers = new Map<Front, number>()
  readonly #held = new Map<Front, Set<string>>()
  /** Fronts that wait for answers of shards: how many, and what is called then. */
  readonly #settling = new Map<number, { left: number; readonly then: () => void }>()
  #lastNumber = 0

  constructor(shards: readonly ShardLink[], subscriptions: Subscriptions) {
    this.#shards = shards
    this.#subscriptions = subscriptions
  }

  /** A record of a shard for a front; ignored once the front has no link. */
  take(kind: number, number: number, id: Uint8Array, body: Uint8Array): void {
    const front = this.#byNumber.get(number)
    if (!front) return
    switch (kind) {
      case ToHub.showFront:
        return front.showMissed(ascii(id, SEQ_BYTES), seqAt(id), body)
      case ToHub.continued:
        return front.continued(ascii(id), unpack<Continued>(body))
      case ToHub.changeSubscribers: {
        const change = unpack<SubscriberChange>(body)
        front.changeSubscribers(ascii(id), change)
        return this.#subscriptions.change(front, ascii(id), change)
      }
      case ToHub.settled:
        return this.#settled(number)
    }
  }

  continueTopics(front: Front, topics: readonly InterruptedTopic[]): void {
    const number = this.#numberOf(front)
    const held = this.#held.get(front) ?? new Set()
    this.#held.set(front, held)
    const byShard: InterruptedTopic[][] = this.#shards.map(() => [])
    for (const topic of topics) {
      const name = `g:${topic[0]}`
      this.#subscriptions.hold(front, name)
      held.add(name)
      byShard[shardOf(topic[0], byShard.length)]?.push(topic)
    }
    for (const [index, own] of byShard.entries()) {
      if (own.length > 0) this.#shards[index]?.push(ToShard.continue, number, pack(own))
    }
  }

  releaseTopic(front: Front, topic: string): void {
    if (this.#held.get(front)?.delete(topic)) this.#subscriptions.release(front, topic)
  }

  /** Calls `then` once every shard has handled what was sent to it before. */
  settle(front: Front, then: () => void): void {
    const number = this.#numberOf(front)
    this.#settling.set(number, { left: this.#shards.length, then })
    for (const shard of this.#shards) shard.push(ToShard.settle, number)
  }

  /** The front has no link any more. */
  remove(front: Front): void {
    for (const topic of this.#held.get(front) ?? []) this.#subscriptions.release(front, topic)
    this.#held.delete(front)
    const number = this.#numbers.get(front)
    this.#numbers.delete(front)
    if (number === undefined) return
    this.#byNumber.delete(number)
    this.#settling.delete(number)
  }

  #settled(number: number): void {
    const settling = this.#settling.get(number)
    if (!settling) return
    settling.left -= 1
    if (settling.left > 0) return
    this.#settling.delete(number)
    settling.then()
  }

  #numberOf(front: Front): number {
    let number = this.#numbers.get(front)
    if (number === undefined) {
      this.#lastNumber = (this.#lastNumber + 1) >>> 0
      number = this.#lastNumber
      this.#numbers.set(front, number)
      this.#byNumber.set(number, front)
    }
    return number
  }
}
