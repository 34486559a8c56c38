/**
 * Changes: a post is edited, deleted or recalled.
 *
 * Each change is a durable event with its own seq, so that disconnected members receive it by `resume`.
 * History shows the changed post. Of a deleted or recalled post an empty tombstone remains in memory, in
 * the log and in its edit events.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { parseMessageId } from '../../../protocol/ids.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { tombstone } from '../../../protocol/tombstone.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, change, type Effects, record } from '../effects.ts'
import { type GroupState, nextSeq } from './group-state.ts'
import { findMessage, requireNotDeleted, withMessage, withPost } from './known-messages.ts'
import { mentionsOf, stillWritten } from './mentions.ts'
import { requireContent } from './messages.ts'
import { callerMay, refuseDeletion, refuseOthers, refuseRecall } from './permissions.ts'
import { removePin } from './pins.ts'

export function editMessage(
  group: GroupState,
  by: Caller,
  fields: RequestFields<'edit_message'>,
  asked: number,
): Effects {
  const { messageId } = fields
  return withMessage(group, by, messageId, asked, (message, now) => {
    if (message.replyToId === undefined || !message.mentions) {
      return edit(group, by, fields, message, undefined, now)
    }
    // One of its mentions may be that of the replied user. After the read, the message is looked up again.
    return withPost(group, by, parseMessageId(message.replyToId).seq, now, (repliedTo, later) =>
      withMessage(group, by, messageId, later, (latest, at) =>
        edit(group, by, fields, latest, repliedTo, at),
      ),
    )
  })
}

function edit(
  group: GroupState,
  by: Caller,
  fields: RequestFields<'edit_message'>,
  message: Message,
  repliedTo: Message | undefined,
  now: number,
): Effects {
  const { messageId, content, type = message.type } = fields
  callerMay(group, by, 'edit_message', now)
  refuseOthers(by, message)
  requireNotDeleted(message)
  const { editWindowMs } = group.rules
  if (editWindowMs > 0 && now - message.createdAt > editWindowMs) throw new ChatError('edit_expired')
  requireContent(content, message.file !== undefined)
  // MEN-1: without `mentions`, those that are still in the text remain.
  const wanted = fields.mentions ?? stillWritten(group, message, content)
  const mentions = mentionsOf(group, by.userId, wanted, repliedTo)
  if (content === message.content && type === message.type && same(mentions, message.mentions)) {
    return [answerCommitted(by, 'ok', {})]
  }
  const { groupId } = group
  const seq = nextSeq(group)
  return [
    change(seq, message, { ...message, content, type, mentions, editedAt: now }),
    record(seq, now, 'message_edited', {
      messageId,
      groupId,
      seq,
      content,
      editedAt: now,
      mentions: mentions ?? [],
      type: type === message.type ? undefined : type,
    }),
    answerCommitted(by, 'ok', {}),
  ]
}

function same(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one.length === other.length && one.every((userId) => other.includes(userId))
}

export function deleteMessage(
  group: GroupState,
  by: Caller,
  { messageId }: RequestFields<'delete_message'>,
  now: number,
): Effects {
  return findMessage(group, by, messageId, now, (message, at) => {
    refuseDeletion(group, by, message, at)
    if (message.deletedAt !== undefined) return [answerCommitted(by, 'ok', {})]
    requireNotDeleted(message)
    const { groupId } = group
    const deletedBy = by.userId
    const seq = nextSeq(group)
    removePin(group, message.seq)
    return [
      change(seq, message, { ...tombstone(message), deletedAt: at, deletedBy }),
      record(seq, at, 'message_deleted', { messageId, groupId, seq, deletedAt: at, deletedBy }),
      answerCommitted(by, 'ok', {}),
    ]
  })
}

export function recallMessage(
  group: GroupState,
  by: Caller,
  { messageId }: RequestFields<'recall_message'>,
  now: number,
): Effects {
  return findMessage(group, by, messageId, now, (message, at) => {
    refuseRecall(group, by, message)
    if (message.recalledAt !== undefined) return [answerCommitted(by, 'ok', {})]
    requireNotDeleted(message)
    if (at - message.createdAt > limits.recallWindowMs) throw new ChatError('recall_expired')
    const { groupId } = group
    const seq = nextSeq(group)
    removePin(group, message.seq)
    return [
      change(seq, message, { ...tombstone(message), recalledAt: at }),
      record(seq, at, 'message_recalled', {
        messageId,
        groupId,
        seq,
        recalledBy: by.userId,
        recalledAt: at,
      }),
      answerCommitted(by, 'ok', {}),
    ]
  })
}
