/**
 * The dialogs of a message. Those that ask the server are loaded when they are opened.
 */
import type { MessageItem } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { useLoaded } from '../ui/lazy.tsx'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { EmojiPopover } from './emoji-popover.tsx'
import type { ListContext } from './list/list-context.ts'
import { contentOf } from './list/sentences.ts'

export type OpenDialogState =
  | { readonly kind: 'delete' | 'discard' | 'receipts' | 'reactions'; readonly item: MessageItem }
  | { readonly kind: 'emoji'; readonly item: MessageItem; readonly onChoose: (emoji: string) => void }

interface OpenDialogProps {
  readonly state: OpenDialogState
  readonly context: ListContext
  readonly onClose: () => void
}

const loadPeople = () => import('./people-dialogs.tsx')

export function OpenDialog({ state, context, onClose }: OpenDialogProps) {
  const { texts, fail } = useShell()
  const { handle } = context
  const t = texts.conversation
  switch (state.kind) {
    case 'emoji':
      return <EmojiPopover place={placeOf(state.item.key)} onChoose={state.onChoose} onClose={onClose} />
    case 'receipts':
    case 'reactions':
      return <People kind={state.kind} item={state.item} context={context} onClose={onClose} />
    case 'delete':
    case 'discard': {
      const isDelete = state.kind === 'delete'
      const confirm = () => {
        if (isDelete) handle.delete(state.item.messageId ?? '').catch(fail)
        else handle.discard(state.item.key)
      }
      return (
        <ConfirmDialog
          title={isDelete ? t.deleteTitle : t.discardTitle}
          label={isDelete ? t.delete : t.discard}
          onConfirm={confirm}
          onClose={onClose}
        >
          <p>{isDelete ? t.deleteText : t.discardText}</p>
          <blockquote class="confirm-quote ellipsis">{contentOf(state.item, texts)}</blockquote>
        </ConfirmDialog>
      )
    }
  }
}

interface PeopleProps {
  readonly kind: 'receipts' | 'reactions'
  readonly item: MessageItem
  readonly context: ListContext
  readonly onClose: () => void
}

function People({ kind, ...rest }: PeopleProps) {
  const loaded = useLoaded(loadPeople)
  if (!loaded) return null
  const { ReactionsDialog, ReceiptsDialog } = loaded
  return kind === 'receipts' ? <ReceiptsDialog {...rest} /> : <ReactionsDialog {...rest} />
}

/** Near the message, or in the middle of the window if it is not visible. */
function placeOf(key: string): { readonly x: number; readonly y: number } {
  const bubble = document.querySelector(`[data-key="${CSS.escape(key)}"] .bubble`)?.getBoundingClientRect()
  if (!bubble || bubble.top < 0 || bubble.top > innerHeight)
    return { x: innerWidth / 2 + 170, y: innerHeight / 2 }
  return { x: Math.max(bubble.right, bubble.left + 300), y: bubble.top }
}
