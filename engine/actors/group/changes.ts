/**
 * Changes: a post is edited, deleted or recalled (SPEC 3).
 *
 * Each is a durable event with a seq of its own, so that who was away learns of it by `resume`,
 * and the post itself becomes what history shows. Of a deleted or recalled one an empty tombstone
 * is left, in memory, in the log and in its edits.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, change, type Effects, record } from '../effects.ts'
import { type GroupState, nextSeq } from './group-state.ts'
import { refuseGone, withMessage } from './known-messages.ts'
import { callerMay, refuseDeletion, refuseOthers } from './permissions.ts'

export function editMessage(
  group: GroupState,
  by: Caller,
  { messageId, content }: RequestFields<'edit_message'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'edit_message', at)
    refuseOthers(by, message)
    refuseGone(message)
    const { editWindowMs } = group.rules
    if (editWindowMs > 0 && at - message.createdAt > editWindowMs) throw new ChatError('edit_expired')
    if (content.length === 0 && message.file === undefined) {
      throw new ChatError('bad_request', 'content of a message without a file may not be empty', {
        field: 'content',
      })
    }
    if (content === message.content) return [answerCommitted(by, 'ok', {})]
    const { groupId } = group
    const seq = nextSeq(group)
    return [
      change(seq, message, { ...message, content, editedAt: at }),
      record(seq, at, 'message_edited', { messageId, groupId, seq, content, editedAt: at }),
      answerCommitted(by, 'ok', {}),
    ]
  })
}

export function deleteMessage(
  group: GroupState,
  by: Caller,
  { messageId }: RequestFields<'delete_message'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    refuseDeletion(group, by, message, at)
    if (message.deletedAt !== undefined) return [answerCommitted(by, 'ok', {})]
    refuseGone(message)
    const { groupId } = group
    const deletedBy = by.userId
    const seq = nextSeq(group)
    group.pins.delete(message.seq)
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
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'recall_message', at)
    refuseOthers(by, message)
    if (message.recalledAt !== undefined) return [answerCommitted(by, 'ok', {})]
    refuseGone(message)
    if (at - message.createdAt > limits.recallWindowMs) throw new ChatError('recall_expired')
    const { groupId } = group
    const seq = nextSeq(group)
    group.pins.delete(message.seq)
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

/** What is left of a post that is gone: its place, who sent it and when. */
function tombstone(message: Message): Message {
  return {
    ...message,
    content: '',
    file: undefined,
    mentions: undefined,
    editedAt: undefined,
    reactions: undefined,
    pinnedAt: undefined,
  }
}
