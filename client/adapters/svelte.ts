/**
 * `tertulia/svelte`: the views of a `ChatStore` as Svelte stores. It needs nothing of Svelte: what Svelte
 * calls a store is an object with this `subscribe`.
 */
import type { View } from '../store/types.ts'

/**
 * The value of a view as a readable store.
 *
 * @example
 * ```ts
 * const groups = readable(store.groups) // in the markup: {#each $groups.groups as group}
 * ```
 */
export function readable<T>(view: View<T>): { subscribe(run: (value: T) => void): () => void } {
  return {
    subscribe(run) {
      const end = view.subscribe(() => run(view.getSnapshot()))
      run(view.getSnapshot())
      return end
    },
  }
}
