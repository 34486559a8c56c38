/**
 * Catch-up: gets, on one new connection, everything that was missed (CUP-1, CUP-2).
 *
 * First all known groups are resumed, some at a time, one `resume` after the other, as the server
 * wants it. Then, where `connected` had no room for all groups, the others are listed page by page,
 * and those that turn out to be new are resumed as well. A refusal that allows it is tried again;
 * after any other the groups count as incomplete. A catch-up may be long, so that it has no time
 * limit, but one without progress ends the connection.
 */
import { ChatError, errors } from '../protocol/errors.ts'
import type { EventFields } from '../protocol/events.ts'
import { limits } from '../protocol/limits.ts'
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
  /** A page of groups. Returns those that are to be resumed as well. */
  readonly onListed: (page: EventFields<'groups'>) => readonly Position[]
  /** All groups are known and through. */
  readonly onDone: () => void
}

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #waiting: Position[]
  /** Where the list of groups goes on; null where there is nothing to list. */
  #page: { readonly cursor?: string | undefined } | null
  #groupsAtOnce = GROUPS_AT_ONCE
  #busy = false
  #stopped = false
  #cancelTimer: () => void = () => {}
  #progress = false
  #failures = 0

  /** `listAll`: `connected` may have left out groups. */
  constructor(positions: readonly Position[], listAll: boolean, options: CatchUpOptions) {
    this.#waiting = [...positions]
    this.#page = listAll ? {} : null
    this.#options = options
  }

  /** Begins, or goes on with a group that was met meanwhile. */
  start(met?: Position): void {
    if (met) this.#waiting.push(met)
    if (!this.#busy) this.#next()
  }

  /** An event of a group that is caught up has come. */
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
      (answer) => this.#through(() => onResumed(asked, answer)),
      (error: unknown) => {
        if (this.#triesAgain(error, () => this.#resume(asked))) return
        if (error instanceof ChatError && error.code === 'too_large' && asked.length > 1) {
          // The server is set to small frames.
          this.#groupsAtOnce = Math.ceil(asked.length / 2)
          this.#through(() => this.#waiting.unshift(...asked))
          return
        }
        const groups = asked.map(([groupId, lastSeq]) => [groupId, lastSeq, false] as const)
        this.#through(() => onResumed(asked, { groups }))
      },
    )
  }

  #list(page: { readonly cursor?: string | undefined }): void {
    const { connection, onListed } = this.#options
    this.#watch()
    connection.request('get_groups', { ...page, limit: limits.groupsPage }, null).then(
      (answer) =>
        this.#through(() => {
          this.#page = answer.cursor === undefined ? null : { cursor: answer.cursor }
          this.#waiting.push(...onListed(answer))
        }),
      (error: unknown) => {
        if (this.#triesAgain(error, () => this.#list(page))) return
        this.#through(() => {
          this.#page = null
        })
      },
    )
  }

  #through(then: () => void): void {
    this.#cancelTimer()
    if (this.#stopped) return
    this.#failures = 0
    then()
    this.#next()
  }

  #triesAgain(error: unknown, again: () => void): boolean {
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
