/**
 * Catch-up: asks, on one new connection, for all that was missed (SPEC 5.4).
 *
 * 200 groups at a time, one `resume` after the other, as the server wants it. A refusal that says
 * so is tried again; after any other the groups count as incomplete. A catch-up may be long, so
 * that it has no deadline of its own, but one without progress ends the connection.
 */
import { ChatError, errors } from '../protocol/errors.ts'
import type { EventFields } from '../protocol/events.ts'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'
import type { Position } from './group-logs.ts'

const GROUPS_AT_ONCE = 200

export interface CatchUpOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** So long without any event of the catch-up is too long, milliseconds. */
  readonly stallMs: number
  /** These groups are through; those that the answer leaves out are lost. */
  readonly onResumed: (asked: readonly Position[], answer: EventFields<'resumed'>) => void
}

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #waiting: Position[]
  #cancelTimer: () => void = () => {}
  #progress = false
  #failures = 0

  constructor(positions: readonly Position[], options: CatchUpOptions) {
    this.#waiting = [...positions]
    this.#options = options
    this.#next()
  }

  /** An event of a group that is caught up has come. */
  progressed(): void {
    this.#progress = true
  }

  /** The connection is gone. */
  stop(): void {
    this.#waiting.length = 0
    this.#cancelTimer()
  }

  #next(): void {
    const asked = this.#waiting.splice(0, GROUPS_AT_ONCE)
    if (asked.length > 0) this.#ask(asked)
  }

  #ask(asked: readonly Position[]): void {
    const { connection, onResumed } = this.#options
    this.#watch()
    connection.request('resume', { groups: asked }, null).then(
      (answer) => {
        this.#cancelTimer()
        this.#failures = 0
        onResumed(asked, answer)
        this.#next()
      },
      (error: unknown) => this.#refused(asked, error),
    )
  }

  #refused(asked: readonly Position[], error: unknown): void {
    const { connection, clock, onResumed } = this.#options
    this.#cancelTimer()
    if (!connection.isOpen) return
    if (error instanceof ChatError && errors[error.code].retry) {
      this.#failures += 1
      const delayMs = error.retryAfterMs ?? backoffMs(this.#failures, clock)
      this.#cancelTimer = clock.after(delayMs, () => this.#ask(asked))
      return
    }
    onResumed(asked, { groups: asked.map(([groupId, lastSeq]) => [groupId, lastSeq, false]) })
    this.#next()
  }

  #watch(): void {
    const { connection, clock, stallMs } = this.#options
    this.#progress = false
    this.#cancelTimer = clock.after(stallMs, () => {
      if (this.#progress) this.#watch()
      else connection.end({ cause: 'silence' })
    })
  }
}
