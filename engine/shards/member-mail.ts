/**
 * Member mail: tells users' own actors which groups they are in, and loads none for it.
 *
 * The actor of a user who has a session is notified at once. A user without one is a row in the log,
 * from which their actor starts when they connect; so the mail waits for the commit, and is dropped
 * where no actor is loaded by then. An actor that was loaded in between, from the log as it was, gets
 * it. For one user the order is kept: while mail of theirs waits, later mail waits behind it.
 * Bounded by what may be uncommitted (`HeldBack`).
 */
import type { Mail, UserMail } from '../actors/mail.ts'

export interface MemberMailDeps {
  isConnected(userId: string): boolean
  tell(mail: Mail): void
  /** Calls `task` once everything written so far is committed, or `drop` if the owner's entries are refused. */
  afterCommit(owner: string, task: () => void, drop: () => void): void
}

export class MemberMail {
  readonly #deps: MemberMailDeps
  /** How often mail for each user waits. */
  readonly #waiting = new Map<string, number>()

  constructor(deps: MemberMailDeps) {
    this.#deps = deps
  }

  /** Sends the same mail to each of the users; `owner` owns the log entries that it depends on. */
  tell(owner: string, userIds: readonly string[], mail: UserMail): void {
    const later: string[] = []
    for (const id of userIds) {
      const waiting = this.#waiting.get(id)
      if (waiting === undefined && this.#deps.isConnected(id)) {
        this.#deps.tell({ to: 'user', id, mail })
      } else {
        this.#waiting.set(id, (waiting ?? 0) + 1)
        later.push(id)
      }
    }
    if (later.length === 0) return
    const done = (id: string) => {
      const left = (this.#waiting.get(id) ?? 1) - 1
      if (left === 0) this.#waiting.delete(id)
      else this.#waiting.set(id, left)
    }
    this.#deps.afterCommit(
      owner,
      () => {
        for (const id of later) {
          done(id)
          this.#deps.tell({ to: 'user', id, mail, ifLoaded: true })
        }
      },
      () => {
        for (const id of later) done(id)
      },
    )
  }
}
