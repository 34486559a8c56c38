/**
 * Sentences: a message, its state and notices in words, for labels, announcements and previews.
 */
import type { MessageItem, NoticeItem, QuotedMessage } from '../../../client/store/types.ts'
import type { Format } from '../../i18n/format.ts'
import type { Texts } from '../../i18n/texts.ts'
import { plainText } from '../../text/blocks.ts'

/** What a message without a text is. */
export function summaryOf({ type }: Pick<QuotedMessage, 'type'>, { shell }: Texts): string {
  return type === 'text' ? '' : shell[type]
}

/** The text of a message in one line; deleted ones and files in words. */
export function contentOf(item: MessageItem, texts: Texts): string {
  if (item.recalledAt !== undefined) return texts.shell.recalledMessage
  if (item.deletedAt !== undefined) return texts.shell.deletedMessage
  const name = item.file && item.type === 'file' ? item.file.fileName : ''
  return [summaryOf(item, texts), name, plainText(item.content, 1_000)]
    .filter((part) => part !== '')
    .join(', ')
}

/** The message as one sentence, for screen readers. */
export function messageLabel(item: MessageItem, isDirect: boolean, texts: Texts, format: Format): string {
  const t = texts.conversation
  const parts = [
    `${item.mine ? texts.shell.you : item.sender.name}: ${contentOf(item, texts)}`,
    item.replyTo && t.inReplyTo(item.replyTo.sender.name, plainText(item.replyTo.content, 80)),
    format.time(item.createdAt),
    item.editedAt !== undefined && t.edited,
    item.pinnedAt !== undefined && t.pinned,
    item.reactions.length > 0 &&
      t.reactionsOf(item.reactions.map((one) => `${one.count} ${one.emoji}`).join(', ')),
    item.mine &&
      item.deletedAt === undefined &&
      item.recalledAt === undefined &&
      stateText(item, isDirect, texts),
  ]
  return parts.filter((part) => part).join(', ')
}

/** How far a message of the user came. */
export function stateText(item: MessageItem, isDirect: boolean, { conversation: t }: Texts): string {
  if (item.state === 'failed') return t.stateFailed
  if (item.state === 'pending' || item.changing) return t.statePending
  if (item.state === 'read') return isDirect ? t.stateRead : t.readBy(Math.max(1, item.readBy))
  if (item.state === 'delivered')
    return isDirect ? t.stateDelivered : t.deliveredBy(Math.max(1, item.deliveredBy))
  return t.stateSent
}

/** A notice as a sentence. */
export function noticeText(item: NoticeItem, me: string, { conversation: t, shell }: Texts): string {
  const nameOf = (person: NoticeItem['by']) => (person?.userId === me ? shell.you : (person?.name ?? ''))
  const about = nameOf(item.about ?? item.by)
  const isSelf = !item.by || !item.about || item.by.userId === item.about.userId
  const by = nameOf(item.by)
  switch (item.what) {
    case 'joined':
      return isSelf ? t.joined(about) : t.added(by, about)
    case 'left':
      return t.left(about)
    case 'removed':
      return by ? t.removed(by, about) : t.left(about)
    case 'banned':
      return by ? t.banned(by, about) : t.left(about)
    case 'renamed':
      return t.renamed(by, item.text ?? '')
    case 'role':
      return t.roleChanged(by, about, t.roles[item.text as 'member'] ?? item.text ?? '')
    case 'lost':
      return t.lost
  }
}
