/**
 * Draining: the end of all shards, each of which commits everything and accepts nothing more.
 */
import { ToShard } from '../shards/hub-records.ts'
import type { ShardLink } from './shard-link.ts'

const DRAIN_AGAIN_MS = 20

/** Calls `then` after that time, unless the returned function was called before. */
type After = (delayMs: number, then: () => void) => () => void

export class Draining {
  readonly #shards: readonly ShardLink[]
  readonly #after: After
  #onDrained: () => void = () => {}

  constructor(shards: readonly ShardLink[], after: After) {
    this.#shards = shards
    this.#after = after
  }

  /** Resolves when all shards have committed everything; rejects after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let cancelAgain: () => void = () => {}
      // Repeated until done: an actor that was loading is released by a later attempt.
      const ask = () => {
        for (const shard of this.#shards) if (!shard.drained) shard.push(ToShard.drain, 0)
        cancelAgain = this.#after(DRAIN_AGAIN_MS, ask)
      }
      const cancelGiveUp = this.#after(timeoutMs, () => {
        cancelAgain()
        reject(new Error(`shards did not finish within ${timeoutMs} ms`))
      })
      this.#onDrained = () => {
        cancelAgain()
        cancelGiveUp()
        resolve()
      }
      ask()
    })
  }

  /** The shard has committed everything. */
  drained(shard: ShardLink): void {
    shard.drained = true
    if (this.#shards.every((one) => one.drained)) this.#onDrained()
  }
}
