/**
 * Attaching: subscribes sessions to the groups of a shard, most of which do not have to be loaded for
 * that (INP-2).
 *
 * The user's actor has read the positions of the user's groups. It names here those of which the session
 * has seen everything that was committed:
 * - A loaded group subscribes the session if it has shown nothing newer. Otherwise it attaches the session
 *   in the usual way (`attach` in missed-events.ts).
 * - A group that is not loaded, and was not released since the read began, is unchanged: the session is
 *   subscribed, which is all that its actor would do.
 * - Every other group is loaded.
 *
 * Each decision is applied in the turn in which it is made, so that many groups can be spread over many
 * turns of `SLICE` groups each. Bounded: with more than `MAX_WAITING` groups nothing waits for a later turn.
 */
import type { Attach, AttachAll } from '../actors/mail.ts'
import type { Standing } from '../stored/stored-user.ts'

const SLICE = 1_000
const MAX_WAITING = 500_000
/** Maximum difference between the clocks of two threads (`Clock`). */
const CLOCKS_APART_MS = 1_000

export interface AttachingDeps {
  /**
   * `caught-up`: it is loaded, and the session has seen everything that it has shown. `unchanged`: it is
   * not loaded, and was not loaded since then.
   */
  stateOf(groupId: string, mail: Attach, sinceMs: number): 'caught-up' | 'unchanged' | 'other'
  /** Sends to the group's actor, which is loaded if necessary. */
  deliver(groupId: string, mail: Attach): void
  subscribe(session: number, groupIds: readonly string[], after: readonly number[]): void
  isOpen(session: number): boolean
  /** Runs in a later turn. */
  later(then: () => void): void
}

interface Waiting {
  readonly mail: AttachAll
  /** Index of the first group that is not attached yet. */
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

  /** Number of groups that wait for a later turn. */
  get size(): number {
    return this.#size
  }

  attach(mail: AttachAll): void {
    this.#waiting.push({ mail, next: 0 })
    this.#size += mail.groups.length
    if (this.#size > MAX_WAITING) this.finish()
    else if (!this.#isDue) this.#run(this.#slice)
  }

  /** Attaches all waiting groups: called before work that must come after them. */
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
    const after: number[] = []
    for (let i = from; i < upTo; i++) {
      const [groupId, joinedSeq, from, inDoubt] = groups[i] as Standing
      const mail: Attach = { type: 'attach', session, userId, joinedSeq, from }
      const state = this.#deps.stateOf(groupId, mail, sinceMs)
      // A crash left numbers in doubt; the group reports them when it is loaded (GAP-1).
      const isLoading = state === 'other' || (state === 'unchanged' && inDoubt)
      if (isLoading) this.#deps.deliver(groupId, mail)
      else {
        subscribed.push(groupId)
        after.push(from)
      }
    }
    if (subscribed.length > 0) this.#deps.subscribe(session, subscribed, after)
  }
}
