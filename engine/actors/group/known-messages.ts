/**
 * Known messages: looks up the current state of a post that a request names.
 *
 * The newest posts and the recently changed ones are in memory. Any other post is read from the log, and
 * the handler continues with the result. It must check permissions then, as the state may have changed.
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
 * Looks up the post and continues with it; for members only.
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
 * The same for any user: `then` checks permissions. A user outside the group cannot find out which posts exist.
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

/** Looks up the post with this number and continues with it, or with null. */
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

/** The current post, if it is in memory. */
export function messageInMemory(group: GroupState, seq: number): Message | undefined {
  const changed = group.changed.find(seq)
  if (changed) return changed
  const event = group.recent.find(seq)
  return event && 'message' in event ? event.message : undefined
}

/**
 * The event as it is replayed: a post and its edits in the version that members were last shown, the
 * texts of a group in their current version. // PRV-3
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

/** Whether only a tombstone of the post remains. */
function isDeleted({ deletedAt, recalledAt }: Message): boolean {
  return deletedAt !== undefined || recalledAt !== undefined
}

/** @throws ChatError `not_found` if the post was deleted or recalled. */
export function requireNotDeleted(message: Message): void {
  if (isDeleted(message)) {
    throw new ChatError('not_found', 'the message was deleted', { field: 'messageId' })
  }
}

function noSuchMessage(group: GroupState, by: Caller): ChatError {
  if (!group.members.has(by.userId)) return strangerRefusal(group)
  return new ChatError('not_found', 'no such message', { field: 'messageId' })
}
