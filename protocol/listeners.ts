/**
 * Listeners: the functions to call for each event, in the order in which they were added. A listener
 * that throws does not affect the others, and its error is reported as uncaught.
 */
export class Listeners<Events extends object> {
  readonly #byName = new Map<keyof Events, Set<(fields: never) => void>>()

  /** Calls `listener` for each event of this name; the returned function removes it. */
  on<N extends keyof Events>(name: N, listener: (fields: Events[N]) => void): () => void {
    const listeners = this.#byName.get(name) ?? new Set()
    this.#byName.set(name, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  emit<N extends keyof Events>(name: N, fields: Events[N]): void {
    for (const listener of this.#byName.get(name) ?? []) {
      try {
        listener(fields as never)
      } catch (error) {
        // Report the error as uncaught, and continue.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
