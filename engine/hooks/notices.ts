/**
 * Notices: what the service is told of messages that are durable, off everybody's way.
 *
 * `AT_ONCE` hooks run at a time and as many begin in one turn of the event loop, so that the
 * notices of a large group hold nobody up. The others wait in order. Bounded: of more than
 * `MAX_WAITING` the oldest are dropped, and the log says how many. At most once is all that is promised.
 */
import type { Message } from '../../protocol/records.ts'
import type { EngineLogger } from '../engine-logger.ts'
import type { Hooks, MessageChange } from './hooks.ts'
import { type After, logFailure, withinTime } from './time-limit.ts'

const AT_ONCE = 64
const MAX_WAITING = 10_000
/** Dropped notices are told in lots. */
const TOLD_MS = 10_000

/** A message, or a change of one, that is durable; of a new one, who of the others was away. */
export interface Posted {
  readonly message: Message
  /** Null where only those who were away are to be notified. */
  readonly change: MessageChange | null
  readonly away: readonly string[]
}

/** The notices of one message: `afterMessage` for null, `userOffline` for a user. */
interface Lot {
  readonly message: Message
  readonly change: MessageChange | null
  readonly whom: readonly (string | null)[]
  /** The first of `whom` that was not told yet. */
  at: number
  behind: Lot | null
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
  #untold = 0
  #closed = false
  #turn: NodeJS.Immediate | null = null
  #cancelTelling: (() => void) | null = null
  #onEmpty: (() => void) | null = null

  constructor(options: NoticesOptions) {
    this.#options = options
  }

  /** Notices that wait, those whose hooks run among them. */
  get size(): number {
    return this.#waiting + this.#running
  }

  /** Notices that were dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  /** Tells of a message. */
  posted({ message, change, away }: Posted): void {
    const { afterMessage, userOffline } = this.#options.hooks
    const whom = [...(afterMessage && change ? [null] : []), ...(userOffline ? away : [])]
    if (this.#closed || whom.length === 0) return
    const lot: Lot = { message, change, whom, at: 0, behind: null }
    if (this.#last) this.#last.behind = lot
    else this.#first = lot
    this.#last = lot
    this.#waiting += whom.length
    const tooMany = this.#waiting - MAX_WAITING
    for (let i = 0; i < tooMany; i++) this.#take()
    if (tooMany > 0) this.#drop(tooMany)
    this.#later()
  }

  /** Resolves once all are told; what is not after `withinMs` is dropped. */
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
    this.#cancelTelling?.()
    this.#tellDropped()
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
      void this.#tell(taken.lot, taken.userId).then(() => {
        this.#running -= 1
        if (this.#waiting > 0) this.#later()
        else if (this.#running === 0) this.#onEmpty?.()
      })
    }
  }

  async #tell({ message, change }: Lot, userId: string | null): Promise<void> {
    const { hooks, timeoutMs, after, logger } = this.#options
    const hook = userId === null ? 'afterMessage' : 'userOffline'
    const run = () =>
      userId !== null
        ? hooks.userOffline?.({ userId, message })
        : change && hooks.afterMessage?.(message, change)
    try {
      await withinTime(hook, run, timeoutMs, after)
    } catch (error) {
      logFailure(logger, error)
    }
  }

  /** The oldest that waits. */
  #take(): { readonly lot: Lot; readonly userId: string | null } | null {
    const lot = this.#first
    if (!lot) return null
    const userId = lot.whom[lot.at] ?? null
    lot.at += 1
    this.#waiting -= 1
    if (lot.at === lot.whom.length) {
      this.#first = lot.behind
      if (!this.#first) this.#last = null
    }
    return { lot, userId }
  }

  #drop(count: number): void {
    this.#dropped += count
    this.#untold += count
    this.#cancelTelling ??= this.#options.after(TOLD_MS, () => this.#tellDropped())
  }

  #tellDropped(): void {
    this.#cancelTelling = null
    if (this.#untold > 0) {
      this.#options.logger.warn({ dropped: this.#untold }, 'hooks are too slow: notices were dropped')
    }
    this.#untold = 0
  }
}
