/**
 * Clock: the two times of the engine, handed in.
 *
 * `now` is the time of day, for what is stored and for what is defined by it: mutes, the recall
 * window. It may jump when the machine's clock is set. Durations (typing, grace, receipts,
 * idleness) are measured with `steadyNow`, which never jumps (TIM-1).
 */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds since an arbitrary moment; never goes back. Compare only within one thread. */
  readonly steadyNow: () => number
}

export const machineClock: Clock = { now: Date.now, steadyNow: () => performance.now() }
