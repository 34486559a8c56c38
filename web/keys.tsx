/**
 * Keys: the shortcuts of the whole page, and the list of all shortcuts.
 *
 * F6 and Shift+F6 move between the regions: to what had the focus there before, or to the element that
 * the region marks with `data-region-focus` (a list is entered at its Tab stop).
 */
import { useEffect } from 'preact/hooks'
import { type Shell, useShell } from './shell.ts'
import { Dialog } from './ui/dialog.tsx'

const lastFocused = new WeakMap<Element, HTMLElement>()

/** Handles the shortcuts while the component is on the page. */
export function useKeys(root: { readonly current: HTMLElement | null }, shell: Shell): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!root.current || event.defaultPrevented || !handle(event, root.current, shell)) return
      event.preventDefault()
    }
    const onFocus = ({ target }: FocusEvent) => {
      const region = target instanceof HTMLElement && target.closest('[data-region]')
      if (region && target !== region) lastFocused.set(region, target)
    }
    document.addEventListener('keydown', onKeyDown)
    document.addEventListener('focusin', onFocus)
    return () => {
      document.removeEventListener('keydown', onKeyDown)
      document.removeEventListener('focusin', onFocus)
    }
  }, [root, shell])
}

/** Whether the key was a shortcut. */
function handle(event: KeyboardEvent, root: HTMLElement, shell: Shell): boolean {
  const hasDialog = root.querySelector('dialog[open]') !== null
  const isControl = event.ctrlKey || event.metaKey
  if (hasDialog) return false
  if (event.key === 'F6') moveRegion(root, event.shiftKey ? -1 : 1)
  else if (isControl && event.key.toLowerCase() === 'k') shell.openDialog('jump')
  else if (isControl && event.key === '/') shell.openDialog('keys')
  // Ctrl+F is the browser's.
  else if (isControl && event.shiftKey && event.key.toLowerCase() === 'f') {
    shell.navigation.go({ panel: 'search' })
    root.querySelector<HTMLElement>('.search-panel input')?.focus()
  } else if (event.altKey && event.key === 'ArrowDown') moveGroup(shell, 1)
  else if (event.altKey && event.key === 'ArrowUp') moveGroup(shell, -1)
  else if (event.key === 'Escape' && shell.navigation.place.getSnapshot().panel)
    shell.navigation.go({ panel: null })
  else return false
  return true
}

function moveGroup({ store, navigation }: Shell, step: number): void {
  const { groups } = store.groups.getSnapshot()
  const { groupId } = navigation.place.getSnapshot()
  const at = groups.findIndex((group) => group.groupId === groupId)
  const next = groups[at < 0 ? 0 : Math.min(Math.max(at + step, 0), groups.length - 1)]
  if (next) navigation.go({ groupId: next.groupId })
}

function moveRegion(root: HTMLElement, step: number): void {
  const regions = [...root.querySelectorAll<HTMLElement>('[data-region]')].filter((region) =>
    region.checkVisibility(),
  )
  const at = regions.findIndex((region) => region.contains(document.activeElement))
  const next = regions.at((at + (at < 0 && step < 0 ? 0 : step)) % regions.length)
  if (next) focusRegion(next)
}

/** Moves the focus into a region. */
export function focusRegion(region: HTMLElement): void {
  const last = lastFocused.get(region)
  if (last?.isConnected && last.checkVisibility()) return last.focus()
  const marked = region.querySelector<HTMLElement>('[data-region-focus]')
  const isFocusable = marked?.matches('input, textarea, button, a, [tabindex]')
  const target = isFocusable ? marked : marked?.querySelector<HTMLElement>('[tabindex="0"]')
  ;(target ?? region).focus()
}

export function KeyList({ onClose }: { readonly onClose: () => void }) {
  const { shell } = useShell().texts
  const rows: readonly (readonly [string, string])[] = [
    ['F6', shell.keyF6],
    ['Ctrl+K', shell.keyJump],
    ['Ctrl+Shift+F', shell.keySearch],
    ['Ctrl+/', shell.keyKeys],
    ['Alt+↑ Alt+↓', shell.keyGroups],
    ['Esc', shell.keyEscape],
    ['↑ ↓', shell.keyMessages],
    ['E, ↑', shell.keyEdit],
    ['R', shell.keyReply],
    ['Delete', shell.keyDelete],
    ['Enter', shell.keySend],
    ['Shift+Enter', shell.keyLine],
  ]
  return (
    <Dialog title={shell.keys} onClose={onClose}>
      <dl class="keys">
        {rows.map(([keys, text]) => (
          <>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
    </Dialog>
  )
}
