/**
 * Timer: the machine's own, and the interface by which a test replaces it.
 */

/** Starts timers. Each returned function ends its timer. */
export interface Timers {
  /** Calls `then` once, `delayMs` from now. */
  readonly after: (delayMs: number, then: () => void) => () => void
  /** Calls `then` every `periodMs`; such a timer does not keep the process running. */
  readonly every: (periodMs: number, then: () => void) => () => void
}

/** Calls `then` once, `delayMs` from now, unless the function returned was called before. */
export function startTimer(delayMs: number, then: () => void): () => void {
  const timer = setTimeout(then, delayMs)
  return () => clearTimeout(timer)
}

export const machineTimers: Timers = {
  after: startTimer,
  every(periodMs, then) {
    const timer = setInterval(then, periodMs).unref()
    return () => clearInterval(timer)
  },
}
