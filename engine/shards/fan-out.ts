/**
 * Fan-out: when a group's members are shown an event.
 *
 * `committed`: with its commit. `immediate`: at once, as long as the fan-out before it is over. A
 * message to 1,000 members is 1,000 writes, and so are sixteen messages that leave together; so
 * what arrives while the last large fan-out is still being written goes with the next commit, or
 * when those writes are done, whichever is first. Idle, nobody waits; under load, a socket gets
 * in one write what would have been many. The order of a group is kept in either case.
 */
import type { GroupActor } from '../actors/group/group-actor.ts'
import type { HeldBack } from './held-back.ts'

/**
 * After a fan-out to n members the next ones are gathered for n times this. A write takes 3 to
 * 5 µs of the front end's thread, its reader as much again before it can answer; with 20 µs all
 * sixteen senders of the large-group bench are heard before the next fan-out leaves.
 */
const GATHER_MS_A_MEMBER = 0.02

export interface FanOutDeps {
  readonly mode: 'immediate' | 'committed'
  readonly now: () => number
  readonly later: (task: () => void, ms: number) => void
  /** Shows it to the members that are there. */
  readonly publish: (group: GroupActor, frame: Uint8Array) => void
}

export class FanOut {
  readonly #deps: FanOutDeps
  readonly #held: HeldBack
  /** Until then events are gathered; milliseconds since 1970. */
  #busyUntil = 0

  /** What waits is kept in `held`, in the order of the log. */
  constructor(held: HeldBack, deps: FanOutDeps) {
    this.#held = held
    this.#deps = deps
  }

  /** An event of the group is in the log at `offset`: its members may be shown it. */
  offer(group: GroupActor, seq: number, frame: Uint8Array, offset: number): void {
    const show = () => this.#show(group, seq, frame)
    if (this.#deps.mode === 'committed') this.#hold(offset, frame, show)
    else if (this.#held.shows === 0 && this.#deps.now() >= this.#busyUntil) show()
    else {
      if (this.#held.shows === 0) {
        this.#deps.later(() => this.#showWaiting(), Math.max(1, this.#busyUntil - this.#deps.now()))
      }
      this.#hold(offset, frame, show)
    }
  }

  /** Runs `task` when everything offered so far has been shown: at once where nothing waits. */
  afterShown(offset: number, task: () => void): void {
    if (this.#held.shows === 0) task()
    else this.#hold(offset, null, task)
  }

  #hold(offset: number, frame: Uint8Array | null, release: () => void): void {
    this.#held.push(offset, { type: 'show', frame, release })
  }

  #show(group: GroupActor, seq: number, frame: Uint8Array): void {
    group.state.publishedSeq = seq
    this.#deps.publish(group, frame)
    const gatherMs = group.state.members.size * GATHER_MS_A_MEMBER
    // Small groups are written faster than anything could gather.
    if (gatherMs >= 1) this.#busyUntil = Math.max(this.#busyUntil, this.#deps.now() + gatherMs)
  }

  #showWaiting(): void {
    for (const { release } of this.#held.take('show')) release()
  }
}
