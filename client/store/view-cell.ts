/**
 * View cell: a view whose value is set. Listeners are called once for each turn of the event loop.
 */
import type { View } from './types.ts'

export class ViewCell<T> implements View<T> {
  readonly #listeners = new Set<() => void>()
  #value: T
  #isNotifying = false

  constructor(value: T) {
    this.#value = value
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly getSnapshot = (): T => this.#value

  set(value: T): void {
    this.#value = value
    if (this.#isNotifying) return
    this.#isNotifying = true
    queueMicrotask(() => {
      this.#isNotifying = false
      for (const listener of [...this.#listeners]) listener()
    })
  }
}
