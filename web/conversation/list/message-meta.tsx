/**
 * The line at the end of a message: pinned, edited, the time, and how far it came.
 */
import type { MessageItem } from '../../../client/store/types.ts'
import { useShell } from '../../shell.ts'
import { Icon } from '../../ui/icon.tsx'
import { useList } from './list-context.ts'
import { isDeleted } from './message-actions.ts'
import { stateText } from './sentences.ts'

const icons = {
  pending: 'clock',
  sent: 'check',
  delivered: 'checks',
  read: 'checks',
  failed: 'alert',
} as const

export function MessageMeta({ item }: { readonly item: MessageItem }) {
  const { texts, format } = useShell()
  const { run, isDirect } = useList()
  const t = texts.conversation
  const state = item.changing && item.state !== 'failed' ? 'pending' : item.state
  const hasReceipts = item.messageId !== undefined && !isDeleted(item)
  const text = stateText(item, isDirect, texts)
  return (
    <span class="meta">
      {item.pinnedAt !== undefined && (
        <span title={t.pinned}>
          <Icon name="pin" size={13} />
        </span>
      )}
      {item.editedAt !== undefined && !isDeleted(item) && (
        <span title={format.dateTime(item.editedAt)}>{t.edited}</span>
      )}
      <time dateTime={new Date(item.createdAt).toISOString()} title={format.dateTime(item.createdAt)}>
        {format.time(item.createdAt)}
      </time>
      {item.mine && !isDeleted(item) && (
        <button
          type="button"
          class={`state state-${state}`}
          tabIndex={-1}
          disabled={!hasReceipts}
          aria-label={text}
          title={text}
          onClick={() => run('receipts', item)}
        >
          <Icon name={icons[state]} size={15} />
        </button>
      )}
    </span>
  )
}
