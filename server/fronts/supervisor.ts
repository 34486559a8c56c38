/**
 * Supervisor: one engine process and the front processes before it, started, restarted, replaced and stopped.
 *
 * The engine starts first and stops last. A deployment replaces the engine while the fronts hold its requests;
 * then it starts all new fronts, lets the old ones accept no more connections, and ends these one after the
 * other. So a client that is disconnected finds new fronts only, and is disconnected once. A new process that
 * does not start leaves the old ones in place.
 */
import type { EngineLogger } from '../../engine/base/engine-logger.ts'
import type { Child } from './child.ts'
import type { Listening } from './child-messages.ts'
import { Slot } from './slot.ts'

export interface SupervisorOptions {
  /** Starts an engine process, which loads and waits for `start`. */
  readonly spawnEngine: () => Child
  /** Starts the front process with that number. */
  readonly spawnFront: (number: number) => Child
  /** The number of fronts, at least 1. */
  readonly fronts: number
  readonly logger: EngineLogger
  readonly after: (delayMs: number, then: () => void) => () => void
}

/** What a deployment replaces. */
export type Deployed = 'all' | 'engine'

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #engine: Slot
  #fronts: Slot[] = []
  /** The deployment or stop that runs. */
  #running: Promise<void> | null = null
  #isStarted = false
  #isStopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#engine = new Slot({
      name: 'engine',
      spawn: () => {
        const child = options.spawnEngine()
        child.loaded.then(
          () => child.tell('start'),
          // Its slot reports the exit.
          () => {},
        )
        return child
      },
      logger: options.logger,
      after: options.after,
    })
  }

  /** Starts everything. @throws Error with the reason of the first process that cannot start; all are stopped. */
  async start(): Promise<Listening> {
    try {
      await this.#engine.start()
      this.#fronts = Array.from({ length: this.#options.fronts }, (_, at) => this.#frontSlot(at + 1))
      const [listening = {}] = await allOf(this.#fronts.map((front) => front.start()))
      this.#isStarted = true
      return listening
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * Replaces the processes; `report` receives each step. Resolves when the last old process has ended.
   * @throws Error if the server is starting or stopping, if a deployment runs, or if a new process does not start
   */
  async deploy(what: Deployed, report: (step: string) => void): Promise<void> {
    if (!this.#isStarted) throw new Error('the server is starting')
    if (this.#isStopping) throw new Error('the server is stopping')
    if (this.#running !== null) throw new Error('a deployment is running')
    this.#running = this.#deploy(what, report).finally(() => {
      this.#running = null
    })
    await this.#running
  }

  /** Stops the fronts, then the engine. May be called again. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#fronts.map((front) => front.stop()))
    await this.#engine.stop()
    // A deployment under way ends with the processes that it has started.
    await this.#running?.catch(() => {})
  }

  async #deploy(what: Deployed, report: (step: string) => void): Promise<void> {
    const next = this.#options.spawnEngine()
    await next.loaded.catch((error: Error) => {
      throw new Error(`the new engine does not start: ${error.message}; the old one continues`)
    })
    await this.#engine.replaceWith(next).catch((error: Error) => {
      throw new Error(`the new engine ended: ${error.message}; it is started again`)
    })
    report('the engine is replaced')
    if (what === 'engine' || this.#isStopping) return
    const old = this.#fronts
    const fronts = old.map((_, at) => this.#frontSlot(at + 1))
    // Known to `stop` from here on.
    this.#fronts = [...old, ...fronts]
    try {
      await allOf(fronts.map((front) => front.start()))
    } catch (error) {
      await Promise.all(fronts.map((front) => front.stop()))
      this.#fronts = old
      throw new Error(`a new front does not start: ${(error as Error).message}; the old ones continue`)
    }
    report(`${fronts.length} new fronts accept connections`)
    for (const front of old) front.stopListening()
    for (const front of old) {
      await front.stop()
      this.#fronts = this.#fronts.filter((other) => other !== front)
      report(`${front.name} is replaced`)
    }
  }

  #frontSlot(number: number): Slot {
    const { logger, after, spawnFront } = this.#options
    return new Slot({ name: `front ${number}`, spawn: () => spawnFront(number), logger, after })
  }
}

/** Resolves when all have resolved; rejects, with the first reason, when all have ended. */
async function allOf<T>(tasks: readonly Promise<T>[]): Promise<readonly T[]> {
  const results = await Promise.allSettled(tasks)
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
