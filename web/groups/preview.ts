/**
 * Preview: the last message of a group as one line of text.
 */
import type { GroupItem, MessageItem } from '../../client/store/types.ts'
import type { Texts } from '../i18n/texts.ts'
import { plainText } from '../text/blocks.ts'

const MAX_CHARS = 120

/** The line for a message; in groups it starts with the sender. */
export function previewOf(message: MessageItem, kind: GroupItem['kind'], { shell }: Texts): string {
  const text = contentOf(message, shell)
  if (message.mine) return `${shell.you}: ${text}`
  return kind === 'group' ? `${firstName(message.sender.name)}: ${text}` : text
}

function contentOf(message: MessageItem, shell: Texts['shell']): string {
  if (message.recalledAt !== undefined) return shell.recalledMessage
  if (message.deletedAt !== undefined) return shell.deletedMessage
  const text = plainText(message.content, MAX_CHARS)
  if (text !== '') return text
  const kinds: Partial<Record<MessageItem['type'], string>> = {
    image: shell.image,
    video: shell.video,
    audio: shell.audio,
  }
  return kinds[message.type] ?? message.file?.fileName ?? shell.file
}

function firstName(name: string): string {
  return name.split(/\s/u)[0] || name
}
