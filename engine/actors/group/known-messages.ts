/**
 * Known messages: how a handler comes by a post that a request names, new or old, as it is now.
 *
 * The newest are in memory, the changed ones too; any other is read from the log, and the handler
 * goes on when the answer is there. What it may rely on it checks then: meanwhile others have acted.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { events } from '../../../protocol/events.ts'
import { parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import { hasGroupTexts, withContent, withGroupTexts } from '../../stored/stored-frame.ts'
import type { LoggedEvent } from '../../stored/stored-group.ts'
import type { Caller } from '../caller.ts'
import { type Effects, read } from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { callerAsMember, strangerRefusal } from './permissions.ts'

/**
 * Finds the post and goes on with it; for members only.
 * @throws ChatError `not_a_member`, `not_found`
 */
export function withMessage(
  group: GroupState,
  by: Caller,
  messageId: string,
  now: number,
  then: (message: Message, now: number) => Effects,
): Effects {
  callerAsMember(group, by)
  return findMessage(group, by, messageId, now, then)
}

/**
 * The same for any user: `then` checks permissions. A user outside the group does not learn what does not exist.
 * @throws ChatError `not_a_member`, `not_found`
 */
export function findMessage(
  group: GroupState,
  by: Caller,
  messageId: string,
  now: number,
  then: (message: Message, now: number) => Effects,
): Effects {
  const { seq } = parseMessageId(messageId)
  return withPost(group, by, seq, now, (message, later) => {
    if (!message) throw noSuchMessage(group, by)
    return then(message, later)
  })
}

/** Finds the post with this number, or that there is none, and goes on with it. */
export function withPost(
  group: GroupState,
  by: Caller,
  seq: number,
  now: number,
  then: (message: Message | undefined, now: number) => Effects,
): Effects {
  const known = messageInMemory(group, seq)
  if (known || seq >= group.recent.floor) return then(known, now)
  const { groupId } = group
  return [
    read({ read: 'message', groupId, seq }, by, (stored, later) =>
      then(group.changed.find(seq) ?? stored ?? undefined, later),
    ),
  ]
}

/** The post as it is, where memory knows it. */
export function messageInMemory(group: GroupState, seq: number): Message | undefined {
  const changed = group.changed.find(seq)
  if (changed) return changed
  const event = group.recent.find(seq)
  return event && 'message' in event ? event.message : undefined
}

/**
 * An event as a replay shows it: a post and its edits as members have been shown the post last, a
 * group's texts as they are. // PRV-3
 */
export function shownEvent(group: GroupState, event: LoggedEvent): LoggedEvent {
  const { changed, publishedSeq, info } = group
  if ('message' in event) return { seq: event.seq, message: changed.shown(event.message, publishedSeq) }
  const { code, frame, target } = event
  if (code === events.message_edited.code && target !== undefined) {
    const message = changed.findShown(target, publishedSeq)
    return message ? { ...event, frame: withContent(frame, message) } : event
  }
  return hasGroupTexts(code) ? { ...event, frame: withGroupTexts(frame, info) } : event
}

/** Whether of the post only a tombstone is left. */
function isDeleted({ deletedAt, recalledAt }: Message): boolean {
  return deletedAt !== undefined || recalledAt !== undefined
}

/** @throws ChatError `not_found` for a post that was deleted or recalled. */
export function requireNotDeleted(message: Message): void {
  if (isDeleted(message)) {
    throw new ChatError('not_found', 'the message was deleted', { field: 'messageId' })
  }
}

function noSuchMessage(group: GroupState, by: Caller): ChatError {
  if (!group.members.has(by.userId)) return strangerRefusal(group)
  return new ChatError('not_found', 'no such message', { field: 'messageId' })
}
