/**
 * Tab channel: messages between the tabs of a browser that show the same user. What one tab posts reaches all
 * others, in order. Without `BroadcastChannel` a tab is alone.
 */
export interface TabChannel {
  post(message: unknown): void
  listen(listener: (message: unknown) => void): () => void
  close(): void
}

export function openTabChannel(name: string): TabChannel {
  const listeners = new Set<(message: unknown) => void>()
  const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : null
  channel?.addEventListener('message', ({ data }: MessageEvent) => {
    for (const listener of listeners) listener(data)
  })
  // In Node an open channel does not let the process end.
  ;(channel as { unref?(): void } | null)?.unref?.()
  return {
    post: (message) => channel?.postMessage(message),
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => channel?.close(),
  }
}
