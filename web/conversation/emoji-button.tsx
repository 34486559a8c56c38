/**
 * A button that opens the emoji picker above it.
 */
import { useRef, useState } from 'preact/hooks'
import { IconButton } from '../ui/button.tsx'
import { EmojiPopover, type Place } from './emoji-popover.tsx'

interface EmojiButtonProps {
  readonly label: string
  readonly onChoose: (emoji: string) => void
}

export function EmojiButton({ label, onChoose }: EmojiButtonProps) {
  const button = useRef<HTMLButtonElement>(null)
  const [place, setPlace] = useState<Place | null>(null)
  const toggle = () => {
    const { right, top } = (button.current as HTMLButtonElement).getBoundingClientRect()
    setPlace(place ? null : { x: right, y: top })
  }
  return (
    <>
      <IconButton
        buttonRef={button}
        icon="smile"
        label={label}
        hasPopup="dialog"
        expanded={place !== null}
        onClick={toggle}
      />
      {place && <EmojiPopover place={place} onChoose={onChoose} onClose={() => setPlace(null)} />}
    </>
  )
}
