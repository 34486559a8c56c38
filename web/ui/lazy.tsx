/**
 * Lazy: a component that is loaded when it is first rendered. Once loaded it renders at once.
 */
import type { FunctionComponent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useShell } from '../shell.ts'

export function lazy<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  const shared: { component?: FunctionComponent<P> } = {}
  return (props: P) => {
    const { fail } = useShell()
    const [Component, setComponent] = useState(() => shared.component)
    useEffect(() => {
      if (Component) return
      // Without a network a part that was never loaded stays absent until it is rendered again.
      load().then((component) => {
        shared.component = component
        setComponent(() => component)
      }, fail)
    }, [Component, fail])
    return Component ? <Component {...props} /> : null
  }
}
