/**
 * Missing banner: says that a part of the page could not be loaded, and why, while it is wanted.
 */
import { useEffect } from 'preact/hooks'
import { useShell, useView } from './shell.ts'
import { Button } from './ui/button.tsx'
import { Icon } from './ui/icon.tsx'
import { useLate } from './ui/use-late.ts'

export function MissingBanner() {
  const { missingParts, texts, announce } = useShell()
  const reason = useView(missingParts.reason)
  const isShown = useLate(reason !== null)
  const text = reason === null ? '' : texts.shell.missingPart[reason]
  useEffect(() => {
    if (isShown && text !== '') announce(text)
  }, [isShown, text, announce])
  if (!isShown) return null
  return (
    <div class="banner">
      <Icon name="alert" size={18} />
      <span class="grow">{text}</span>
      {reason === 'removed' && <Button onClick={() => location.reload()}>{texts.shell.reload}</Button>}
    </div>
  )
}
