/**
 * Results: the figures of every round by work and peer, their medians, and what a row has to state.
 */
import type { Figures } from './works/work.ts'

/** A core is full: the load process may be the limit. */
const FULL_CORE = 0.9
/** The share of the machine that others may use. */
const MAX_OTHERS = 0.05

export interface Trial {
  readonly figures: Figures
  /** Why there are no figures. */
  readonly error?: string
}

/** Rounds by work and peer. */
export type Results = Record<string, Record<string, Trial[]>>

export function medianOf(trials: readonly Trial[], figure: string): number | null {
  return median(trials.map(({ figures }) => figures[figure] ?? null))
}

/** The median of the rounds' quotients of two peers; the rounds alternate. */
export function medianRatio(of: readonly Trial[], to: readonly Trial[], figure: string): number | null {
  return median(
    of.map(({ figures }, round) => {
      const [value, base] = [figures[figure], to[round]?.figures[figure]]
      return value === null || value === undefined || !base ? null : value / base
    }),
  )
}

export function isLoadFull(trials: readonly Trial[], figure: string | undefined): boolean {
  return figure !== undefined && (medianOf(trials, figure) ?? 0) > FULL_CORE
}

/** The greatest share of the machine that others used in any part, 0 to 1. */
export function othersShare({ figures }: Trial, cores: number): number {
  const shares = Object.entries(figures)
    .filter(([name]) => name.startsWith('other cores'))
    .map(([, value]) => value ?? 0)
  return Math.max(0, ...shares) / cores
}

export function isDisturbed(trial: Trial, cores: number): boolean {
  return othersShare(trial, cores) > MAX_OTHERS
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value): value is number => value !== null).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null
}
