/**
 * Notices: calls the service's hooks for durable messages, without blocking requests.
 *
 * At most `AT_ONCE` hooks run at a time and start in one turn of the event loop, so that the notices
 * of a large group do not block other work. The others wait in order. Bounded: above `MAX_WAITING`
 * the oldest are dropped and their number is logged. Delivery is at most once.
 */
import type { Message } from '../../protocol/records.ts'
import type { EngineLogger } from '../base/engine-logger.ts'
import type { Hooks } from './hooks.ts'
import type { MessageChange, Posted } from './posted.ts'
import { type After, logFailure, withinTime } from './time-limit.ts'

const AT_ONCE = 64
const MAX_WAITING = 10_000
/** Interval at which the number of dropped notices is logged. */
const REPORT_MS = 10_000

/** The notices of one message: `afterMessage` for null, `userOffline` for a user. */
interface Lot {
  readonly message: Message
  readonly change: MessageChange | null
  readonly recipients: readonly (string | null)[]
  /** Index of the first of `recipients` that was not notified yet. */
  at: number
  next: Lot | null
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
  #first: Lot | null = null
  #last: Lot | null = null
  #waiting = 0
  #running = 0
  #dropped = 0
  #unreported = 0
  #closed = false
  #turn: NodeJS.Immediate | null = null
  #cancelReport: (() => void) | null = null
  #onEmpty: (() => void) | null = null

  constructor(options: NoticesOptions) {
    this.#options = options
  }

  /** Waiting notices, including those whose hook is running. */
  get size(): number {
    return this.#waiting + this.#running
  }

  /** Notices that were dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  /** Queues the notices of a message. */
  posted({ message, change, away }: Posted): void {
    const { afterMessage, userOffline } = this.#options.hooks
    const recipients = [...(afterMessage && change ? [null] : []), ...(userOffline ? away : [])]
    if (this.#closed || recipients.length === 0) return
    const lot: Lot = { message, change, recipients, at: 0, next: null }
    if (this.#last) this.#last.next = lot
    else this.#first = lot
    this.#last = lot
    this.#waiting += recipients.length
    const tooMany = this.#waiting - MAX_WAITING
    for (let i = 0; i < tooMany; i++) this.#take()
    if (tooMany > 0) this.#drop(tooMany)
    this.#later()
  }

  /** Resolves when all notices are delivered; those that remain after `withinMs` are dropped. */
  async close(withinMs: number): Promise<void> {
    if (this.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.after(withinMs, resolve)
        this.#onEmpty = () => {
          cancel()
          resolve()
        }
      })
    }
    this.#closed = true
    if (this.#turn) clearImmediate(this.#turn)
    if (this.#waiting > 0) this.#drop(this.#waiting)
    this.#first = this.#last = null
    this.#waiting = 0
    this.#cancelReport?.()
    this.#reportDropped()
  }

  #later(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = null
      this.#next()
    })
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const taken = this.#take()
      if (!taken) return
      this.#running += 1
      void this.#notify(taken.lot, taken.userId).then(() => {
        this.#running -= 1
        if (this.#waiting > 0) this.#later()
        else if (this.#running === 0) this.#onEmpty?.()
      })
    }
  }

  async #notify({ message, change }: Lot, userId: string | null): Promise<void> {
    const { hooks, timeoutMs, after, logger } = this.#options
    const hook = userId === null ? 'afterMessage' : 'userOffline'
    const run = () =>
      userId !== null
        ? hooks.userOffline?.({ userId, message })
        : change && hooks.afterMessage?.(message, change)
    try {
      await withinTime(`the hook ${hook}`, run, timeoutMs, after)
    } catch (error) {
      logFailure(logger, error)
    }
  }

  /** Removes the oldest waiting notice from the queue. */
  #take(): { readonly lot: Lot; readonly userId: string | null } | null {
    const lot = this.#first
    if (!lot) return null
    const userId = lot.recipients[lot.at] ?? null
    lot.at += 1
    this.#waiting -= 1
    if (lot.at === lot.recipients.length) {
      this.#first = lot.next
      if (!this.#first) this.#last = null
    }
    return { lot, userId }
  }

  #drop(count: number): void {
    this.#dropped += count
    this.#unreported += count
    this.#cancelReport ??= this.#options.after(REPORT_MS, () => this.#reportDropped())
  }

  #reportDropped(): void {
    this.#cancelReport = null
    if (this.#unreported > 0) {
      this.#options.logger.warn({ dropped: this.#unreported }, 'hooks are too slow: notices were dropped')
    }
    this.#unreported = 0
  }
}
