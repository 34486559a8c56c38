/**
 * Lazy: parts of the page that are loaded when they are first rendered. While one cannot be loaded, the page says why
 * (`missing-parts.ts`).
 */
import type { FunctionComponent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useShell } from '../shell.ts'

/** The part, or null before. `load` must be the same function in each render; with null nothing is loaded. */
export function useLoaded<T>(load: (() => Promise<T>) | null): T | null {
  const { missingParts } = useShell()
  const [loaded, setLoaded] = useState<{ readonly part: T } | null>(null)
  useEffect(() => {
    if (load) return missingParts.load(load, (part) => setLoaded({ part }))
  }, [load, missingParts])
  return loaded?.part ?? null
}

/** A component that is loaded when it is first rendered. Once loaded it renders at once. */
export function lazy<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  const shared: { component?: FunctionComponent<P> } = {}
  const loadOnce = async () => {
    shared.component = await load()
    return shared.component
  }
  return (props: P) => {
    const [known] = useState(() => shared.component)
    const loaded = useLoaded(known ? null : loadOnce)
    const Component = known ?? loaded
    return Component ? <Component {...props} /> : null
  }
}
