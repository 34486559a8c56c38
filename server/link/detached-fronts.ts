/**
 * Detached fronts: fronts whose links have ended. Their sessions stay open, so that nobody sees their users go
 * offline, until the front has opened them again over its next link, at most for `DETACHED_MS`. To an engine that
 * has started users are offline until their front connects, so that others may see that after `RETURN_MS`.
 * Bounded by the fronts that are linked and the links that end within `DETACHED_MS`.
 */
import type { Timers } from '../../engine/threads/timer.ts'
import type { LinkedFront } from './linked-front.ts'

/** A front that does not connect again within this time is given up: its users go offline. */
const DETACHED_MS = 15_000
/** A front that connects later than this after the start is not in time. */
const RETURN_MS = 5_000

export class DetachedFronts {
  readonly #timers: Pick<Timers, 'after'>
  /** By the id of the front: each with a function that cancels its timer. */
  readonly #byId = new Map<string, Map<LinkedFront, () => void>>()
  /** Fronts that connected in time, or that have opened all their sessions again since. */
  readonly #inTime = new Set<string>()
  readonly #cancelStart: () => void
  /** The engine has started a moment ago: fronts may be on their way. */
  #isNew = true

  constructor(timers: Pick<Timers, 'after'>) {
    this.#timers = timers
    this.#cancelStart = timers.after(RETURN_MS, () => {
      this.#isNew = false
    })
  }

  /** The front has connected. */
  linked(id: string): void {
    if (this.#isNew) this.#inTime.add(id)
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

  /** Whether others may have seen users of the front go offline, until it has opened its sessions again. */
  wasGivenUp(id: string): boolean {
    return !this.#inTime.has(id)
  }

  /** The front has opened all sessions of its earlier links again. */
  endAll(id: string): void {
    this.#inTime.add(id)
    for (const front of this.#byId.get(id)?.keys() ?? []) this.#end(id, front)
  }

  /** Nobody waits for any front. */
  close(): void {
    this.#cancelStart()
    for (const id of [...this.#byId.keys()]) this.endAll(id)
  }

  #giveUp(id: string, front: LinkedFront): void {
    this.#inTime.delete(id)
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
