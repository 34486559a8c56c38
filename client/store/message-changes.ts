/**
 * Message changes: a message after an event that changes it. Changes of the user that have no answer yet are
 * applied in the same way, to what is shown.
 */
import type { Event } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import { tombstone } from '../../protocol/tombstone.ts'
import type { OutboxEntry } from './cache/message-cache.ts'

export type ChangeEvent = Event<
  | 'message_edited'
  | 'message_deleted'
  | 'message_recalled'
  | 'reaction_changed'
  | 'message_pinned'
  | 'message_unpinned'
>
type Change = Pick<ChangeEvent, 'event' | 'fields'> & { readonly event: ChangeEvent['event'] }

/** The same message if the event does not change it. */
export function changeMessage(message: Message, change: Change): Message {
  if (message.deletedAt !== undefined || message.recalledAt !== undefined) return message
  const { event, fields } = change as ChangeEvent
  switch (event) {
    case 'message_edited': {
      const { content, editedAt, mentions = message.mentions, type = message.type } = fields
      return { ...message, content, editedAt, mentions, type }
    }
    case 'message_deleted':
      return { ...tombstone(message), deletedAt: fields.deletedAt, deletedBy: fields.deletedBy }
    case 'message_recalled':
      return { ...tombstone(message), recalledAt: fields.recalledAt }
    case 'message_pinned':
      return { ...message, pinnedAt: fields.at }
    case 'message_unpinned':
      return { ...message, pinnedAt: undefined }
    case 'reaction_changed':
      return react(message, fields)
  }
}

function react(message: Message, { emoji, added, by }: Event<'reaction_changed'>['fields']): Message {
  const reactions = message.reactions ?? []
  const known = reactions.find((one) => one.emoji === emoji)
  if (known?.userIds.includes(by) === added) return message
  const { userIds = [], count = 0 } = known ?? {}
  // A user who is not listed has reacted where the list is not complete.
  if (!added && count === userIds.length && !userIds.includes(by)) return message
  const changed = {
    emoji,
    userIds: added ? [...userIds, by] : userIds.filter((id) => id !== by),
    count: count + (added ? 1 : -1),
  }
  const all = known ? reactions.map((one) => (one === known ? changed : one)) : [...reactions, changed]
  return { ...message, reactions: all.filter((one) => one.count > 0) }
}

/** The event that a request of the user causes; null if the request changes no message. */
export function changeOf(
  { request, fields, createdAt: at }: Pick<OutboxEntry, 'request' | 'fields' | 'createdAt'>,
  by: string,
): (Change & { readonly messageId: string }) | null {
  const given = fields as { readonly messageId: string; readonly emoji: string }
  const row = {
    edit_message: { event: 'message_edited', fields: { editedAt: at } },
    delete_message: { event: 'message_deleted', fields: { deletedAt: at, deletedBy: by } },
    recall_message: { event: 'message_recalled', fields: { recalledAt: at } },
    react: { event: 'reaction_changed', fields: { by, added: true } },
    unreact: { event: 'reaction_changed', fields: { by, added: false } },
    pin_message: { event: 'message_pinned', fields: { at } },
    unpin_message: { event: 'message_unpinned', fields: {} },
  }[request as string]
  return row
    ? ({ event: row.event, fields: { ...given, ...row.fields }, messageId: given.messageId } as never)
    : null
}

/** The seq of a message, from its id (IDN-6). */
export function seqOf(messageId: string): number {
  return Number(messageId.slice(messageId.lastIndexOf(':') + 1))
}
