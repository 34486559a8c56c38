/**
 * Confirm dialog: asks before something that cannot be undone. The button that does it has the focus.
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useShell } from '../shell.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'

interface ConfirmDialogProps {
  readonly title: string
  readonly label: string
  readonly children: ComponentChildren
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export function ConfirmDialog({ title, label, children, onConfirm, onClose }: ConfirmDialogProps) {
  const { texts } = useShell()
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => button.current?.focus(), [])
  const confirm = () => {
    onClose()
    onConfirm()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div class="row row-end">
        <Button onClick={onClose}>{texts.shell.cancel}</Button>
        <Button buttonRef={button} kind="danger" onClick={confirm}>
          {label}
        </Button>
      </div>
    </Dialog>
  )
}
