/**
 * Trace: the last steps of a run, in words, for whoever looks into a failure.
 */
import type { Event } from '../../../protocol/events.ts'
import { Violation } from './violation.ts'

const TOLD = 30

export class Trace {
  #steps: (() => string)[] = []
  /** How much was noted so far. */
  length = 0

  /** Remembers what happens; put into words only where it is told. */
  note(when: string, what: string | (() => string)): void {
    this.length += 1
    this.#steps.push(() => `${when} ${typeof what === 'string' ? what : what()}`)
    if (this.#steps.length > TOLD * 10) this.#steps = this.#steps.slice(-TOLD)
  }

  /** The error that a run ends with. */
  failure(seed: number, step: number, error: unknown): Error {
    const why = error instanceof Violation ? error.message : ((error as Error).stack ?? String(error))
    const last = this.#steps.slice(-TOLD).map((told) => told())
    return new Error(`seed ${seed}, step ${step}: ${why}\n${last.join('\n')}\nReplay it with SEED=${seed}`, {
      cause: error,
    })
  }
}

/** An event in a few words. */
export function brief({ event, fields }: Event): string {
  const told = JSON.stringify(fields)
  return `${event} ${told.length > 160 ? `${told.slice(0, 160)}…` : told}`
}
