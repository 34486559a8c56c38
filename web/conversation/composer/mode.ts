/**
 * Mode: what the composer of a group does besides writing a new message. It is stored with the draft of the group.
 */
import { useCallback } from 'preact/hooks'
import type {
  DraftMode,
  GroupHandle,
  GroupItem,
  MessageItem,
  WindowView,
} from '../../../client/store/types.ts'

/** Sets the mode of a group's composer; null is a new message. */
export type SetMode = (mode: DraftMode | null) => void

/** The mode of a group's composer, and what changes it. */
export function useMode(handle: GroupHandle, info: GroupItem | null): readonly [DraftMode | null, SetMode] {
  const set = useCallback(
    (mode: DraftMode | null) => handle.setDraft(handle.info.getSnapshot()?.draft ?? '', mode),
    [handle],
  )
  return [info?.draftMode ?? null, set]
}

export function editOf({ messageId = '', content }: MessageItem): DraftMode {
  return { kind: 'edit', messageId, text: content }
}

/** The message of a mode as it is now, if it is in the window. */
export function messageOf(mode: DraftMode, { items }: WindowView): MessageItem | undefined {
  const found = items.findLast((item) => item.kind === 'message' && item.messageId === mode.messageId)
  return found?.kind === 'message' ? found : undefined
}
