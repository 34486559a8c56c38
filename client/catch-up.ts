/**
 * Catch-up: requests all missed events on a new connection (CUP-1, CUP-2).
 *
 * First all known groups are resumed in batches, one `resume` after the other. Then, if `connected`
 * did not list all groups, the others are listed page by page, and new ones are resumed as well. A
 * retryable error is retried; after any other error the groups count as incomplete. A catch-up may
 * be long and has no time limit, but one without progress ends the connection.
 */
import { ChatError, errors } from '../protocol/errors.ts'
import type { EventFields } from '../protocol/events.ts'
import { backoffMs } from './backoff.ts'
import type { ClientConnection } from './client-connection.ts'
import type { Clock } from './clock.ts'
import type { Position } from './group-logs.ts'
import { groupsPage } from './wire-numbers.ts'

const GROUPS_AT_ONCE = 200

export interface CatchUpOptions {
  readonly connection: ClientConnection
  readonly clock: Clock
  /** The longest time without an event of the catch-up, milliseconds. */
  readonly stallMs: number
  /** These groups are done; the user is no longer in those that the answer omits. */
  readonly onResumed: (asked: readonly Position[], answer: EventFields<'resumed'>) => void
  /** A page of groups. Returns those to resume as well. */
  readonly onListed: (page: EventFields<'groups'>) => readonly Position[]
  /** All groups are known and resumed. */
  readonly onDone: () => void
}

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #waiting: Position[]
  /** The next page of the list of groups; null if there is nothing to list. */
  #page: { readonly cursor?: string | undefined } | null
  #groupsAtOnce = GROUPS_AT_ONCE
  #busy = false
  #stopped = false
  #cancelTimer: () => void = () => {}
  #progress = false
  #failures = 0

  /** `listAll`: `connected` may have omitted groups. */
  constructor(positions: readonly Position[], listAll: boolean, options: CatchUpOptions) {
    this.#waiting = [...positions]
    this.#page = listAll ? {} : null
    this.#options = options
  }

  /** Starts, or adds a group that was discovered meanwhile. */
  start(discovered?: Position): void {
    if (discovered) this.#waiting.push(discovered)
    if (!this.#busy) this.#next()
  }

  /** An event of a group in catch-up has arrived. */
  progressed(): void {
    this.#progress = true
  }

  /** The connection has ended. */
  stop(): void {
    this.#stopped = true
    this.#cancelTimer()
  }

  #next(): void {
    if (this.#stopped) return
    const asked = this.#waiting.splice(0, this.#groupsAtOnce)
    this.#busy = asked.length > 0 || this.#page !== null
    if (asked.length > 0) this.#resume(asked)
    else if (this.#page) this.#list(this.#page)
    else this.#options.onDone()
  }

  #resume(asked: readonly Position[]): void {
    const { connection, onResumed } = this.#options
    this.#watch()
    connection.request('resume', { groups: asked }, null).then(
      (answer) => this.#finish(() => onResumed(asked, answer)),
      (error: unknown) => {
        if (this.#retries(error, () => this.#resume(asked))) return
        if (error instanceof ChatError && error.code === 'too_large' && asked.length > 1) {
          // The server's limit for frames is small.
          this.#groupsAtOnce = Math.ceil(asked.length / 2)
          this.#finish(() => this.#waiting.unshift(...asked))
          return
        }
        const groups = asked.map(([groupId, lastSeq]) => [groupId, lastSeq, false] as const)
        this.#finish(() => onResumed(asked, { groups }))
      },
    )
  }

  #list(page: { readonly cursor?: string | undefined }): void {
    const { connection, onListed } = this.#options
    this.#watch()
    connection.request('get_groups', { ...page, limit: groupsPage }, null).then(
      (answer) =>
        this.#finish(() => {
          this.#page = answer.cursor === undefined ? null : { cursor: answer.cursor }
          this.#waiting.push(...onListed(answer))
        }),
      (error: unknown) => {
        if (this.#retries(error, () => this.#list(page))) return
        this.#finish(() => {
          this.#page = null
        })
      },
    )
  }

  #finish(then: () => void): void {
    this.#cancelTimer()
    if (this.#stopped) return
    this.#failures = 0
    then()
    this.#next()
  }

  #retries(error: unknown, again: () => void): boolean {
    const { clock } = this.#options
    this.#cancelTimer()
    if (this.#stopped) return true
    if (!(error instanceof ChatError && errors[error.code].retry)) return false
    this.#failures += 1
    this.#cancelTimer = clock.after(error.retryAfterMs ?? backoffMs(this.#failures, clock), again)
    return true
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
