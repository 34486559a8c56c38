/**
 * What the actions of a message do. Changes are shown at once by the store; a refusal is shown as a toast.
 */
import { useMemo } from 'preact/hooks'
import type { DraftMode, GroupHandle, MessageItem } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { plainText } from '../text/blocks.ts'
import { editOf, type SetMode } from './composer/mode.ts'
import type { ActionName } from './list/message-actions.ts'
import type { OpenDialogState } from './open-dialog.tsx'

interface Given {
  readonly handle: GroupHandle
  readonly me: string
  readonly setMode: SetMode
  readonly setDialog: (dialog: OpenDialogState) => void
  readonly focusInput: () => void
}

export interface Actions {
  run(action: ActionName, item: MessageItem): void
  react(item: MessageItem, emoji: string): void
  /** Copies a part of a message. */
  copy(text: string): void
  showReactions(item: MessageItem): void
}

export function useActions({ handle, me, setMode, setDialog, focusInput }: Given): Actions {
  const { texts, toast, announce, fail } = useShell()
  return useMemo((): Actions => {
    const write = (mode: DraftMode) => {
      setMode(mode)
      // The menu gives the focus back to the message when it closes: after that.
      setTimeout(focusInput)
    }
    const react = (item: MessageItem, emoji: string) => {
      if (item.messageId === undefined) return
      const isMine = item.reactions.some((one) => one.emoji === emoji && one.userIds.includes(me))
      const done = isMine ? handle.unreact(item.messageId, emoji) : handle.react(item.messageId, emoji)
      done.catch(fail)
    }
    const copy = (text: string) => {
      navigator.clipboard.writeText(text).then(() => announce(texts.conversation.copied), fail)
    }
    return {
      react,
      copy,
      showReactions: (item) => setDialog({ kind: 'reactions', item }),
      run(action, item) {
        const id = item.messageId
        if (action === 'retry') return handle.retry(item.key)
        if (action === 'discard') return setDialog({ kind: 'discard', item })
        if (action === 'copy') return copy(item.content)
        if (id === undefined) return
        switch (action) {
          case 'react':
            return setDialog({ kind: 'emoji', item, onChoose: (emoji) => react(item, emoji) })
          case 'reply':
            return write({ kind: 'reply', messageId: id })
          case 'edit':
            return write(editOf(item))
          case 'pin':
            handle.pin(id).then(() => toast(texts.conversation.pinnedText(plainText(item.content, 40))), fail)
            return
          case 'unpin':
            handle.unpin(id).catch(fail)
            return
          case 'receipts':
            return setDialog({ kind: 'receipts', item })
          case 'unread':
            if (item.seq !== undefined) handle.markUnread(item.seq).catch(fail)
            return
          case 'recall':
            handle.recall(id).catch(fail)
            return
          case 'delete':
            return setDialog({ kind: 'delete', item })
        }
      },
    }
  }, [handle, me, setMode, setDialog, focusInput, texts, toast, announce, fail])
}
