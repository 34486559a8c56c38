/**
 * Blocks: which users have blocked which others (PRV-1), and since when.
 *
 * A block may begin or end at any moment between two rests. Both outcomes are then accepted. A block
 * that has not changed since the last rest applies strictly.
 */
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { Asked } from './asked.ts'
import { Violation } from './violation.ts'

/** Whether a block separated two users since the last rest: the whole time, never, or for part of it. */
export type Apart = 'yes' | 'no' | 'perhaps'

interface State {
  readonly on: boolean
  /** In the log of the blocker's shard. */
  readonly offset: number
}

export class SimulatedBlocks {
  /** By blocker and blocked user: the states since the last rest, newest last. */
  readonly #states = new Map<string, readonly State[]>()

  /** @throws Violation if no request asked for it */
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

  /** Whether one of the two currently blocks the other. */
  areApartNow(one: string, other: string): boolean {
    return [this.#statesOf(one, other), this.#statesOf(other, one)].some((states) => states.at(-1)?.on)
  }

  /** Whether any block has changed since the last rest. */
  get unsettled(): boolean {
    return [...this.#states.values()].some(({ length }) => length > 1)
  }

  /** The users that the user currently blocks. */
  blockedBy(userId: string, userIds: readonly string[]): readonly string[] {
    return userIds.filter((otherId) => this.#statesOf(userId, otherId).at(-1)?.on === true)
  }

  /** Whether the block had this state since the last rest, and that is committed. */
  isStored(userId: string, otherId: string, on: boolean, committed: number): boolean {
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

  /** Drops what was not committed. */
  crash(committed: (userId: string) => number): void {
    for (const [pair, states] of this.#states) {
      const upTo = committed(pair.slice(0, pair.indexOf(' ')))
      const stored = states.filter(({ offset }) => offset <= upTo)
      this.#states.set(
        pair,
        stored.slice(-1).map(({ on }) => ({ on, offset: 0 })),
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
