/**
 * Trace: the last steps of a run as text, to analyse a failure.
 */
import type { Event } from '../../../protocol/events.ts'
import { Violation } from './violation.ts'

const SHOWN = 30

export class Trace {
  #steps: (() => string)[] = []
  /** The number of notes so far. */
  length = 0

  /** Records a step; its text is made only when it is shown. */
  note(when: string, what: string | (() => string)): void {
    this.length += 1
    this.#steps.push(() => `${when} ${typeof what === 'string' ? what : what()}`)
    if (this.#steps.length > SHOWN * 10) this.#steps = this.#steps.slice(-SHOWN)
  }

  /** The error that a run ends with. */
  failure(seed: number, step: number, error: unknown): Error {
    const why = error instanceof Violation ? error.message : ((error as Error).stack ?? String(error))
    const last = this.#steps.slice(-SHOWN).map((toText) => toText())
    return new Error(`seed ${seed}, step ${step}: ${why}\n${last.join('\n')}\nReplay it with SEED=${seed}`, {
      cause: error,
    })
  }
}

/** An event as a short text. */
export function brief({ event, fields }: Event): string {
  const text = JSON.stringify(fields)
  return `${event} ${text.length > 160 ? `${text.slice(0, 160)}…` : text}`
}
