/**
 * Buttons. An icon button shows its label as a tooltip on hover and on keyboard focus.
 */
import type { ComponentChildren, Ref } from 'preact'
import { Icon, type IconName } from './icon.tsx'

interface ButtonProps {
  readonly children: ComponentChildren
  readonly kind?: 'primary' | 'plain' | 'quiet' | 'danger'
  readonly type?: 'button' | 'submit'
  readonly icon?: IconName
  readonly disabled?: boolean
  readonly onClick?: (event: MouseEvent) => void
  readonly buttonRef?: Ref<HTMLButtonElement>
}

export function Button({
  children,
  kind = 'plain',
  type = 'button',
  icon,
  disabled = false,
  ...rest
}: ButtonProps) {
  return (
    <button
      ref={rest.buttonRef ?? null}
      type={type}
      class={`button button-${kind}`}
      disabled={disabled}
      onClick={rest.onClick}
    >
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  )
}

interface IconButtonProps {
  readonly icon: IconName
  /** The name for screen readers, and the tooltip. */
  readonly label: string
  readonly onClick?: (event: MouseEvent) => void
  readonly pressed?: boolean
  readonly expanded?: boolean
  readonly hasPopup?: 'menu' | 'dialog'
  readonly disabled?: boolean
  readonly kind?: 'quiet' | 'primary' | 'danger'
  /** Where the tooltip appears. */
  readonly tip?: 'above' | 'below'
  /** -1 in toolbars with one Tab stop. */
  readonly tabIndex?: number
  readonly buttonRef?: Ref<HTMLButtonElement>
}

export function IconButton({
  icon,
  label,
  kind = 'quiet',
  tip = 'above',
  disabled = false,
  ...rest
}: IconButtonProps) {
  return (
    <button
      ref={rest.buttonRef ?? null}
      type="button"
      class={`icon-button icon-button-${kind}`}
      aria-label={label}
      aria-pressed={rest.pressed}
      aria-expanded={rest.expanded}
      aria-haspopup={rest.hasPopup}
      data-tip={label}
      data-tip-at={tip}
      disabled={disabled}
      {...(rest.tabIndex !== undefined && { tabIndex: rest.tabIndex })}
      onClick={rest.onClick}
    >
      <Icon name={icon} />
    </button>
  )
}
