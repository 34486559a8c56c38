/**
 * Parts of the page that are loaded when they are first needed.
 */
import { useEffect, useState } from 'preact/hooks'

/** The value of a promise; null before. `load` must be the same function in each render. */
export function useLoaded<T>(load: () => Promise<T>): T | null {
  const [value, setValue] = useState<{ readonly of: T } | null>(null)
  useEffect(() => {
    let isCurrent = true
    load().then(
      (of) => isCurrent && setValue({ of }),
      // Without a network, a part that was never loaded is not there; it is loaded when it is opened again.
      () => {},
    )
    return () => {
      isCurrent = false
    }
  }, [load])
  return value?.of ?? null
}
