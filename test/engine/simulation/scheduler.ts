/**
 * Scheduler: the clock of a simulation, and the order in which its tasks run.
 *
 * Tasks are queued in channels. Each channel is first in, first out, as between two threads; the next
 * channel is drawn at random. A turn is one task and what it deferred. A timer becomes a task when
 * the clock reaches it. Nothing runs by itself: only `step` runs a task.
 */
import type { Random } from './random.ts'

interface Timer {
  readonly at: number
  readonly channel: string
  readonly then: () => void
}

export class Scheduler {
  readonly #random: Random
  readonly #channels = new Map<string, (() => void)[]>()
  #timers: Timer[] = []
  #deferred: (() => void)[] = []
  /** The time of day, milliseconds since 1970; may be set (`setClock`). */
  now: number
  /** Elapsed milliseconds: the clock of durations and timers. */
  elapsed = 0

  constructor(random: Random, startMs: number) {
    this.#random = random
    this.now = startMs
  }

  /** Runs at the end of the turn. */
  readonly defer = (task: () => void): void => {
    this.#deferred.push(task)
  }

  /** Runs after that time, as a task of the channel, unless the returned function is called first. */
  readonly after = (delayMs: number, then: () => void, channel = 'timers'): (() => void) => {
    const timer = { at: this.elapsed + delayMs, then, channel }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Appends a task to its channel. */
  enqueue(channel: string, task: () => void): void {
    const queue = this.#channels.get(channel)
    if (queue) queue.push(task)
    else this.#channels.set(channel, [task])
  }

  /** The number of queued tasks; timers that are not due do not count. */
  get waiting(): number {
    let count = 0
    for (const queue of this.#channels.values()) count += queue.length
    return count
  }

  /** Time until the next timer is due, or null. */
  get nextTimerInMs(): number | null {
    if (this.#timers.length === 0) return null
    return Math.min(...this.#timers.map(({ at }) => at)) - this.elapsed
  }

  /** Runs a task from outside the scheduler as a turn. */
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

  /** Advances the time; timers that are due are queued in their channels. */
  advance(ms: number): void {
    this.now += ms
    this.elapsed += ms
    const due = this.#timers.filter(({ at }) => at <= this.elapsed).sort((a, b) => a.at - b.at)
    if (due.length === 0) return
    this.#timers = this.#timers.filter(({ at }) => at > this.elapsed)
    for (const { channel, then } of due) this.enqueue(channel, then)
  }

  /** Sets the time of day; durations are not affected (TIM-1). */
  setClock(byMs: number): void {
    this.now += byMs
  }

  /** Runs the first task of one channel; false if none is queued. */
  step(): boolean {
    const channel = this.#random.maybe([...this.#channels.keys()])
    if (channel === undefined) return false
    const queue = this.#channels.get(channel) as (() => void)[]
    const task = queue.shift() as () => void
    if (queue.length === 0) this.#channels.delete(channel)
    this.turn(task)
    return true
  }

  /** Drops the tasks and timers of a process that has ended: except those of these channels. */
  clear(others: ReadonlySet<string> = new Set()): void {
    for (const channel of this.#channels.keys()) if (!others.has(channel)) this.#channels.delete(channel)
    this.#timers = this.#timers.filter(({ channel }) => others.has(channel))
    this.#deferred = []
  }
}
