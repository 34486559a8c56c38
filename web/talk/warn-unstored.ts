/**
 * Warning: the browser asks a user who leaves the page before a file is stored on the device. The listener is there
 * only so long: Firefox does not put pages that have one into its cache for going back.
 */
import type { Store } from '../../client/store/types.ts'

/** Starts it; returns what ends it. */
export function warnUnstored({ uploads }: Pick<Store, 'uploads'>): () => void {
  const warn = (event: Event) => event.preventDefault()
  const update = () => {
    const isNeeded = uploads.getSnapshot().uploads.some(({ isStored }) => !isStored)
    if (isNeeded) window.addEventListener('beforeunload', warn)
    else window.removeEventListener('beforeunload', warn)
  }
  const stop = uploads.subscribe(update)
  update()
  return () => {
    stop()
    window.removeEventListener('beforeunload', warn)
  }
}
