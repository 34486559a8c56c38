/**
 * Messages: adds a post to the group's order, once.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { groupOfId, parseMessageId, toMessageId } from '../../../protocol/ids.ts'
import type { File, Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { hasVisible } from '../../../protocol/text-rules.ts'
import type { Caller } from '../caller.ts'
import { type Effect, type Effects, read, record } from '../effects.ts'
import { accept } from './contact.ts'
import { fileFor, fileShown } from './group-files.ts'
import { type GroupState, idempotencyKey, nextSeq, rememberMessage } from './group-state.ts'
import { messageInMemory, withPost } from './known-messages.ts'
import { mentionsOf } from './mentions.ts'
import { nameOf } from './names.ts'
import { callerAsMember, callerMay, requirePermission } from './permissions.ts'
import { typingEnded } from './typing.ts'

export function sendMessage(
  group: GroupState,
  by: Caller,
  fields: RequestFields<'send_message'>,
  now: number,
): Effects {
  const member = callerAsMember(group, by)
  const { groupId } = group
  const { tempId, replyToId } = fields
  // IDM-1: the same tempId makes one message; a repeated send is answered with its current state.
  const known = group.tempIds.get(idempotencyKey(by.userId, tempId))
  if (known !== undefined) return answerAgain(group, by, tempId, known)
  requirePermission(group, member, 'send_message', now)
  requireContent(fields.content, fields.fileId !== undefined)
  if (replyToId === undefined) {
    if (fields.fileId === undefined) return post(group, by, fields, undefined, undefined, now)
    return withFile(group, by, fields, undefined, now)
  }
  const { groupId: repliedIn, seq } = parseMessageId(replyToId)
  if (repliedIn !== groupId || seq > group.lastSeq) throw noSuchPost()
  return withPost(group, by, seq, now, (repliedTo, later) => {
    if (!repliedTo) throw noSuchPost()
    return withFile(group, by, fields, repliedTo, later)
  })
}

/** Looks up the file that the post shows, if any, then posts. */
function withFile(
  group: GroupState,
  by: Caller,
  fields: RequestFields<'send_message'>,
  repliedTo: Message | undefined,
  now: number,
): Effects {
  const { fileId } = fields
  if (fileId === undefined) return post(group, by, fields, repliedTo, undefined, now)
  if (groupOfId(fileId) !== group.groupId) throw noSuchFile()
  const added = fileFor(group, fileId)
  if (added) return post(group, by, fields, repliedTo, own(by, added), now)
  return [
    read({ read: 'file', fileId }, by, (stored, later) =>
      post(group, by, fields, repliedTo, own(by, stored), later),
    ),
  ]
}

/** Assigns the post its number. */
function post(
  group: GroupState,
  by: Caller,
  fields: RequestFields<'send_message'>,
  repliedTo: Message | undefined,
  file: File | undefined,
  now: number,
): Effects {
  const { groupId } = group
  const { tempId, mentions } = fields
  const key = idempotencyKey(by.userId, tempId)
  if (repliedTo || file) {
    // After a read, the same tempId may have become a message in the meantime.
    const known = group.tempIds.get(key)
    if (known !== undefined) return answerAgain(group, by, tempId, known)
    callerMay(group, by, 'send_message', now)
  }
  const seq = nextSeq(group)
  const message: Message = {
    messageId: toMessageId(groupId, seq),
    groupId,
    seq,
    senderId: by.userId,
    senderName: nameOf(group, by),
    type: fields.type ?? 'text',
    content: fields.content,
    createdAt: now,
    tempId,
    replyToId: fields.replyToId,
    file,
    mentions: mentions || repliedTo ? mentionsOf(group, by.userId, mentions ?? [], repliedTo) : undefined,
  }
  rememberMessage(group, key, seq)
  if (file) fileShown(group, file.fileId)
  return [
    ...accept(group, by.userId), // PRV-2
    record(seq, now, 'new_message', { message }, { by, tempId }),
    ...typingEnded(group, by.userId, by.session),
  ]
}

function answerAgain(group: GroupState, by: Caller, tempId: string, seq: number): Effects {
  const known = messageInMemory(group, seq)
  if (known) return [sent(by, tempId, known)]
  return [
    read({ read: 'message', groupId: group.groupId, seq }, by, (stored) => {
      const message = group.changed.find(seq) ?? stored
      if (!message) throw new ChatError('internal')
      return [sent(by, tempId, message)]
    }),
  ]
}

function sent(by: Caller, tempId: string, message: Message): Effect {
  const event = { name: 'message_sent', fields: { tempId, message, success: true } } as const
  return { type: 'answer_committed', to: by, event, tempId }
}

/** TXT-1. @throws ChatError */
export function requireContent(content: string, hasFile: boolean): void {
  if (hasFile || hasVisible(content)) return
  throw new ChatError(
    'bad_request',
    'content must contain at least one visible character if the message has no file',
    { field: 'content' },
  )
}

function noSuchPost(): ChatError {
  return new ChatError('not_found', 'replyToId must be a message of the same group', { field: 'replyToId' })
}

/** Only the uploader may post a file. @throws ChatError `not_found` */
function own(by: Caller, found: { readonly file: File; readonly uploadedBy: string } | null): File {
  if (found?.uploadedBy !== by.userId) throw noSuchFile()
  return found.file
}

function noSuchFile(): ChatError {
  return new ChatError('not_found', 'no such file of yours in this group', { field: 'fileId' })
}
