/**
 * Blocks: who has blocked whom (PRV-1), and what that may be the reason for.
 *
 * Between two rests a block may begin or end at any moment: then what follows from it may be so or
 * not. What holds since the last rest holds strictly.
 */
import type { LogEntry } from '../../../engine/storage/log.ts'
import type { Asked } from './asked.ts'
import { Violation } from './violation.ts'

/** Whether two users were kept apart since the last rest: all the time, never, or for a part of it. */
export type Apart = 'yes' | 'no' | 'perhaps'

interface State {
  readonly on: boolean
  /** Of the blocker's log. */
  readonly offset: number
}

export class SimulatedBlocks {
  /** By blocker and blocked, what was so since the last rest, the newest last. */
  readonly #states = new Map<string, readonly State[]>()

  /** @throws Violation where nobody asked for it */
  appended(offset: number, entry: LogEntry, asked: readonly Asked[]): void {
    if (entry.type !== 'block' && entry.type !== 'unblock') return
    const { userId, otherId } = entry
    const on = entry.type === 'block'
    const wanted = asked.some(
      ({ userId: by, request: { event, fields } }) =>
        by === userId && event === (on ? 'block_user' : 'unblock_user') && fields.userId === otherId,
    )
    if (!wanted) throw new Violation(`${entry.type} of ${otherId} by ${userId}: nobody asked for it`)
    const states = this.#statesOf(userId, otherId)
    if (states.at(-1)?.on === on) throw new Violation(`${entry.type} of ${otherId} by ${userId}: twice`)
    this.#states.set(key(userId, otherId), [...states, { on, offset }])
  }

  /** Whether one of the two has blocked the other. */
  apart(one: string, other: string): Apart {
    const both = [this.#statesOf(one, other), this.#statesOf(other, one)]
    if (both.some((states) => states.every(({ on }) => on))) return 'yes'
    return both.some((states) => states.some(({ on }) => on)) ? 'perhaps' : 'no'
  }

  /** Whether one of the two blocks the other at this moment. */
  areApartNow(one: string, other: string): boolean {
    return [this.#statesOf(one, other), this.#statesOf(other, one)].some((states) => states.at(-1)?.on)
  }

  /** Whether any of it has changed since the last rest. */
  get unsettled(): boolean {
    return [...this.#states.values()].some(({ length }) => length > 1)
  }

  /** Whom the user has blocked at this moment. */
  blockedBy(userId: string, userIds: readonly string[]): readonly string[] {
    return userIds.filter((otherId) => this.#statesOf(userId, otherId).at(-1)?.on === true)
  }

  /** Whether it was so since the last rest, and that is committed. */
  isKept(userId: string, otherId: string, on: boolean, committed: number): boolean {
    return this.#statesOf(userId, otherId).some((state) => state.on === on && state.offset <= committed)
  }

  quiet(): void {
    for (const [pair, states] of this.#states) {
      this.#states.set(
        pair,
        states.slice(-1).map(({ on }) => ({ on, offset: 0 })),
      )
    }
  }

  /** What was not committed never was. */
  crash(committed: (userId: string) => number): void {
    for (const [pair, states] of this.#states) {
      const upTo = committed(pair.slice(0, pair.indexOf(' ')))
      const kept = states.filter(({ offset }) => offset <= upTo)
      this.#states.set(
        pair,
        kept.slice(-1).map(({ on }) => ({ on, offset: 0 })),
      )
    }
  }

  #statesOf(userId: string, otherId: string): readonly State[] {
    return this.#states.get(key(userId, otherId)) ?? [{ on: false, offset: 0 }]
  }
}

function key(userId: string, otherId: string): string {
  return `${userId} ${otherId}`
}
