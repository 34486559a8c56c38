/**
 * A view whose value a test sets; a class with methods, as an application may write one.
 */
import type { View } from '../../../client/store/types.ts'

export class AView<T> implements View<T> {
  readonly listeners = new Set<() => void>()
  #value: T

  constructor(value: T) {
    this.#value = value
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  getSnapshot(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    for (const listener of this.listeners) listener()
  }
}
