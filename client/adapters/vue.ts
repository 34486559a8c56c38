/**
 * `tertulia/vue`: the views of a `ChatStore` as Vue refs.
 */
import { onScopeDispose, type ShallowRef, shallowRef } from 'vue'
import type { View } from '../store/types.ts'

/**
 * The value of a view as a ref, until the component or scope ends.
 *
 * @example
 * ```ts
 * const groups = useView(store.groups)
 * ```
 */
export function useView<T>(view: View<T>): Readonly<ShallowRef<T>> {
  const value = shallowRef(view.getSnapshot())
  const update = () => {
    value.value = view.getSnapshot()
  }
  onScopeDispose(view.subscribe(update))
  update()
  return value
}
