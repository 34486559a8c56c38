/**
 * Message items: messages as they are shown, with the changes of the user that are not confirmed yet. An item
 * stays the same object until something in it changes.
 */
import type { Message } from '../../protocol/records.ts'
import type { CachedItem, OutboxEntry, ReceiptMark } from './cache/message-cache.ts'
import { changeMessage, changeOf } from './message-changes.ts'
import type { SendFields } from './outgoing.ts'
import type { People } from './people.ts'
import { share } from './sharing.ts'
import type { MessageItem, MessageState, NoticeItem, QuotedMessage } from './types.ts'

export interface ItemsContext {
  readonly me: string
  readonly people: People
  readonly entries: readonly OutboxEntry[]
  readonly marks: readonly ReceiptMark[]
  /** The message with an id, if it is known. */
  readonly find: (messageId: string) => Message | undefined
}

export class MessageItems {
  /** The items of the last view, by key. */
  #before = new Map<string, MessageItem>()
  #built = new Map<string, MessageItem>()

  /** The items of a view; `entries` that are not among them follow. */
  list(items: readonly CachedItem[], context: ItemsContext): (MessageItem | NoticeItem)[] {
    this.#built = new Map()
    const shown = items.map((item) => ('notice' in item ? item.notice : this.item(item.message, context)))
    for (const entry of context.entries) {
      if (entry.request === 'send_message' && !this.#built.has(entry.key)) {
        shown.push(this.item(pendingMessage(entry, context), context))
      }
    }
    this.#before = this.#built
    return shown
  }

  /** One message as it is shown. */
  item(stored: Message, context: ItemsContext): MessageItem {
    const { me, people, entries, marks } = context
    let message = stored
    for (const entry of entries) {
      const change = changeOf(entry, me)
      if (change?.messageId === stored.messageId) message = changeMessage(message, change)
    }
    const mine = message.senderId === me
    const key = (mine && message.tempId) || message.messageId
    const entry = mine ? entries.find((one) => one.key === key) : undefined
    const isStored = message.seq > 0
    const countOf = (at: 1 | 2) =>
      mine && isStored ? marks.filter((mark) => mark[0] !== me && mark[at] >= message.seq).length : 0
    const readBy = countOf(2)
    const deliveredBy = Math.max(readBy, countOf(1))
    const mentions = message.mentions ?? []
    const item: MessageItem = share(this.#before.get(key), {
      kind: 'message',
      key,
      groupId: message.groupId,
      messageId: isStored ? message.messageId : undefined,
      seq: isStored ? message.seq : undefined,
      state: stateOf(entry, readBy, deliveredBy),
      failure: entry?.failure,
      mine,
      sender: people.person(message.senderId, message.senderName),
      type: message.type,
      content: message.content,
      createdAt: message.createdAt,
      replyToId: message.replyToId,
      replyTo: message.replyToId === undefined ? undefined : quoted(message.replyToId, context),
      file: message.file,
      uploadId: entry?.uploadId,
      mentions,
      mentionsMe: mentions.includes(me),
      editedAt: message.editedAt,
      deletedAt: message.deletedAt,
      deletedBy: message.deletedBy,
      recalledAt: message.recalledAt,
      pinnedAt: message.pinnedAt,
      reactions: message.reactions ?? [],
      changing: message !== stored,
      deliveredBy,
      readBy,
    })
    this.#built.set(key, item)
    return item
  }
}

function stateOf(entry: OutboxEntry | undefined, readBy: number, deliveredBy: number): MessageState {
  if (entry) return entry.failure ? 'failed' : 'pending'
  return readBy > 0 ? 'read' : deliveredBy > 0 ? 'delivered' : 'sent'
}

function quoted(messageId: string, { people, find }: ItemsContext): QuotedMessage | undefined {
  const message = find(messageId)
  if (!message) return undefined
  const { senderId, senderName, type, content, deletedAt, recalledAt } = message
  const isDeleted = (deletedAt ?? recalledAt) !== undefined
  return { messageId, sender: people.person(senderId, senderName), type, content, isDeleted }
}

/** A message of the outbox; its seq is 0. */
function pendingMessage(
  { key, groupId, fields, createdAt }: OutboxEntry,
  { me, people }: ItemsContext,
): Message {
  const { content, type = 'text', replyToId, mentions } = fields as SendFields
  return {
    messageId: key,
    groupId,
    seq: 0,
    senderId: me,
    senderName: people.person(me).name,
    type,
    content,
    createdAt,
    tempId: key,
    replyToId,
    mentions,
  }
}
