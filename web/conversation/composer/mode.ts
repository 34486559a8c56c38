/**
 * Mode: what the composer of a group does besides writing a new message. It stays while another group is on
 * show, with the text of an edit; one for each group that was on show, and none is stored on the device.
 */
import { useCallback, useState } from 'preact/hooks'
import type { GroupHandle, MessageItem } from '../../../client/store/types.ts'

export type Mode =
  | { readonly kind: 'reply'; readonly item: MessageItem }
  /** `text` is what the message is to become. */
  | { readonly kind: 'edit'; readonly item: MessageItem; readonly text: string }

export function editOf(item: MessageItem): Mode {
  return { kind: 'edit', item, text: item.content }
}

const modes = new WeakMap<GroupHandle, Mode>()

/** The mode of a group's composer, and what changes it; null is a new message. */
export function useMode(handle: GroupHandle): readonly [Mode | null, (mode: Mode | null) => void] {
  const [mode, setMode] = useState(() => modes.get(handle) ?? null)
  const set = useCallback(
    (next: Mode | null) => {
      if (next) modes.set(handle, next)
      else modes.delete(handle)
      setMode(next)
    },
    [handle],
  )
  return [mode, set]
}
