/**
 * Menu: a button that opens a list of actions in the top layer. Arrow keys, Home and End move, Escape and a
 * click elsewhere close it, and the focus returns to the button.
 */
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { IconButton } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'

export interface MenuItem {
  readonly label: string
  readonly icon?: IconName
  readonly isDanger?: boolean
  readonly isDisabled?: boolean
  run(): void
}

interface MenuProps {
  readonly label: string
  readonly icon?: IconName
  /** Items that are false are left out. */
  readonly items: readonly (MenuItem | false)[]
  readonly tabIndex?: number
  readonly tip?: 'above' | 'below'
}

const MARGIN = 8

export function Menu({ label, icon = 'more', items, ...rest }: MenuProps) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const [isOpen, setOpen] = useState(false)
  useLayoutEffect(() => {
    if (!isOpen || !list.current || !button.current) return
    list.current.showPopover()
    place(list.current, button.current)
    itemsOf(list.current)[0]?.focus()
  }, [isOpen])
  const close = () => {
    list.current?.hidePopover()
    button.current?.focus()
  }
  return (
    <>
      <IconButton
        buttonRef={button}
        icon={icon}
        label={label}
        hasPopup="menu"
        expanded={isOpen}
        onClick={() => (isOpen ? close() : setOpen(true))}
        {...rest}
      />
      <div
        ref={list}
        id={id}
        popover="auto"
        class="menu"
        role="menu"
        aria-label={label}
        tabIndex={-1}
        onToggle={(event) => {
          if ((event as unknown as { newState: string }).newState === 'closed') setOpen(false)
        }}
        onKeyDown={(event) => moveFocus(event, close)}
      >
        {isOpen &&
          items.map(
            (item) =>
              item && (
                <button
                  key={item.label}
                  type="button"
                  role="menuitem"
                  tabIndex={-1}
                  class={item.isDanger ? 'menu-item menu-item-danger' : 'menu-item'}
                  disabled={item.isDisabled ?? false}
                  onClick={() => {
                    close()
                    item.run()
                  }}
                >
                  {item.icon ? <Icon name={item.icon} size={18} /> : <span class="icon" />}
                  {item.label}
                </button>
              ),
          )}
      </div>
    </>
  )
}

function itemsOf(list: HTMLElement): readonly HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)')]
}

function moveFocus(event: KeyboardEvent, close: () => void): void {
  const items = itemsOf(event.currentTarget as HTMLElement)
  const at = items.indexOf(document.activeElement as HTMLElement)
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
  if (event.key === 'Tab' || event.key === 'Escape') {
    if (event.key === 'Escape') event.preventDefault()
    event.stopPropagation()
    close()
  } else if (to !== undefined) {
    event.preventDefault()
    event.stopPropagation()
    items.at(to % items.length)?.focus()
  }
}

/** Below the button, or above it if there is no room, and inside of the window. */
function place(list: HTMLElement, button: HTMLElement): void {
  const { left, right, top, bottom } = button.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = list
  const isRight = left + width > innerWidth - MARGIN
  list.style.left = `${Math.max(MARGIN, isRight ? right - width : left)}px`
  const isBelow = bottom + height + MARGIN < innerHeight
  list.style.top = `${isBelow ? bottom + 4 : Math.max(MARGIN, top - height - 4)}px`
}
