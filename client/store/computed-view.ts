/**
 * Computed view: a view whose value is computed from the state when it is read after a change.
 *
 * A change of the state calls `changed`. Listeners are called once for each turn of the event loop, and only
 * if the value is another one: `compute` receives the value before, and returns it if nothing on show changed.
 */
import type { View } from './types.ts'

export class ComputedView<T> implements View<T> {
  readonly #listeners = new Set<() => void>()
  readonly #compute: (before: T) => T
  readonly #onUse: (isUsed: boolean) => void
  #value: T
  /** The value for which listeners were called last. */
  #notified: T
  #isStale = true
  #isWaiting = false

  /** `onUse` is called when the view gets its first listener, and when it loses its last. */
  constructor(initial: T, compute: (before: T) => T, onUse: (isUsed: boolean) => void = () => {}) {
    this.#value = initial
    this.#notified = initial
    this.#compute = compute
    this.#onUse = onUse
  }

  get isUsed(): boolean {
    return this.#listeners.size > 0
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    // One function may subscribe twice.
    const own = () => listener()
    if (!this.isUsed) this.#notified = this.getSnapshot()
    this.#listeners.add(own)
    if (this.#listeners.size === 1) this.#onUse(true)
    return () => {
      if (this.#listeners.delete(own) && !this.isUsed) this.#onUse(false)
    }
  }

  readonly getSnapshot = (): T => {
    if (this.#isStale) {
      this.#isStale = false
      this.#value = this.#compute(this.#value)
    }
    return this.#value
  }

  /** What the value is computed from has changed. */
  changed(): void {
    this.#isStale = true
    if (this.#isWaiting || !this.isUsed) return
    this.#isWaiting = true
    queueMicrotask(() => {
      this.#isWaiting = false
      const before = this.#notified
      this.#notified = this.getSnapshot()
      if (this.#notified !== before) for (const listener of [...this.#listeners]) listener()
    })
  }
}
