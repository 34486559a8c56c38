/**
 * Tab locks: one tab at a time holds the lock of a name. The browser releases it when the tab ends or crashes.
 * Without Web Locks (no HTTPS) every tab holds it, and each has a connection of its own.
 */
export interface TabLocks {
  /**
   * Waits for the lock, or takes it from its holder. Calls `held` when this tab holds it, then `lost` if
   * another tab takes it. The returned function releases it or ends the wait.
   */
  acquire(name: string, options: { readonly steal: boolean }, held: () => void, lost: () => void): () => void
}

export const webLocks: TabLocks = {
  acquire(name, { steal }, held, lost) {
    if (typeof navigator !== 'object' || !navigator.locks) {
      queueMicrotask(held)
      return () => {}
    }
    let isReleased = false
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    navigator.locks
      .request(name, { steal }, () => {
        if (isReleased) return
        held()
        return released
      })
      .catch(() => {
        if (!isReleased) lost()
      })
    return () => {
      isReleased = true
      release()
    }
  },
}
