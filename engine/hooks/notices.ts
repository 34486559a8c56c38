/**
 * Notices: what the service is told of messages that are durable, off everybody's way.
 *
 * `AT_ONCE` hooks run at a time, the others wait in order. Bounded: of more than `MAX_WAITING` the
 * oldest are dropped, and the log says how many; at most once is all that is promised.
 */
import type { Message } from '../../protocol/records.ts'
import type { EngineLogger } from '../engine-logger.ts'
import type { Hooks } from './hooks.ts'
import { type After, withinTime } from './time-limit.ts'

const AT_ONCE = 64
const MAX_WAITING = 10_000
/** Dropped notices are told in lots. */
const TOLD_MS = 10_000

/** A message that is durable, and who of the others was away. */
export interface Posted {
  readonly message: Message
  readonly away: readonly string[]
}

interface Notice {
  readonly hook: 'afterMessage' | 'userOffline'
  readonly run: () => void | Promise<void>
}

export interface NoticesOptions {
  readonly hooks: Hooks
  /** How long one hook may take, milliseconds. */
  readonly timeoutMs: number
  readonly logger: EngineLogger
  readonly after: After
}

export class Notices {
  readonly #options: NoticesOptions
  #waiting: Notice[] = []
  #running = 0
  #dropped = 0
  #cancelTelling: (() => void) | null = null

  constructor(options: NoticesOptions) {
    this.#options = options
  }

  /** Notices that wait, for the stats. */
  get size(): number {
    return this.#waiting.length + this.#running
  }

  /** Tells of a message. */
  posted({ message, away }: Posted): void {
    const { hooks } = this.#options
    const { afterMessage, userOffline } = hooks
    if (afterMessage) this.#add({ hook: 'afterMessage', run: () => afterMessage.call(hooks, message) })
    if (!userOffline) return
    for (const userId of away) {
      this.#add({ hook: 'userOffline', run: () => userOffline.call(hooks, { userId, message }) })
    }
  }

  /** Forgets what waits. */
  close(): void {
    this.#waiting = []
    this.#cancelTelling?.()
    this.#tellDropped()
  }

  #add(notice: Notice): void {
    this.#waiting.push(notice)
    if (this.#waiting.length > MAX_WAITING) this.#drop()
    this.#next()
  }

  #next(): void {
    const { logger, timeoutMs, after } = this.#options
    while (this.#running < AT_ONCE) {
      const notice = this.#waiting.shift()
      if (!notice) return
      this.#running += 1
      withinTime(notice.hook, notice.run, timeoutMs, after)
        .catch((error: unknown) => {
          const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
          logger.error({ cause }, 'a hook failed')
        })
        .finally(() => {
          this.#running -= 1
          this.#next()
        })
    }
  }

  #drop(): void {
    this.#waiting.shift()
    this.#dropped += 1
    this.#cancelTelling ??= this.#options.after(TOLD_MS, () => this.#tellDropped())
  }

  #tellDropped(): void {
    this.#cancelTelling = null
    if (this.#dropped > 0) {
      this.#options.logger.warn({ dropped: this.#dropped }, 'hooks are too slow: notices were dropped')
    }
    this.#dropped = 0
  }
}
