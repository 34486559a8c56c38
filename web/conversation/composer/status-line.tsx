/**
 * The line above the composer: who is typing, and for some seconds after a message was sent, a button
 * that recalls it and gives its text back. Its height does not change, so that nothing moves.
 */
import { useEffect, useState } from 'preact/hooks'
import type { GroupHandle, GroupItem, MessageItem } from '../../../client/store/types.ts'
import { useShell, useView } from '../../shell.ts'
import { isDeleted } from '../list/message-actions.ts'

const UNDO_MS = 10_000
const TICK_MS = 500

interface StatusLineProps {
  readonly handle: GroupHandle
  readonly info: GroupItem
  readonly onUndone: (content: string) => void
}

export function StatusLine({ handle, info, onUndone }: StatusLineProps) {
  const { store, texts, format, fail } = useShell()
  const { limits } = useView(store.me)
  const last = info.lastMessage
  const until = last && limits ? undoableUntil(last, Math.min(UNDO_MS, limits.recallWindowMs)) : 0
  const left = until - useClock(until)
  const names = info.typing.map((person) => person.name)
  return (
    <div class="status-line">
      <span class="typing ellipsis" aria-live="off">
        {names.length === 1 && texts.shell.typingOne(names[0] as string)}
        {names.length > 1 && texts.shell.typingMany(format.list(names.slice(0, 3)))}
      </span>
      {last && left > 0 && (
        <button
          type="button"
          class="link-button"
          onClick={() => {
            handle.recall(last.messageId as string).then(() => onUndone(last.content), fail)
          }}
        >
          {texts.conversation.undoSend(Math.ceil(left / 1_000))}
        </button>
      )}
    </div>
  )
}

/** Until when the message can be recalled by the button; 0 for not. */
function undoableUntil(item: MessageItem, windowMs: number): number {
  if (!item.mine || item.messageId === undefined || isDeleted(item)) return 0
  return item.createdAt + windowMs
}

/** The time, renewed until `until`. */
function useClock(until: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (until <= Date.now()) return
    setNow(Date.now())
    const timer = setInterval(() => {
      setNow(Date.now())
      if (until <= Date.now()) clearInterval(timer)
    }, TICK_MS)
    return () => clearInterval(timer)
  }, [until])
  return now
}
