/**
 * Status wait: holds requests whose answers contain the status of users, while fronts open their sessions again.
 *
 * To an engine that has started after a crash a user is offline until their front has continued their session,
 * and nobody is notified of that (RES-1): an answer would stay wrong. So it waits for all fronts that are
 * linked, and if one of them had an engine before also for others, `RETURN_MS` from the engine's start. Bounded:
 * a request waits for `MAX_WAIT_MS`; above `MAX_WAITING` requests they are not held.
 */
import type { Timers } from '../../engine/threads/timer.ts'
import { requests } from '../../protocol/requests.ts'

/** Longer than the longest pause of a front before it connects again. */
const RETURN_MS = 1_000
const MAX_WAIT_MS = 5_000
const MAX_WAITING = 10_000

const rows: ReadonlySet<unknown> = new Set([
  requests.get_contacts,
  requests.get_online_users,
  requests.search_users,
])

/** A front that is linked now. */
export interface WaitedFor {
  /** Whether the users of all its sessions count as connected. */
  readonly isComplete: boolean
  /** Whether it has sessions of an earlier engine. */
  readonly hadEngine: boolean
}

export class StatusWait {
  readonly #timers: Pick<Timers, 'after'>
  readonly #fronts: () => readonly WaitedFor[]
  readonly #waiting = new Set<() => void>()
  readonly #cancelStart: () => void
  /** The engine has started a moment ago: fronts may be on their way. */
  #isNew = true
  #isClosed = false

  constructor(fronts: () => readonly WaitedFor[], timers: Pick<Timers, 'after'>) {
    this.#fronts = fronts
    this.#timers = timers
    this.#cancelStart = timers.after(RETURN_MS, () => {
      this.#isNew = false
      this.check()
    })
  }

  /** Whether a request with this row has to wait now. */
  holds(row: unknown): boolean {
    return rows.has(row) && this.#waiting.size < MAX_WAITING && !this.#isOver()
  }

  /** Calls `then` once all fronts are complete, or after a time. */
  add(then: () => void): void {
    const end = () => {
      cancel()
      if (this.#waiting.delete(end)) then()
    }
    const cancel = this.#timers.after(MAX_WAIT_MS, end)
    this.#waiting.add(end)
  }

  /** A front is complete, or is not linked any more. */
  check(): void {
    if (this.#waiting.size > 0 && this.#isOver()) this.#endAll()
  }

  /** The engine stops: nothing waits. */
  close(): void {
    this.#isClosed = true
    this.#cancelStart()
    this.#endAll()
  }

  #isOver(): boolean {
    if (this.#isClosed) return true
    const fronts = this.#fronts()
    if (this.#isNew && fronts.some(({ hadEngine }) => hadEngine)) return false
    return fronts.every(({ isComplete }) => isComplete)
  }

  #endAll(): void {
    for (const end of [...this.#waiting]) end()
  }
}
