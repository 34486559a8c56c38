/**
 * Preview: the last message of a group as one line of text.
 */
import type { GroupItem, MessageItem } from '../../client/store/types.ts'
import type { Texts } from '../i18n/texts.ts'

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
  // Marks of formatting would be noise in one line.
  const text = message.content
    .slice(0, 4 * MAX_CHARS)
    .replace(/[*_`]+/g, '')
    .replace(/^\s*>+\s*/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
  if (text !== '') return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text
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
