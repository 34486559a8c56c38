/**
 * Micro task: one part of the system, alone, timed in one process.
 *
 * Most of these take less than a microsecond, which no timer sees: a call of `run` does `operations`
 * of them, and what is shown is the time of one.
 */
export interface MicroTask {
  readonly name: string
  /** What a call of `run` does so many times. */
  readonly operations: number
  readonly run: () => void
  /** Before each call of `run`, and not timed. */
  readonly prepare?: () => void
}

export interface MicroSuite {
  readonly tasks: readonly MicroTask[]
  /** Removes the files of the suite. */
  readonly end: () => void
}

/** Operations of one call, where the task gives no reason for another number. */
export const OPERATIONS = 1_000
