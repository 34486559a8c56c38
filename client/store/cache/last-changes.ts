/**
 * Last changes: what the leading tab had not written to its database when its page ended.
 *
 * Browsers abort the transactions of a page that ends, also one that was committed behind another. What is in
 * `localStorage` is stored when the call returns. The next tab that leads takes it from there, once.
 * Without `localStorage`, or when it is full, nothing is stored.
 */
export class LastChanges<Change> {
  readonly #key: string

  constructor(name: string) {
    this.#key = `${name} last`
  }

  store(changes: readonly Change[]): void {
    try {
      localStorage.setItem(this.#key, JSON.stringify(changes))
    } catch {
      // The database may have them.
    }
  }

  /** Returns the changes and removes them. */
  take(): readonly Change[] {
    try {
      const text = localStorage.getItem(this.#key)
      localStorage.removeItem(this.#key)
      return JSON.parse(text ?? '[]') as Change[]
    } catch {
      return []
    }
  }
}
