/**
 * Work: what a load process does with one peer; its result is figures.
 */
import type { WireName } from '../load/wires.ts'

export interface WorkInput {
  readonly wire: WireName
  readonly port: number
  readonly secret: string
  /** The process of the server. */
  readonly pid: number
  readonly connections: number
  readonly quick: boolean
  /** The measured time of each part, if it is not the work's own. */
  readonly seconds: number | null
}

/** A figure that this peer does not have is null. */
export type Figures = Readonly<Record<string, number | null>>

/** How the server is to end before it is started again on the same port and data. */
export type RestartKind = 'kill' | 'stop'

/** Starts the server again. Resolves when it accepts connections, with its process and how long it was away. */
export type Restart = (kind: RestartKind) => Promise<{ readonly pid: number; readonly awayMs: number }>

export type Work = (input: WorkInput, restart: Restart) => Promise<Figures>
