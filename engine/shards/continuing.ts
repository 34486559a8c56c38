/**
 * Continuing: lets the topics of this shard's groups continue in a front whose link was interrupted.
 *
 * The front names each topic with the newest seq that it has received. Most groups have nothing newer, and
 * need no actor for that: a group that is loaded compares the seq; of the others the newest seqs are read
 * from storage, `SLICE` groups at a time. Only a group with newer events, or of which a crash took numbers
 * that the front has shown, is loaded, and sends the front what it has missed. So does a group whose newest shown
 * event is in doubt: storage may have everything before it, and not that event. `AT_ONCE` groups do so at the
 * same time. Bounded by the topics of the fronts.
 */
import type { InterruptedTopic } from '../actors/continuing.ts'
import type { Effect } from '../actors/effects.ts'
import type { ContinueTopic } from '../actors/mail.ts'

const SLICE = 500
const AT_ONCE = 64
const AGAIN_AFTER_MS = 500
/** Maximum difference between the clocks of two threads (`Clock`). */
const CLOCKS_APART_MS = 1_000

export interface ContinuingDeps {
  /** The newest seq of each group in storage; 0 without a group. */
  newest(groupIds: readonly string[]): Promise<readonly number[]>
  steadyNow(): number
  /** Whether the loaded group has shown everything up to that seq; undefined if it is not loaded. */
  isAt(groupId: string, seq: number): boolean | undefined
  /** Whether a group that is not loaded may have been since that time. */
  mayHaveBeenLoaded(groupId: string, sinceMs: number): boolean
  /** Sends to the group's actor, which is loaded if necessary. */
  deliver(groupId: string, mail: ContinueTopic): void
  /** The topic continues; nothing was missed. */
  live(front: number, groupId: string): void
  report(error: unknown, what: string): void
  after(delayMs: number, then: () => void): void
}

/** A topic of a front that is compared or waits for its group. */
interface Waiting {
  readonly front: number
  readonly groupId: string
  readonly from: number
}

export class Continuing {
  readonly #deps: ContinuingDeps
  /** Not compared yet, or waiting for a group; by group. */
  readonly #waiting = new Map<string, Waiting[]>()
  #unread: Waiting[] = []
  /** Groups that have to be loaded. */
  readonly #due: Waiting[] = []
  /** Groups that send events now: front and group. */
  readonly #active = new Set<string>()
  #reading = false

  constructor(deps: ContinuingDeps) {
    this.#deps = deps
  }

  /** Topics that have not continued yet. */
  get size(): number {
    return this.#waiting.size + this.#active.size
  }

  /** Whether a topic of the group waits: a session that is attached now would get older events through it. */
  has(groupId: string): boolean {
    return this.#waiting.has(groupId)
  }

  add(front: number, topics: readonly InterruptedTopic[]): void {
    for (const [groupId, from, inDoubt] of topics) {
      if (this.#deps.isAt(groupId, from) === true) {
        this.#deps.live(front, groupId)
        continue
      }
      const next = inDoubt ? this.#due : this.#unread
      next.push(this.#wait(front, groupId, from))
    }
    this.#proceed()
    void this.#read()
  }

  /** The group sends now what is missed of it: called before work that must come after it. */
  finish(groupId: string): void {
    for (const waiting of [...(this.#waiting.get(groupId) ?? [])]) this.#deliver(waiting)
  }

  /** A group has sent a front what it missed, or will do so later. */
  continued(front: number, groupId: string, how: Extract<Effect, { type: 'continued' }>['how']): void {
    this.#active.delete(`${front} ${groupId}`)
    if (typeof how !== 'string') {
      // Sessions that are attached meanwhile come after it, too.
      const waiting = this.#wait(front, groupId, how.laterFrom)
      this.#deps.after(AGAIN_AFTER_MS, () => {
        this.#due.push(waiting)
        this.#proceed()
      })
    }
    this.#proceed()
  }

  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    while (this.#unread.length > 0) {
      const slice = this.#unread.slice(0, SLICE)
      const sinceMs = this.#deps.steadyNow() - CLOCKS_APART_MS
      try {
        const newest = await this.#deps.newest(slice.map(({ groupId }) => groupId))
        this.#unread = this.#unread.slice(slice.length)
        for (const [i, waiting] of slice.entries()) this.#compare(waiting, newest[i] as number, sinceMs)
        this.#proceed()
      } catch (error) {
        this.#deps.report(error, 'the newest numbers of groups could not be read')
        await new Promise<void>((resolve) => this.#deps.after(AGAIN_AFTER_MS, resolve))
      }
    }
    this.#reading = false
  }

  #compare(waiting: Waiting, newest: number, sinceMs: number): void {
    const { front, groupId, from } = waiting
    // It was delivered before work that had to come after it.
    if (!this.#waiting.get(groupId)?.includes(waiting)) return
    const isAt = this.#deps.isAt(groupId, from)
    const isUnchanged = isAt === undefined && !this.#deps.mayHaveBeenLoaded(groupId, sinceMs)
    if (isAt === true || (isUnchanged && newest === from)) {
      this.#remove(waiting)
      this.#deps.live(front, groupId)
    } else this.#due.push(waiting)
  }

  #wait(front: number, groupId: string, from: number): Waiting {
    const waiting = { front, groupId, from }
    const others = this.#waiting.get(groupId)
    if (others) others.push(waiting)
    else this.#waiting.set(groupId, [waiting])
    return waiting
  }

  #proceed(): void {
    while (this.#due.length > 0 && this.#active.size < AT_ONCE) {
      const waiting = this.#due.shift() as Waiting
      if (this.#waiting.get(waiting.groupId)?.includes(waiting)) this.#deliver(waiting)
    }
  }

  #deliver(waiting: Waiting): void {
    const { front, groupId, from } = waiting
    this.#remove(waiting)
    this.#active.add(`${front} ${groupId}`)
    this.#deps.deliver(groupId, { type: 'continue', front, from })
  }

  #remove(waiting: Waiting): void {
    const { groupId } = waiting
    const others = (this.#waiting.get(groupId) ?? []).filter((other) => other !== waiting)
    if (others.length > 0) this.#waiting.set(groupId, others)
    else this.#waiting.delete(groupId)
  }
}
