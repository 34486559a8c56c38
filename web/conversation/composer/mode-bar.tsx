/**
 * What the composer does now, above its text: answers a message, or edits one.
 */
import type { GroupHandle } from '../../../client/store/types.ts'
import { useShell, useView } from '../../shell.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { contentOf } from '../list/sentences.ts'
import type { Mode } from './mode.ts'

interface ModeBarProps {
  readonly handle: GroupHandle
  readonly mode: Mode
  readonly onEnd: () => void
}

export function ModeBar({ handle, mode, onEnd }: ModeBarProps) {
  const { texts } = useShell()
  const { kind } = mode
  // Others may edit or delete the message meanwhile.
  const { items } = useView(handle.messages)
  const now = items.findLast((item) => item.key === mode.item.key)
  const item = now?.kind === 'message' ? now : mode.item
  const t = texts.conversation
  const name = item.mine ? texts.shell.you : item.sender.name || item.sender.userId
  return (
    <div class="mode-bar">
      <Icon name={kind} size={18} />
      <div class="grow">
        <div class="mode-title">{kind === 'edit' ? t.editing : t.replyingTo(name)}</div>
        <div class="ellipsis soft small">{contentOf(item, texts)}</div>
      </div>
      <IconButton icon="close" label={texts.shell.cancel} onClick={onEnd} />
    </div>
  )
}
