/**
 * Clock: time and randomness, injected, so that tests control both.
 */
export interface Clock {
  /** Milliseconds since an arbitrary moment; only differences are meaningful. */
  now(): number
  /** Calls `then` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, then: () => void): () => void
  /** A number from 0 (inclusive) to 1 (exclusive). */
  random(): number
}

/** About 25 days: `setTimeout` fires immediately for a longer delay. */
export const MAX_DELAY_MS = 2 ** 31 - 1

/** The system clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, then) {
    const timer = setTimeout(then, Math.min(delayMs, MAX_DELAY_MS))
    return () => clearTimeout(timer)
  },
  random: Math.random,
}
