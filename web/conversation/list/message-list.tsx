/**
 * The messages of a group: the window of the store as a list, with keyboard, reading marks and announcements.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { GroupHandle, MessageItem } from '../../../client/store/types.ts'
import { useShell, useView } from '../../shell.ts'
import { Icon } from '../../ui/icon.tsx'
import { AnchoredList, type Visible } from './anchored-list.tsx'
import { ListContext } from './list-context.ts'
import { ListRow } from './list-row.tsx'
import { leaveAt, type ReadingPlace } from './reading-place.ts'
import { rowsOf } from './rows.ts'
import { useAnnouncements } from './use-announcements.ts'
import { useListKeys } from './use-list-keys.ts'
import { useReadMark } from './use-read-mark.ts'

/** Pages are loaded this many pixels before the end of the window is visible. */
const LOAD_AHEAD = 1_200
const HIGHLIGHT_MS = 2_500
/** What is visible for so long counts as read. */
const REST_MS = 80
const nothing: Visible = { from: 0, to: 0, read: [], isAtEnd: true, above: 0, below: 0, target: null }

interface MessageListProps {
  readonly handle: GroupHandle
  /** Where the reader was; null for the end. */
  readonly start: ReadingPlace | null
  /** The group is on show at the place where it opens: what is visible counts as read. */
  readonly isPlaced: boolean
  readonly context: ListContext
  /** Leaves the list, for instance for the composer. */
  readonly onEscape: () => void
}

export function MessageList({ handle, start, isPlaced, context, onEscape }: MessageListProps) {
  const { texts, fail } = useShell()
  const view = useView(handle.messages)
  const info = useView(handle.info)
  const rows = useMemo(() => rowsOf(view), [view])
  const list = useRef<AnchoredList<(typeof rows)[number]>>(null)
  const box = useRef<HTMLElement>(null)
  const [visible, setVisible] = useState(nothing)
  const [highlight, setHighlight] = useState<string | null>(null)
  const keys = useListKeys({ rows, list, box, visible, context, onEscape })

  useAnnouncements(handle, view, info)
  useReadMark(handle, view, info, isPlaced ? visible : nothing)

  // The row of a jump is highlighted for a while.
  const { target } = view
  const formerTarget = useRef(target)
  useEffect(() => {
    if (!target || target === formerTarget.current) return
    setHighlight(target.key)
    const timer = setTimeout(() => setHighlight(null), HIGHLIGHT_MS)
    return () => clearTimeout(timer)
  }, [target])

  // What the user sends is shown, wherever the list is.
  const newest = view.items.at(-1)
  const pendingKey =
    newest?.kind === 'message' && newest.mine && newest.state === 'pending' ? newest.key : null
  useEffect(() => {
    if (pendingKey === null) return
    if (handle.messages.getSnapshot().hasNewer) handle.jumpTo('newest').catch(fail)
    list.current?.scrollToEnd()
  }, [pendingKey, handle, fail])

  const { hasOlder, hasNewer, loading } = view
  const isNearStart = visible.above < LOAD_AHEAD
  const isNearEnd = visible.below < LOAD_AHEAD
  useEffect(() => {
    if (loading !== null || view.items.length === 0) return
    if (hasOlder && isNearStart) handle.loadOlder().catch(fail)
    else if (hasNewer && isNearEnd) handle.loadNewer().catch(fail)
  }, [handle, fail, hasOlder, hasNewer, loading, isNearStart, isNearEnd, view])

  // While the reader scrolls, only what has a consequence at once renders the list.
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const onVisible = useCallback((now: Visible) => {
    setVisible((before) => (isSamePlace(before, now) ? before : now))
    clearTimeout(rest.current)
    rest.current = setTimeout(
      () => setVisible((before) => (isSamePlace(before, now) && isSameRead(before, now) ? before : now)),
      REST_MS,
    )
  }, [])
  useEffect(() => () => clearTimeout(rest.current), [])
  const toNewest = () => {
    if (hasNewer) handle.jumpTo('newest').catch(fail)
    list.current?.scrollToEnd()
    keys.reset()
  }
  const openAt = useRef<typeof openMenu>(openMenu)
  openAt.current = openMenu
  // One state of a press for all renders.
  const press = useMemo(() => longPress((target, x, y) => openAt.current(target, x, y)), [])
  const unread = info?.unread ?? 0
  const isAway = hasNewer || visible.below > 240
  return (
    <ListContext.Provider value={context}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys and presses reach it from its rows, which have the focus. */}
      <section
        ref={box}
        class="messages"
        onKeyDown={keys.onKeyDown}
        onFocusIn={keys.onFocusIn}
        onContextMenu={(event) => openMenuAt(event, itemOf(event.target), context)}
        {...press}
      >
        <AnchoredList
          control={list}
          rows={rows}
          keepKey={keys.active}
          hasEnd={!hasNewer}
          start={start}
          onLeave={(place) => leaveAt(handle, rows, place)}
          target={target}
          label={texts.conversation.listLabel(info?.title ?? '')}
          onVisible={onVisible}
          renderRow={(row, index) => (
            <ListRow
              row={row}
              index={index}
              isActive={row.key === keys.active}
              isTarget={row.key === highlight}
              context={context}
            />
          )}
        />
        {isAway && (
          <button type="button" class="to-newest" onClick={toNewest}>
            {unread > 0 && <span>{texts.conversation.newMessages(unread)}</span>}
            <Icon name="down" size={18} />
            {unread === 0 && <span class="visually-hidden">{texts.conversation.toNewest}</span>}
          </button>
        )}
      </section>
    </ListContext.Provider>
  )

  function openMenu(target: EventTarget | null, x: number, y: number): void {
    const item = itemOf(target)
    if (item) context.openMenu(item, x, y)
  }

  function itemOf(target: EventTarget | null): MessageItem | null {
    const key = (target as Element | null)?.closest?.('[data-key]')?.getAttribute('data-key')
    const row = rows.find((one) => one.key === key)
    return row?.kind === 'message' ? row.item : null
  }
}

