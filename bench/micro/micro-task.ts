/**
 * Micro task: one part of the system, alone, timed in one process.
 *
 * Most of them take less than a microsecond, which a timer cannot measure: a call of `run` does `operations`
 * of them, and the time of one is shown.
 */
export interface MicroTask {
  readonly name: string
  /** The number of operations in one call of `run`. */
  readonly operations: number
  readonly run: () => void
  /** Called before each `run`; not measured. */
  readonly prepare?: () => void
}

export interface MicroSuite {
  readonly tasks: readonly MicroTask[]
  /** Removes the files of the suite. */
  readonly end: () => void
}

/** Operations of one call, unless the task states another number. */
export const OPERATIONS = 1_000
