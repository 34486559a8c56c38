/**
 * Listeners: who hears which event. Listeners are called in the order in which they were added;
 * one that throws spoils nothing for the others, and its error is not swallowed.
 */
export class Listeners<Events extends object> {
  readonly #byName = new Map<keyof Events, Set<(fields: never) => void>>()

  /** Calls `listener` for each such event; the function returned ends that. */
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
        // The listener's own failure: it is reported as uncaught, and the stream goes on.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
