/**
 * The emoji picker in the top layer, near a point. It is loaded when it is first opened.
 */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useShell } from '../shell.ts'
import { useLoaded } from '../ui/lazy.tsx'

export interface Place {
  readonly x: number
  readonly y: number
}

interface EmojiPopoverProps {
  readonly place: Place
  readonly onChoose: (emoji: string) => void
  readonly onClose: () => void
}

const MARGIN = 8
const load = () => import('../emoji/emoji-picker.tsx').then(({ EmojiPicker }) => EmojiPicker)

export function EmojiPopover({ place: { x, y }, onChoose, onClose }: EmojiPopoverProps) {
  const { texts } = useShell()
  const ref = useRef<HTMLDivElement>(null)
  const Picker = useLoaded(load)
  const closed = useRef(onClose)
  closed.current = onClose
  useLayoutEffect(() => {
    const box = ref.current
    const before = document.activeElement
    box?.showPopover()
    return () => {
      if (before instanceof HTMLElement && before.isConnected && box?.contains(document.activeElement))
        before.focus()
    }
  }, [])
  // The message may move while the picker is open, which then has the focus.
  useLayoutEffect(() => {
    const box = ref.current
    if (!box) return
    const { offsetWidth: width, offsetHeight: height } = box
    const isAbove = y - height - MARGIN > 0
    box.style.setProperty('--x', `${Math.max(MARGIN, Math.min(x - width, innerWidth - width - MARGIN))}px`)
    box.style.setProperty(
      '--y',
      `${isAbove ? y - height - MARGIN : Math.max(MARGIN, innerHeight - height - MARGIN)}px`,
    )
  }, [x, y])
  useEffect(() => {
    const box = ref.current
    const onToggle = (event: Event) => {
      if ((event as ToggleEvent).newState === 'closed') closed.current()
    }
    box?.addEventListener('toggle', onToggle)
    return () => box?.removeEventListener('toggle', onToggle)
  }, [])
  return (
    <div
      ref={ref}
      popover="auto"
      class="menu emoji-popover"
      role="dialog"
      aria-label={texts.conversation.emoji}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.preventDefault()
        event.stopPropagation()
        onClose()
      }}
    >
      {Picker ? (
        <Picker
          onChoose={(emoji) => {
            onClose()
            onChoose(emoji)
          }}
        />
      ) : (
        <p class="mark">{texts.shell.loading}</p>
      )}
    </div>
  )
}
