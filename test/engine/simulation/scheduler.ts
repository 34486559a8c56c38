/**
 * Scheduler: time, and the order in which things happen, of a simulation.
 *
 * Tasks wait in channels, each first in first out, as between two threads; which channel moves
 * next is drawn. A turn is one task and what it deferred. Timers become tasks once the clock has
 * reached them. Nothing happens by itself: only `step` runs something.
 */
import type { Random } from './random.ts'

interface Timer {
  readonly at: number
  readonly then: () => void
}

export class Scheduler {
  readonly #random: Random
  readonly #channels = new Map<string, (() => void)[]>()
  #timers: Timer[] = []
  #deferred: (() => void)[] = []
  /** The time of day, milliseconds since 1970; may be set (`setClock`). */
  now: number
  /** Milliseconds that have passed: the clock that durations and timers follow. */
  elapsed = 0

  constructor(random: Random, startMs: number) {
    this.#random = random
    this.now = startMs
  }

  /** Runs at the end of the turn. */
  readonly defer = (task: () => void): void => {
    this.#deferred.push(task)
  }

  /** Runs after that time, unless the function returned was called before. */
  readonly after = (delayMs: number, then: () => void): (() => void) => {
    const timer = { at: this.elapsed + delayMs, then }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Queues a task behind the others of its channel. */
  enqueue(channel: string, task: () => void): void {
    const queue = this.#channels.get(channel)
    if (queue) queue.push(task)
    else this.#channels.set(channel, [task])
  }

  /** How many tasks wait; timers that are not due do not count. */
  get waiting(): number {
    let count = 0
    for (const queue of this.#channels.values()) count += queue.length
    return count
  }

  /** How long until the next timer is due, or null. */
  get nextTimerInMs(): number | null {
    if (this.#timers.length === 0) return null
    return Math.min(...this.#timers.map(({ at }) => at)) - this.elapsed
  }

  /** Runs what somebody outside does as a turn. */
  turn<T>(task: () => T): T {
    const result = task()
    this.endTurn()
    return result
  }

  /** Runs what was deferred, and what that defers. */
  endTurn(): void {
    while (this.#deferred.length > 0) {
      const tasks = this.#deferred
      this.#deferred = []
      for (const task of tasks) task()
    }
  }

  /** Lets time pass; what is due by then waits in the channel `timers`. */
  advance(ms: number): void {
    this.now += ms
    this.elapsed += ms
    const due = this.#timers.filter(({ at }) => at <= this.elapsed).sort((a, b) => a.at - b.at)
    if (due.length === 0) return
    this.#timers = this.#timers.filter(({ at }) => at > this.elapsed)
    for (const { then } of due) this.enqueue('timers', then)
  }

  /** Steps the time of day; nothing that is a duration may notice (TIM-1). */
  setClock(byMs: number): void {
    this.now += byMs
  }

  /** Runs the first task of one channel; false where none waits. */
  step(): boolean {
    const channel = this.#random.maybe([...this.#channels.keys()])
    if (channel === undefined) return false
    const queue = this.#channels.get(channel) as (() => void)[]
    const task = queue.shift() as () => void
    if (queue.length === 0) this.#channels.delete(channel)
    this.turn(task)
    return true
  }

  /** Forgets everything that was to happen: the process is gone. */
  clear(): void {
    this.#channels.clear()
    this.#timers = []
    this.#deferred = []
  }
}
