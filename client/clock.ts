/**
 * Clock: time and chance, handed in, so that a test decides both.
 */
export interface Clock {
  /** Milliseconds since some moment; only differences count. */
  now(): number
  /** Calls `then` once, `delayMs` from now, unless the function returned was called before. */
  after(delayMs: number, then: () => void): () => void
  /** From 0 up to, but not, 1. */
  random(): number
}

/** `setTimeout` fires at once for a longer delay; about 25 days. */
export const MAX_DELAY_MS = 2 ** 31 - 1

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, then) {
    const timer = setTimeout(then, Math.min(delayMs, MAX_DELAY_MS))
    return () => clearTimeout(timer)
  },
  random: Math.random,
}
