/**
 * Back-off: how long a process that ended unexpectedly waits for its next start.
 *
 * A process that was ready for a while is started again at once: its users wait for it. One that ends again and
 * again waits twice as long each time, so that a broken process does not use the machine.
 */

const STABLE_AFTER_MS = 2_000
const FIRST_MS = 100
const LONGEST_MS = 10_000

export class BackOff {
  #failures = 0

  /** The delay before the next start, after a process that was ready for `readyMs` (0: never). */
  next(readyMs: number): number {
    if (readyMs >= STABLE_AFTER_MS) this.#failures = 0
    const delayMs = this.#failures === 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.#failures - 1))
    this.#failures += 1
    return delayMs
  }
}
