/**
 * Lanes: runs tasks of one key sequentially and tasks of different keys concurrently.
 *
 * Bounded: a lane holds at most `MAX_WAITING` tasks, and all lanes together hold `maxBytes`. Above
 * that a task is refused as `overloaded` before it starts.
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

  /** Bytes that all tasks hold now. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether a task of this key is waiting or running. */
  busy(key: string): boolean {
    return this.#lanes.has(key)
  }

  /** Runs a task after those of its key; `bytes` is the memory that it holds until it is done. */
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

  /** Resolves when all current tasks have ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ tail }) => tail))
  }
}
