/**
 * The menu of a message, at a point of the window: quick reactions, then the actions. On a phone it is a
 * sheet at the bottom. Arrow keys move, Escape closes, and the focus returns to the message.
 */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { MessageItem } from '../../../client/store/types.ts'
import { withSkinTone } from '../../emoji/skin-tone.ts'
import { useShell, useView } from '../../shell.ts'
import { fileActions } from '../../talk/file-actions.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import type { ActionName } from './message-actions.ts'

export interface OpenMenu {
  readonly item: MessageItem
  readonly x: number
  readonly y: number
}

interface ActionMenuProps extends OpenMenu {
  readonly actions: readonly ActionName[]
  /** The time in which the message can be recalled, ms. */
  readonly recallMs: number
  readonly me: string
  readonly onRun: (action: ActionName) => void
  readonly onReact: (emoji: string) => void
  readonly onClose: () => void
}

const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const
const MARGIN = 8

const icons: Readonly<Record<ActionName, IconName>> = {
  react: 'smile',
  reply: 'reply',
  edit: 'edit',
  copy: 'copy',
  pin: 'pin',
  unpin: 'pin',
  receipts: 'checks',
  unread: 'inbox',
  retry: 'retry',
  discard: 'trash',
  recall: 'undo',
  delete: 'trash',
}

/** Shown at the end of an item; the same keys work on the message. */
const keysOf: Partial<Record<ActionName, string>> = {
  react: '+',
  reply: 'R',
  edit: 'E',
  copy: 'C',
  pin: 'P',
  unpin: 'P',
  unread: 'U',
  delete: 'Del',
}

export function ActionMenu(props: ActionMenuProps) {
  const { item, x, y, actions, recallMs, me, onRun, onReact, onClose } = props
  const shell = useShell()
  const { skinTone } = useView(shell.preferences)
  const { texts, format } = shell
  const t = texts.conversation
  const ref = useRef<HTMLDivElement>(null)

  useLayoutEffect(() => {
    const menu = ref.current
    if (!menu) return
    const before = document.activeElement
    menu.showPopover()
    const { offsetWidth: width, offsetHeight: height } = menu
    menu.style.setProperty('--x', `${Math.max(MARGIN, Math.min(x, innerWidth - width - MARGIN))}px`)
    menu.style.setProperty('--y', `${Math.max(MARGIN, y + height + MARGIN > innerHeight ? y - height : y)}px`)
    focusables(menu)[0]?.focus({ preventScroll: true })
    return () => {
      if (before instanceof HTMLElement && menu.contains(document.activeElement))
        before.focus({ preventScroll: true })
    }
  }, [x, y])

  // Not by `popover="auto"`: that closes when the finger of a long press leaves the screen.
  useEffect(() => {
    const closeOutside = (event: Event) => {
      if (!ref.current?.contains(event.target as Node)) onClose()
    }
    document.addEventListener('pointerdown', closeOutside, true)
    addEventListener('blur', onClose)
    return () => {
      document.removeEventListener('pointerdown', closeOutside, true)
      removeEventListener('blur', onClose)
    }
  }, [onClose])

  const label = (action: ActionName) =>
    action === 'recall' ? t.recallLeft(format.clock(Math.max(0, recallMs) / 1_000)) : t[action]
  return (
    <div
      ref={ref}
      popover="manual"
      class="menu action-menu"
      role="menu"
      aria-label={t.actions}
      tabIndex={-1}
      onKeyDown={(event) => moveFocus(event, onClose)}
    >
      {actions.includes('react') && (
        // biome-ignore lint/a11y/useSemanticElements: a group of items in a menu.
        <div class="quick-reactions" role="group" aria-label={t.react}>
          {QUICK.map((plain) => {
            const emoji = withSkinTone(plain, skinTone)
            const isMine = item.reactions.some((one) => one.emoji === emoji && one.userIds.includes(me))
            return (
              <button
                key={emoji}
                type="button"
                role="menuitemcheckbox"
                aria-checked={isMine}
                aria-label={t.reactWith(emoji)}
                class="quick-reaction"
                tabIndex={-1}
                onClick={() => onReact(emoji)}
              >
                {emoji}
              </button>
            )
          })}
          <button
            type="button"
            role="menuitem"
            class="quick-reaction"
            tabIndex={-1}
            aria-label={t.moreEmoji}
            onClick={() => onRun('react')}
          >
            <Icon name="plus" size={18} />
          </button>
        </div>
      )}
      {actions
        .filter((action) => action !== 'react')
        .map((action) => (
          <button
            key={action}
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={action === 'delete' || action === 'discard' ? 'menu-item menu-item-danger' : 'menu-item'}
            onClick={() => onRun(action)}
          >
            <Icon name={icons[action]} size={18} />
            <span>{label(action)}</span>
            {keysOf[action] && <kbd>{keysOf[action]}</kbd>}
          </button>
        ))}
      {fileActions(item, shell).map(({ label: text, icon = 'file', run }) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class="menu-item"
          onClick={() => {
            onClose()
            run()
          }}
        >
          <Icon name={icon} size={18} />
          <span>{text}</span>
        </button>
      ))}
    </div>
  )
}

function focusables(menu: HTMLElement): readonly HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>('[role^=menuitem]')]
}

function moveFocus(event: KeyboardEvent, close: () => void): void {
  const items = focusables(event.currentTarget as HTMLElement)
  const at = items.indexOf(document.activeElement as HTMLElement)
  const isQuick = items[at]?.classList.contains('quick-reaction') ?? false
  const firstItem = items.findIndex((one) => !one.classList.contains('quick-reaction'))
  const down = isQuick ? firstItem : at + 1
  const up = at === firstItem && firstItem > 0 ? 0 : isQuick ? items.length - 1 : at - 1
  const to = { ArrowDown: down, ArrowUp: up, Home: 0, End: -1, ArrowRight: at + 1, ArrowLeft: at - 1 }[
    event.key
  ]
  if (event.key === 'Escape' || event.key === 'Tab') close()
  else if (to !== undefined) items.at(to % items.length)?.focus()
  else return
  event.preventDefault()
  event.stopPropagation()
}
