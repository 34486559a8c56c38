/**
 * A manual clock: timers fire only in `advance`.
 */
import type { Clock } from '../../client/clock.ts'

interface Timer {
  readonly atMs: number
  readonly then: () => void
}

export class ManualClock implements Clock {
  #nowMs = 0
  #timers: Timer[] = []
  /** The value that `random` always returns. */
  chance: number

  constructor(chance = 1) {
    this.chance = chance
  }

  /** Due times of the running timers, milliseconds from now, ascending. */
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

  /** Advances the time: due timers are called in order, including those that they start. */
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
