/**
 * `tertulia/solid`: the views of a `ChatStore` as Solid signals.
 */
import { type Accessor, createSignal, onCleanup } from 'solid-js'
import type { View } from '../store/types.ts'

/**
 * The value of a view as a signal, until its owner is disposed of.
 *
 * @example
 * ```ts
 * const groups = fromView(store.groups)
 * ```
 */
export function fromView<T>(view: View<T>): Accessor<T> {
  const [value, setValue] = createSignal(view.getSnapshot())
  onCleanup(view.subscribe(() => setValue(() => view.getSnapshot())))
  setValue(() => view.getSnapshot())
  return value
}
