/**
 * `tertulia/preact`: the views of a `ChatStore` as Preact hooks.
 */
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import type { View } from '../store/types.ts'

/**
 * The value of a view; the component renders again after each change.
 *
 * @example
 * ```ts
 * const { groups } = useView(store.groups)
 * ```
 */
export function useView<T>(view: View<T>): T {
  const [, render] = useReducer<number, void>((count) => count + 1, 0)
  const value = view.getSnapshot()
  const shown = useRef(value)
  shown.current = value
  useLayoutEffect(() => {
    const end = view.subscribe(() => render())
    // It may have changed between the rendering and the subscription.
    if (view.getSnapshot() !== shown.current) render()
    return end
  }, [view])
  return value
}
