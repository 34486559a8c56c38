/**
 * A clock that only a test moves: nothing is due before `advance` has said so.
 */
import type { Clock } from '../../client/clock.ts'

interface Timer {
  readonly atMs: number
  readonly then: () => void
}

export class ManualClock implements Clock {
  #nowMs = 0
  #timers: Timer[] = []
  /** What `random` returns, over and over. */
  chance: number

  constructor(chance = 1) {
    this.chance = chance
  }

  /** When the timers that run are due, milliseconds from now, ascending. */
  get dueInMs(): readonly number[] {
    return this.#timers.map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b)
  }

  now(): number {
    return this.#nowMs
  }

  steadyNow(): number {
    return this.#nowMs
  }

  after(delayMs: number, then: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, then }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  random(): number {
    return this.chance
  }

  /** Lets time pass: what is due is called in its order, also what that starts. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const next = this.#timers.reduce<Timer | null>(
        (first, timer) => (timer.atMs <= untilMs && (!first || timer.atMs < first.atMs) ? timer : first),
        null,
      )
      if (!next) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#nowMs = next.atMs
      next.then()
    }
    this.#nowMs = untilMs
  }
}
