/**
 * Toasts: short texts above the composer, each for some seconds, or until they are closed if they offer an
 * action. The announcer has them read; they never get the focus by themselves. F6 reaches them as a region, and
 * when one that has the focus is closed, it returns to where it was.
 */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Texts } from '../i18n/texts.ts'
import type { ToastAction } from '../shell.ts'
import { Button, IconButton } from './button.tsx'

export interface ToastItem {
  readonly id: number
  readonly text: string
  readonly action?: ToastAction | undefined
}

const SHOWN_MS = 6_000

interface ToastsProps {
  readonly items: readonly ToastItem[]
  /** The dialog that they are in, if any. */
  readonly place: Element | undefined
  readonly texts: Texts
  readonly onClose: (id: number) => void
}

export function Toasts({ items, place, texts: { shell }, onClose }: ToastsProps) {
  const box = useRef<HTMLElement>(null)
  const cameFrom = useRef<HTMLElement | null>(null)
  const newest = items.at(-1)?.id
  // Above what was opened before, also in another place.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of place hides them.
  useLayoutEffect(() => {
    box.current?.togglePopover(false)
    if (newest !== undefined) box.current?.togglePopover(true)
  }, [newest, place])
  return (
    <section
      ref={box}
      class="toasts"
      popover="manual"
      aria-label={shell.notices}
      tabIndex={-1}
      data-region
      onFocusIn={({ relatedTarget, currentTarget }) => {
        if (relatedTarget instanceof HTMLElement && !currentTarget.contains(relatedTarget))
          cameFrom.current = relatedTarget
      }}
    >
      {items.map((item) => (
        <Toast
          key={item.id}
          item={item}
          closeLabel={shell.close}
          onClose={() => {
            if (box.current?.contains(document.activeElement)) cameFrom.current?.focus()
            onClose(item.id)
          }}
        />
      ))}
    </section>
  )
}

interface ToastProps {
  readonly item: ToastItem
  readonly closeLabel: string
  readonly onClose: () => void
}

function Toast({ item: { text, action }, closeLabel, onClose }: ToastProps) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the function of the first render closes the same toast.
  useEffect(() => {
    if (action) return
    const timer = setTimeout(onClose, SHOWN_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div class="toast">
      <span class="grow">{text}</span>
      {action && (
        <Button
          onClick={() => {
            onClose()
            action.run()
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton icon="close" label={closeLabel} onClick={onClose} />
    </div>
  )
}
