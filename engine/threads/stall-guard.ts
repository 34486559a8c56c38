/**
 * Stall guard: detects that another thread makes no progress.
 *
 * While requests are pending, it checks once a second whether the other side has advanced. After
 * `STALLED_CHECKS` checks without progress it calls `onStalled`, and again only after an advance. It counts
 * checks instead of comparing times, so that a long pause of this thread does not count as a stall of the
 * other. It has a timer only while requests are pending.
 */
export interface StallGuardDeps {
  /** Calls `then` after that time, unless the returned function is called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
  /** Whether requests are pending. */
  readonly isWaiting: () => boolean
  readonly onStalled: () => void
}

const CHECK_EVERY_MS = 1_000
const STALLED_CHECKS = 5

export class StallGuard {
  readonly #deps: StallGuardDeps
  #cancel: (() => void) | null = null
  #checks = 0
  #closed = false

  constructor(deps: StallGuardDeps) {
    this.#deps = deps
  }

  /** Requests are pending from now on. */
  watch(): void {
    if (this.#cancel === null && !this.#closed) this.#arm()
  }

  /** The other side has advanced. */
  advanced(): void {
    this.#checks = 0
  }

  /** Stops the timer permanently: a query while the thread ends must not keep the thread alive. */
  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#cancel = null
  }

  #arm(): void {
    this.#cancel = this.#deps.after(CHECK_EVERY_MS, () => {
      this.#cancel = null
      if (!this.#deps.isWaiting()) {
        this.#checks = 0
        return
      }
      this.#checks += 1
      if (this.#checks === STALLED_CHECKS) this.#deps.onStalled()
      this.#arm()
    })
  }
}
