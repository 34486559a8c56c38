/**
 * Keys of the list: it is one Tab stop, in which the arrow keys move the focus from message to message.
 * Letters are the actions of the message, Enter opens its menu, Escape goes to the composer.
 *
 * While the focus is elsewhere, the active message is the last that is visible, so that Tab does not move
 * the list.
 */
import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { AnchoredList, Visible } from './anchored-list.tsx'
import type { ListContext } from './list-context.ts'
import { actionOfKey } from './message-actions.ts'
import type { MessageRow, Row } from './rows.ts'

interface ListKeys {
  /** The key of the row that Tab reaches; null for none. */
  readonly active: string | null
  onKeyDown(event: KeyboardEvent): void
  onFocusIn(event: FocusEvent): void
  reset(): void
}

interface Given {
  readonly rows: readonly Row[]
  readonly list: RefObject<AnchoredList<Row> | null>
  readonly box: RefObject<HTMLElement | null>
  readonly visible: Visible
  readonly context: ListContext
  readonly onEscape: () => void
}

/** Messages that PageUp and PageDown move by. */
const PAGE = 10

export function useListKeys({ rows, list, box, visible, context, onEscape }: Given): ListKeys {
  /** The message that the user moved to. */
  const [chosen, setChosen] = useState<string | null>(null)
  /** Whether `chosen` is to get the focus after the next render. */
  const [isMoving, setMoving] = useState(false)
  const messages = rows.filter((row): row is MessageRow => row.kind === 'message')
  const read = new Set(visible.read)
  const isChosenThere = chosen !== null && messages.some((row) => row.key === chosen)
  const fallback = messages.findLast((row) => read.has(row.key)) ?? messages.at(-1)
  const active = isChosenThere ? chosen : (fallback?.key ?? null)

  useEffect(() => {
    if (!isMoving || active === null) return
    setMoving(false)
    const row = list.current?.reveal(active)?.querySelector<HTMLElement>('[role=listitem]')
    row?.focus({ preventScroll: true })
  }, [isMoving, active, list])

  // The focus must not fall out of the page when the message that has it is removed.
  useEffect(() => {
    if (chosen !== null && !isChosenThere) {
      setChosen(null)
      if (document.activeElement === document.body && box.current?.matches('[data-had-focus]'))
        setMoving(true)
    }
  }, [chosen, isChosenThere, box])

  /** Whether a press was later than the last key that moves the focus. */
  const isPointing = useRef(false)
  useEffect(() => {
    const point = () => {
      isPointing.current = true
    }
    const move = ({ key }: KeyboardEvent) => {
      if (key === 'Tab' || key === 'F6' || /^(?:Arrow|Page|Home|End)/.test(key)) isPointing.current = false
    }
    document.addEventListener('pointerdown', point, true)
    document.addEventListener('keydown', move, true)
    return () => {
      document.removeEventListener('pointerdown', point, true)
      document.removeEventListener('keydown', move, true)
    }
  }, [])

  const moveTo = (index: number) => {
    const row = messages[Math.max(0, Math.min(messages.length - 1, index))]
    if (!row) return
    setChosen(row.key)
    setMoving(true)
  }

  return {
    active,
    reset: () => setChosen(null),
    onFocusIn(event) {
      box.current?.setAttribute('data-had-focus', '')
      const key = (event.target as Element).closest('[role=listitem]')?.getAttribute('data-key')
      if (key && messages.some((row) => row.key === key)) setChosen(key)
    },
    onKeyDown(event) {
      const row = (event.target as Element).closest?.('[role=listitem]')
      if (!row || event.defaultPrevented || event.isComposing) return
      const at = messages.findIndex((one) => one.key === active)
      const item = messages[at]?.item
      const { key } = event
      const isPlain = !(event.ctrlKey || event.metaKey || event.altKey)
      const to = {
        ArrowUp: at - 1,
        ArrowDown: at + 1,
        PageUp: at - PAGE,
        PageDown: at + PAGE,
        Home: 0,
        End: messages.length - 1,
      }[key]
      if (to !== undefined && !event.altKey) moveTo(to)
      else if (key === 'Escape') {
        setChosen(null)
        onEscape()
      } else if (!item || !isPlain) return
      else if (key.length === 1 && isPointing.current) {
        // The message was clicked: who types then means the composer, which receives the character.
        return onEscape()
      } else if (key === 'Enter' || key === ' ') {
        if (event.target !== row) return
        const { left, top, height } = row.getBoundingClientRect()
        context.openMenu(item, left + 48, top + Math.min(height, 40))
      } else {
        const action = actionOfKey(key, item)
        if (!action || !context.actionsOf(item).includes(action)) return
        context.run(action, item)
      }
      event.preventDefault()
      event.stopPropagation()
    },
  }
}
