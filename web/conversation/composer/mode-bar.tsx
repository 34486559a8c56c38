/**
 * What the composer does now, above its text: answers a message, or edits one.
 */
import type { MessageItem } from '../../../client/store/types.ts'
import { useShell } from '../../shell.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { contentOf } from '../list/sentences.ts'

export interface Mode {
  readonly kind: 'reply' | 'edit'
  readonly item: MessageItem
}

export function ModeBar({ mode, onEnd }: { readonly mode: Mode; readonly onEnd: () => void }) {
  const { texts } = useShell()
  const { item, kind } = mode
  const t = texts.conversation
  const name = item.mine ? texts.shell.you : item.sender.name
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
