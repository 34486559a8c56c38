/**
 * A manual clock: the time of day, durations and timers, all of which change only in `advance`.
 *
 * It is the clock of an engine, and the `clock` option of a `ChatClient` takes `forClient`. `release` ends
 * the manual time: timers that are started afterwards are those of the machine.
 */
import type { Clock as ClientClock } from '../client/clock.ts'
import type { Clock } from '../engine/base/clock.ts'
import { machineTimers, type Timers } from '../engine/threads/timer.ts'

interface Timer {
  readonly atMs: number
  readonly then: () => void
}

/**
 * A clock that only `advance` moves.
 *
 * @example
 * ```ts
 * const clock = new ManualClock()
 * clock.after(5_000, () => log('five seconds'))
 * clock.advance(5_000)
 * ```
 */
export class ManualClock implements Clock, Timers {
  #nowMs: number
  #steadyMs = 0
  #timers: Timer[] = []
  #isReleased = false
  /** The value that `random` of `forClient` returns: 1 makes the longest delays between reconnects. */
  chance = 1

  /** `startMs` is the time of day at the start, milliseconds since 1970. */
  constructor(startMs = 0) {
    this.#nowMs = startMs
  }

  /** The same time and timers, as a client takes them. */
  get forClient(): ClientClock {
    return { now: this.steadyNow, after: this.after, random: () => this.chance }
  }

  /** Due times of the running timers, milliseconds from now, ascending. */
  get dueInMs(): readonly number[] {
    return this.#timers.map(({ atMs }) => atMs - this.#steadyMs).sort((a, b) => a - b)
  }

  /** The time of day, milliseconds since 1970. */
  readonly now = (): number => this.#nowMs

  /** Milliseconds that have passed. */
  readonly steadyNow = (): number => this.#steadyMs

  readonly after = (delayMs: number, then: () => void): (() => void) => {
    if (this.#isReleased) return machineTimers.after(delayMs, then)
    const timer = { atMs: this.#steadyMs + delayMs, then }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  readonly every = (periodMs: number, then: () => void): (() => void) => {
    const run = () => {
      cancel = this.after(periodMs, run)
      then()
    }
    let cancel = this.after(periodMs, run)
    return () => cancel()
  }

  /** Advances both times: due timers are called in order, including those that they start. */
  advance(ms: number): void {
    const untilMs = this.#steadyMs + ms
    for (;;) {
      const next = this.#timers.reduce<Timer | null>(
        (first, timer) => (timer.atMs <= untilMs && (!first || timer.atMs < first.atMs) ? timer : first),
        null,
      )
      if (!next) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#passUntil(next.atMs)
      next.then()
    }
    this.#passUntil(untilMs)
  }

  /** Sets the time of day, as an operator or NTP does; durations and timers do not change (TIM-1). */
  set(nowMs: number): void {
    this.#nowMs = nowMs
  }

  /** From here on timers run in real time; those that wait are dropped. */
  release(): void {
    this.#isReleased = true
    this.#timers = []
  }

  #passUntil(steadyMs: number): void {
    // A timer may have been asked for a time that has passed.
    const passedMs = Math.max(0, steadyMs - this.#steadyMs)
    this.#steadyMs += passedMs
    this.#nowMs += passedMs
  }
}
