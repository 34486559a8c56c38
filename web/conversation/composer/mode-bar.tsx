/**
 * What the composer does now, above its text: answers a message, or edits one. After a reload the message may be outside of
 * the window, and is not shown.
 */
import { useRef } from 'preact/hooks'
import type { DraftMode, GroupHandle, MessageItem } from '../../../client/store/types.ts'
import { useShell, useView } from '../../shell.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { contentOf } from '../list/sentences.ts'
import { messageOf } from './mode.ts'

interface ModeBarProps {
  readonly handle: GroupHandle
  readonly mode: DraftMode
  readonly onEnd: () => void
}

export function ModeBar({ handle, mode, onEnd }: ModeBarProps) {
  const { texts } = useShell()
  const { kind } = mode
  const last = useRef<MessageItem | undefined>(undefined)
  // Others may edit or delete the message meanwhile.
  const item = messageOf(mode, useView(handle.messages)) ?? last.current
  last.current = item
  const t = texts.conversation
  const name = item && (item.mine ? texts.shell.you : item.sender.name || item.sender.userId)
  const title = name === undefined ? t.reply : t.replyingTo(name)
  return (
    <div class="mode-bar">
      <Icon name={kind} size={18} />
      <div class="grow">
        <div class="mode-title">{kind === 'edit' ? t.editing : title}</div>
        <div class="ellipsis soft small">{item ? contentOf(item, texts) : t.quotedMessage}</div>
      </div>
      <IconButton icon="close" label={texts.shell.cancel} onClick={onEnd} />
    </div>
  )
}
