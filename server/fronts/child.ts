/**
 * Child: one process of a supervisor, from its start to its exit.
 */
import type { ChildProcess } from 'node:child_process'
import { type Listening, onReport, type ToChild } from './child-messages.ts'

/** Why a process ended: `exit code 1`, `signal SIGKILL`, or the reason that it reported. */
export interface Exit {
  readonly why: string
  /** How long it had been ready. */
  readonly readyMs: number
}

export interface ChildOptions {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** Time from SIGTERM to SIGKILL. */
  readonly stopWithinMs: number
  readonly after: (delayMs: number, then: () => void) => () => void
}

export class Child {
  /** Resolves when an engine can start. Rejects if the process ends before. */
  readonly loaded: Promise<void>
  /** Resolves when it serves. Rejects with the reason if it ends before. */
  readonly ready: Promise<Listening>
  readonly exited: Promise<Exit>
  readonly #process: ChildProcess
  readonly #options: ChildOptions
  #readyAtMs: number | null = null
  #failure: string | null = null

  constructor(process: ChildProcess, options: ChildOptions) {
    this.#process = process
    this.#options = options
    this.exited = new Promise((resolve) => {
      const ended = (why: string): void => {
        const readyMs = this.#readyAtMs === null ? 0 : options.now() - this.#readyAtMs
        resolve({ why: this.#failure ?? why, readyMs })
      }
      process.once('exit', (code, signal) => ended(signal ? `signal ${signal}` : `exit code ${code}`))
      // It could not be started at all.
      process.once('error', (error) => ended(error.message))
    })
    const endsFirst = this.exited.then(({ why }) => {
      throw new Error(why)
    })
    this.loaded = Promise.race([
      new Promise<void>((resolve) => onReport(process, 'loaded', () => resolve())),
      endsFirst,
    ])
    this.ready = Promise.race([
      new Promise<Listening>((resolve) => onReport(process, 'ready', ({ listening }) => resolve(listening))),
      endsFirst,
    ])
    // Not everybody waits for them.
    for (const awaited of [this.loaded, this.ready]) awaited.catch(() => {})
    onReport(process, 'ready', () => {
      this.#readyAtMs = options.now()
    })
    onReport(process, 'failed', ({ why }) => {
      this.#failure = why
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  tell(message: ToChild): void {
    // It may be ending at this moment.
    if (this.#process.connected) this.#process.send(message, () => {})
  }

  /** SIGTERM, and SIGKILL if it takes too long. Resolves when the process has ended. */
  async stop(): Promise<Exit> {
    this.#process.kill('SIGTERM')
    const cancel = this.#options.after(this.#options.stopWithinMs, () => this.#process.kill('SIGKILL'))
    const exit = await this.exited
    cancel()
    return exit
  }
}
