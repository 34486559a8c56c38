/**
 * Read mark: what was visible to its end while the window had the focus is marked as read, once: what the user
 * marks as unread stays so until something newer was read. Nothing is marked during a jump, which passes over
 * messages that were not read.
 */
import { useEffect, useRef } from 'preact/hooks'
import type { GroupHandle, GroupItem, WindowView } from '../../../client/store/types.ts'
import type { Visible } from './anchored-list.tsx'

export function useReadMark(
  handle: GroupHandle,
  view: WindowView,
  info: GroupItem | null,
  visible: Visible,
): void {
  const readSeq = info?.readSeq ?? 0
  const seen = useRef(0)
  useEffect(() => {
    const mark = () => {
      if (!document.hasFocus() || document.visibilityState !== 'visible') return
      if (view.loading === 'jump' || view.target !== visible.target) return
      const seq = lastSeqOf(view, new Set(visible.read))
      if (seq <= seen.current) return
      seen.current = seq
      if (seq > readSeq) handle.markRead(seq)
    }
    mark()
    addEventListener('focus', mark)
    document.addEventListener('visibilitychange', mark)
    return () => {
      removeEventListener('focus', mark)
      document.removeEventListener('visibilitychange', mark)
    }
  }, [handle, view, visible, readSeq])
}

/** The highest seq of the rows; 0 for none. */
function lastSeqOf(view: WindowView, keys: ReadonlySet<string>): number {
  for (let i = view.items.length - 1; i >= 0; i--) {
    const item = view.items[i]
    if (item && item.kind !== 'hole' && item.seq !== undefined && keys.has(item.key)) return item.seq
  }
  return 0
}
