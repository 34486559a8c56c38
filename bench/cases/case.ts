/**
 * Case: one question to the server, asked by a load process, answered in figures.
 */
import type { Target } from '../load/crowd.ts'

/** What a case is asked with. */
export interface CaseInput extends Target {
  /** The server's process. */
  readonly pid: number
  /** Shorter, same sizes. */
  readonly quick: boolean
}

/** Figures by name; the unit is in the name. */
export type Figures = Readonly<Record<string, number>>

export type Case = (input: CaseInput) => Promise<Figures>