/** Only what has a consequence: a new value renders the list again. */
function isSamePlace(a: Visible, b: Visible): boolean {
  return (
    a.isAtEnd === b.isAtEnd &&
    a.target === b.target &&
    a.above < LOAD_AHEAD === b.above < LOAD_AHEAD &&
    a.below < LOAD_AHEAD === b.below < LOAD_AHEAD &&
    a.below > 240 === b.below > 240
  )
}

function isSameRead(a: Visible, b: Visible): boolean {
  return a.read.at(-1) === b.read.at(-1) && a.read[0] === b.read[0]
}

/** The browser's own menu stays for links, media and selected text. */
function openMenuAt(event: MouseEvent, item: MessageItem | null, context: ListContext): void {
  if (!item || (event.target as Element).closest('a, img, video, audio') || !getSelection()?.isCollapsed)
    return
  event.preventDefault()
  const row = (event.target as Element).closest('[data-key]')?.getBoundingClientRect()
  const isByKey = event.clientX === 0 && event.clientY === 0
  context.openMenu(
    item,
    isByKey && row ? row.left + 48 : event.clientX,
    isByKey && row ? row.top + 24 : event.clientY,
  )
}

const LONG_PRESS_MS = 450
const MOVE_PX = 10

/** Handlers that call `open` when a finger stays on a place. */
function longPress(open: (target: EventTarget | null, x: number, y: number) => void) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let start = { x: 0, y: 0 }
  let isOpen = false
  const end = () => clearTimeout(timer)
  return {
    onPointerDown({ pointerType, clientX, clientY, target }: PointerEvent) {
      end()
      isOpen = false
      if (pointerType !== 'touch') return
      start = { x: clientX, y: clientY }
      timer = setTimeout(() => {
        isOpen = true
        open(target, clientX, clientY)
      }, LONG_PRESS_MS)
    },
    onPointerMove({ clientX, clientY }: PointerEvent) {
      if (Math.hypot(clientX - start.x, clientY - start.y) > MOVE_PX) end()
    },
    onPointerUp: end,
    onPointerCancel: end,
    // Otherwise a click would follow, on what is under the finger now.
    onTouchEnd(event: TouchEvent) {
      if (isOpen && event.cancelable) event.preventDefault()
    },
  }
}
