/**
 * Case: one measurement of the server, made by a load process; its result is figures.
 */
import type { Target } from '../load/crowd.ts'

/** The parameters of a case. */
export interface CaseInput extends Target {
  /** The server's process. */
  readonly pid: number
  /** A shorter run with the same sizes. */
  readonly quick: boolean
}

/** Figures by name; the unit is in the name. */
export type Figures = Readonly<Record<string, number>>

export type Case = (input: CaseInput) => Promise<Figures>
