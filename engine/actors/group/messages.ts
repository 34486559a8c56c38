/**
 * Messages: how a post gets its place in the group's order, once.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { parseMessageId, toMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, type Effect, type Effects, read, record } from '../effects.ts'
import { type GroupState, idempotencyKey, nextSeq, rememberTempId } from './group-state.ts'
import { callerAsMember } from './permissions.ts'

export function sendMessage(
  group: GroupState,
  by: Caller,
  fields: RequestFields<'send_message'>,
  now: number,
): Effects {
  callerAsMember(group, by)
  const { tempId, content, replyToId, mentions } = fields
  // SPEC 5.3: the same tempId makes one message, and the second answer carries the first.
  const known = group.tempIds.get(idempotencyKey(by.userId, tempId))
  if (known !== undefined) return answerAgain(group, by, tempId, known)

  const type = fields.type ?? 'text'
  if (type === 'text' && content.length === 0) {
    throw new ChatError('bad_request', 'content of a text may not be empty', { field: 'content' })
  }
  if (replyToId !== undefined) refuseForeignReply(group, replyToId)
  if (fields.fileId !== undefined) throw new ChatError('not_found', 'no such file', { field: 'fileId' })

  const seq = nextSeq(group)
  const message: Message = {
    messageId: toMessageId(group.groupId, seq),
    groupId: group.groupId,
    seq,
    senderId: by.userId,
    senderName: by.name,
    type,
    content,
    createdAt: now,
    tempId,
    replyToId,
    file: undefined,
    mentions: mentions && membersAmong(group, mentions),
  }
  rememberTempId(group, by.userId, tempId, seq)
  return [record(seq, now, 'new_message', { message }), sent(by, tempId, message)]
}

function answerAgain(group: GroupState, by: Caller, tempId: string, seq: number): Effects {
  const event = group.recent.find(seq)
  if (event && 'message' in event) return [sent(by, tempId, event.message)]
  return [
    read({ read: 'message', groupId: group.groupId, seq }, by, (message) => {
      if (!message) throw new ChatError('internal')
      return [sent(by, tempId, message)]
    }),
  ]
}

function sent(by: Caller, tempId: string, message: Message): Effect {
  return answerCommitted(by, 'message_sent', { tempId, message, success: true }, tempId)
}

function refuseForeignReply(group: GroupState, replyToId: string): void {
  const { groupId, seq } = parseMessageId(replyToId)
  if (groupId !== group.groupId || seq > group.lastSeq) {
    throw new ChatError('not_found', 'a reply is to a message of the same group', { field: 'replyToId' })
  }
}

/** Only members can be mentioned, each once. */
function membersAmong(group: GroupState, userIds: readonly string[]): readonly string[] | undefined {
  const mentioned = [...new Set(userIds)].filter((userId) => group.members.has(userId))
  return mentioned.length > 0 ? mentioned : undefined
}
