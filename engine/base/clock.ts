/**
 * Clock: the two clocks of the engine, injected.
 *
 * `now` is the time of day, for stored times and for limits defined by them: mutes, the recall
 * window. It may jump when the machine's clock is set. Durations (typing, grace, receipts,
 * idleness) are measured with `steadyNow`, which never jumps (TIM-1).
 */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /**
   * Milliseconds since an arbitrary moment; never goes back. The threads of a process agree on it to
   * within a second.
   */
  readonly steadyNow: () => number
}

/** The moment that `performance` of each thread counts from. */
const originMs = Number(process.hrtime.bigint() / 1_000n) / 1_000 - performance.now()

export const machineClock: Clock = { now: Date.now, steadyNow: () => originMs + performance.now() }
