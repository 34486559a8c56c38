/**
 * Stall guard: notices that another thread makes no progress on what it was given.
 *
 * While something waits, it looks once a second whether the other side has moved; after
 * `STALLED_CHECKS` looks without, `onStalled` is called, and again only after it has moved. Checks
 * are counted rather than times compared, so that one long pause of this thread is no stall of the
 * other. One timer while something waits, none otherwise.
 */
export interface StallGuardDeps {
  /** Calls `then` after that time, unless the function returned was called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
  /** Whether anything waits. */
  readonly waits: () => boolean
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

  /** Something waits from now on, if it did not before. */
  watch(): void {
    if (this.#cancel === null && !this.#closed) this.#arm()
  }

  /** The other side has moved. */
  moved(): void {
    this.#checks = 0
  }

  /** Ends the timer permanently: a query while the thread ends must not keep the thread alive. */
  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#cancel = null
  }

  #arm(): void {
    this.#cancel = this.#deps.after(CHECK_EVERY_MS, () => {
      this.#cancel = null
      if (!this.#deps.waits()) {
        this.#checks = 0
        return
      }
      this.#checks += 1
      if (this.#checks === STALLED_CHECKS) this.#deps.onStalled()
      this.#arm()
    })
  }
}
