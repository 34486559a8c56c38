/**
 * Lanes: tasks of one key one after the other, of different keys side by side.
 *
 * Bounded: a lane has `MAX_WAITING` tasks at the most, and all of them together hold `maxBytes`;
 * over it a task is refused as `overloaded`, before it is begun.
 */
import { ChatError } from '../../protocol/errors.ts'

const MAX_WAITING = 64
const RETRY_AFTER_MS = 250

interface Lane {
  tail: Promise<unknown>
  waiting: number
}

export class Lanes {
  readonly #maxBytes: number
  readonly #lanes = new Map<string, Lane>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** What all tasks together hold at present. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether something of this key is under way. */
  busy(key: string): boolean {
    return this.#lanes.has(key)
  }

  /** Runs a task behind those of its key; `bytes` is what it holds in memory until it is done. */
  run<T>(key: string, bytes: number, task: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key) ?? { tail: Promise.resolve(), waiting: 0 }
    if (lane.waiting >= MAX_WAITING || (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes)) {
      return Promise.reject(new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS }))
    }
    this.#lanes.set(key, lane)
    lane.waiting += 1
    this.#bytes += bytes
    const done = lane.tail.then(task).finally(() => {
      this.#bytes -= bytes
      lane.waiting -= 1
      if (lane.waiting === 0) this.#lanes.delete(key)
    })
    lane.tail = done.catch(() => {})
    return done
  }

  /** Everything that is under way has ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ tail }) => tail))
  }
}
