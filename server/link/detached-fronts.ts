/**
 * Detached fronts: fronts whose links have ended. Their sessions stay open, so that nobody sees their users go
 * offline, until the front has opened them again over its next link, at most for `DETACHED_MS`. Bounded by the
 * links that end within that time; the newest `MAX_GIVEN_UP` fronts that did not connect again are remembered.
 */
import type { Timers } from '../../engine/threads/timer.ts'
import type { LinkedFront } from './linked-front.ts'

/** A front that does not connect again within this time is given up: its users go offline. */
const DETACHED_MS = 15_000
const MAX_GIVEN_UP = 1_000

export class DetachedFronts {
  readonly #timers: Pick<Timers, 'after'>
  /** By the id of the front: each with a function that cancels its timer. */
  readonly #byId = new Map<string, Map<LinkedFront, () => void>>()
  readonly #givenUp = new Set<string>()

  constructor(timers: Pick<Timers, 'after'>) {
    this.#timers = timers
  }

  /** The link of the front has ended. */
  add(id: string, front: LinkedFront): void {
    front.detach()
    const fronts = this.#byId.get(id) ?? new Map<LinkedFront, () => void>()
    this.#byId.set(
      id,
      fronts.set(
        front,
        this.#timers.after(DETACHED_MS, () => this.#giveUp(id, front)),
      ),
    )
  }

  /** Whether sessions of earlier links of the front are open. */
  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Whether sessions of the front were closed that it has not opened again yet. */
  wasGivenUp(id: string): boolean {
    return this.#givenUp.has(id)
  }

  /** The front has opened all sessions of its earlier links again. */
  endAll(id: string): void {
    this.#givenUp.delete(id)
    for (const front of this.#byId.get(id)?.keys() ?? []) this.#end(id, front)
  }

  /** Nobody waits for any front. */
  close(): void {
    for (const id of [...this.#byId.keys()]) this.endAll(id)
  }

  #giveUp(id: string, front: LinkedFront): void {
    if (front.sessions > 0) this.#givenUp.add(id)
    const [oldest] = this.#givenUp
    if (this.#givenUp.size > MAX_GIVEN_UP && oldest !== undefined) this.#givenUp.delete(oldest)
    this.#end(id, front)
  }

  #end(id: string, front: LinkedFront): void {
    const fronts = this.#byId.get(id)
    fronts?.get(front)?.()
    fronts?.delete(front)
    if (fronts?.size === 0) this.#byId.delete(id)
    front.end()
  }
}
