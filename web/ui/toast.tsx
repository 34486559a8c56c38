/**
 * Toasts: short texts above the composer, each for some seconds, or until they are closed if they offer an
 * action. The announcer has them read; they never get the focus by themselves.
 */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
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
  readonly closeLabel: string
  readonly onClose: (id: number) => void
}

export function Toasts({ items, closeLabel, onClose }: ToastsProps) {
  const box = useRef<HTMLDivElement>(null)
  const newest = items.at(-1)?.id
  // Above a dialog that is open.
  useLayoutEffect(() => {
    box.current?.togglePopover(false)
    if (newest !== undefined) box.current?.togglePopover(true)
  }, [newest])
  return (
    <div ref={box} class="toasts" popover="manual">
      {items.map((item) => (
        <Toast key={item.id} item={item} closeLabel={closeLabel} onClose={() => onClose(item.id)} />
      ))}
    </div>
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
