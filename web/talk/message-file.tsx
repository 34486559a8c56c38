/**
 * The file of a message.
 */
import type { MessageItem } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { Icon } from '../ui/icon.tsx'

export function MessageFile({ item }: { readonly item: MessageItem }) {
  const { texts } = useShell()
  return (
    <p class="text">
      <Icon name="file" /> {item.file?.fileName ?? texts.shell.file}
    </p>
  )
}
