/**
 * Member mail: notifies users' own actors of the groups that they are in, without loading actors.
 *
 * The actor of a user who is connected, or was until a moment ago and is not seen offline yet, is notified
 * at once: others see the status that it reports. Any other user is a row in the log, from which their
 * actor is loaded when they connect. Mail for them waits for the commit, and is
 * dropped if no actor is loaded by then. An actor that was loaded in between has read the older state
 * and receives the mail. Mail for one user stays in order: while some of it waits, later mail waits too.
 * Bounded by the limit of uncommitted items (`HeldBack`).
 */
import type { Mail, UserMail } from '../actors/mail.ts'

export interface MemberMailDeps {
  /** Whether the user has a session, or is still seen as somebody who has one. */
  isPresent(userId: string): boolean
  tell(mail: Mail): void
  /** Calls `task` once everything written so far is committed, or `drop` if the owner's entries are refused. */
  afterCommit(owner: string, task: () => void, drop: () => void): void
}

export class MemberMail {
  readonly #deps: MemberMailDeps
  /** Number of waiting mails per user. */
  readonly #waiting = new Map<string, number>()

  constructor(deps: MemberMailDeps) {
    this.#deps = deps
  }

  /** Sends the same mail to each of the users; `owner` owns the log entries that it depends on. */
  tell(owner: string, userIds: readonly string[], mail: UserMail): void {
    const later: string[] = []
    for (const id of userIds) {
      const waiting = this.#waiting.get(id)
      if (waiting === undefined && this.#deps.isPresent(id)) {
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
