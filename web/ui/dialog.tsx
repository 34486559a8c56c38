/**
 * Dialog: a modal dialog of the browser, which holds the focus, closes by Escape and returns the focus.
 * A click outside of it closes it too.
 */
import type { ComponentChildren } from 'preact'
import { useId, useRef } from 'preact/hooks'
import { useShell } from '../shell.ts'
import { IconButton } from './button.tsx'
import { useModal } from './modal.ts'

interface DialogProps {
  readonly title: string
  readonly children: ComponentChildren
  readonly onClose: () => void
  readonly kind?: 'normal' | 'wide' | 'jump'
}

export function Dialog({ title, children, onClose, kind = 'normal' }: DialogProps) {
  const { texts } = useShell()
  const ref = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  /** Where the press began: a selection of text may end outside. */
  const pressed = useRef<EventTarget | null>(null)
  useModal(ref, (dialog) => {
    // Not the button that closes it, which is first.
    dialog.querySelector<HTMLElement>('.dialog-header ~ * :is(input, select, textarea)')?.focus()
    dialog.querySelector<HTMLElement>('.dialog-header ~ :is(input, textarea)')?.focus()
  })
  return (
    <dialog
      ref={ref}
      class={`dialog dialog-${kind}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onKeyDown={(event) => {
        // A panel around it stays open.
        if (event.key === 'Escape') event.stopPropagation()
      }}
      onPointerDown={({ target }) => {
        pressed.current = target
      }}
      onClick={({ target, currentTarget }) => {
        if (target === currentTarget && pressed.current === target) onClose()
      }}
    >
      <div class="dialog-body">
        <header class="dialog-header">
          <h2 id={titleId}>{title}</h2>
          <IconButton icon="close" label={texts.shell.close} tip="below" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  )
}
