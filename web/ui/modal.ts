/**
 * Modal: opens a modal dialog while its component is on the page, and returns the focus afterwards.
 *
 * The browser makes everything outside of the newest modal dialog inert: it can be neither clicked nor read. The
 * shell knows the open dialogs, so that toasts and announcements are placed in the newest one.
 */
import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'
import { useShell } from '../shell.ts'

/** `onOpened` is called when the dialog is open. */
export function useModal(
  dialog: RefObject<HTMLDialogElement | null>,
  onOpened?: (dialog: HTMLDialogElement) => void,
) {
  const { modals } = useShell()
  // biome-ignore lint/correctness/useExhaustiveDependencies: opens once.
  useEffect(() => {
    const element = dialog.current
    if (!element) return
    const before = document.activeElement
    if (!element.open) element.showModal()
    modals.set([...modals.getSnapshot(), element])
    onOpened?.(element)
    return () => {
      modals.set(modals.getSnapshot().filter((one) => one !== element))
      element.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
}
