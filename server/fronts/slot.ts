/**
 * Slot: the place of one process, the engine or a front, that is started again when it ends unexpectedly.
 */
import type { EngineLogger } from '../../engine/base/engine-logger.ts'
import { BackOff } from './back-off.ts'
import type { Child } from './child.ts'
import type { Listening } from './child-messages.ts'

export interface SlotOptions {
  /** For the log: `engine`, `front 2`. */
  readonly name: string
  /** Starts a process; an engine begins with its work at once. */
  readonly spawn: () => Child
  readonly logger: EngineLogger
  readonly after: (delayMs: number, then: () => void) => () => void
}

export class Slot {
  readonly name: string
  readonly #options: SlotOptions
  readonly #backOff = new BackOff()
  #child: Child | null = null
  #cancelStart: (() => void) | null = null
  #isEnding = false

  constructor(options: SlotOptions) {
    this.name = options.name
    this.#options = options
  }

  /** The first start. @throws Error with the reason if the process ends before it is ready; it is not started again. */
  async start(): Promise<Listening> {
    if (this.#isEnding) throw new Error('it is stopped')
    const child = this.#options.spawn()
    this.#child = child
    const listening = await child.ready
    this.#watch(child)
    return listening
  }

  /** Stops the process and, when it has ended, lets `next` begin. Resolves when that one is ready. */
  async replaceWith(next: Child): Promise<void> {
    const old = this.#child
    this.#watch(next)
    await old?.stop()
    next.tell('start')
    await next.ready
  }

  /** The front accepts no more connections. */
  stopListening(): void {
    this.#child?.tell('stop_listening')
  }

  /** Ends the process; it is not started again. */
  async stop(): Promise<void> {
    this.#isEnding = true
    this.#cancelStart?.()
    await this.#child?.stop()
  }

  /** From now on this process belongs to the slot. */
  #watch(child: Child): void {
    this.#cancelStart?.()
    this.#cancelStart = null
    this.#child = child
    void child.exited.then(({ why, readyMs }) => {
      // A process that was replaced or stopped.
      if (this.#child !== child) return
      this.#child = null
      if (this.#isEnding) return
      const { name, logger, after, spawn } = this.#options
      const delayMs = this.#backOff.next(readyMs)
      logger.error({ process: name, pid: child.pid, why, delayMs }, 'a process ended and is started again')
      this.#cancelStart = after(delayMs, () => this.#watch(spawn()))
    })
  }
}
