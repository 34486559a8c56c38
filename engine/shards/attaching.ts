/**
 * Attaching: sessions begin to receive what the groups of a shard say, most of which are not loaded
 * for it (INP-2).
 *
 * The user's actor has read where the groups stand, and names here those of which the session has
 * seen all that was committed. Of these:
 * - a group that is loaded subscribes the session where it has shown nothing newer, and else attaches
 *   it like any other (`attach` in catch-up.ts);
 * - a group that is not loaded, and was not released since the read began, is as the read found it:
 *   the session is subscribed, which is all that its actor would do;
 * - every other group is loaded.
 *
 * What is decided is decided in the turn in which it is done, so that many groups may take many turns:
 * `SLICE` groups each. Bounded: above `MAX_WAITING` groups nothing waits for a later turn.
 */
import type { Attach, AttachAll } from '../actors/mail.ts'
import type { Standing } from '../stored/stored-user.ts'

const SLICE = 1_000
const MAX_WAITING = 500_000
/** The clocks of two threads agree to within that (`Clock`). */
const CLOCKS_APART_MS = 1_000

export interface AttachingDeps {
  /**
   * `caught-up`: it is loaded, and the session has seen all that it has shown. `unchanged`: it is not
   * loaded, and was not since then.
   */
  stateOf(groupId: string, mail: Attach, sinceMs: number): 'caught-up' | 'unchanged' | 'other'
  /** To the group's actor, which is loaded where it is not. */
  deliver(groupId: string, mail: Attach): void
  subscribe(session: number, groupIds: readonly string[]): void
  isOpen(session: number): boolean
  /** In a later turn. */
  later(then: () => void): void
}

interface Waiting {
  readonly mail: AttachAll
  /** The first of its groups that is still to be attached. */
  next: number
}

export class Attaching {
  readonly #deps: AttachingDeps
  readonly #slice: number
  readonly #waiting: Waiting[] = []
  #size = 0
  #isDue = false

  constructor(deps: AttachingDeps, slice = SLICE) {
    this.#deps = deps
    this.#slice = slice
  }

  /** Groups that wait for a later turn. */
  get size(): number {
    return this.#size
  }

  attach(mail: AttachAll): void {
    this.#waiting.push({ mail, next: 0 })
    this.#size += mail.groups.length
    if (this.#size > MAX_WAITING) this.finish()
    else if (!this.#isDue) this.#run(this.#slice)
  }

  /** Attaches all that waits: before something that has to come after it. */
  finish(): void {
    this.#run(Number.POSITIVE_INFINITY)
  }

  #run(atMost: number): void {
    let left = atMost
    while (left > 0) {
      const [first] = this.#waiting
      if (!first) return
      const { mail, next } = first
      const upTo = Math.min(mail.groups.length, next + left)
      this.#attachSome(mail, next, upTo)
      first.next = upTo
      this.#size -= upTo - next
      left -= upTo - next
      if (upTo === mail.groups.length) this.#waiting.shift()
    }
    if (this.#waiting.length === 0 || this.#isDue) return
    this.#isDue = true
    this.#deps.later(() => {
      this.#isDue = false
      this.#run(this.#slice)
    })
  }

  #attachSome({ session, userId, readAtMs, groups }: AttachAll, from: number, upTo: number): void {
    if (!this.#deps.isOpen(session)) return
    const sinceMs = readAtMs - CLOCKS_APART_MS
    const subscribed: string[] = []
    for (let i = from; i < upTo; i++) {
      const [groupId, joinedSeq, from, inDoubt] = groups[i] as Standing
      const mail: Attach = { type: 'attach', session, userId, joinedSeq, from }
      const state = this.#deps.stateOf(groupId, mail, sinceMs)
      // A crash left numbers in doubt, which the group names when it is loaded (GAP-1).
      const isLoading = state === 'other' || (state === 'unchanged' && inDoubt)
      if (isLoading) this.#deps.deliver(groupId, mail)
      else subscribed.push(groupId)
    }
    if (subscribed.length > 0) this.#deps.subscribe(session, subscribed)
  }
}
