/**
 * Stored frames: durable events without the texts that may be replaced or deleted later. // PRV-3
 *
 * The text of an edit is in the row of its post, name, topic and picture of a group in the group's
 * row, and nowhere else: what is replaced there is in no event. Readers of such an event get the
 * current texts, and the current names of its users (IDN-2).
 */
import { decodeEvent, encodeEvent } from '../../protocol/codec.ts'
import { events } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import type { StoredGroup } from './stored-group.ts'

type Texts = Pick<StoredGroup, 'name' | 'topic' | 'avatarUrl'>

/** Whether events of this code carry the texts of their group. */
export function hasGroupTexts(code: number): boolean {
  return code === events.group_created.code || code === events.group_updated.code
}

/** The frame as it is stored. */
export function storedFrame(code: number, frame: Uint8Array): Uint8Array {
  if (code === events.message_edited.code) return withContent(frame, undefined)
  return hasGroupTexts(code) ? withGroupTexts(frame, {}) : frame
}

/** Whether events of this code carry names of users. */
export function hasUserNames(code: number): boolean {
  return (
    code === events.user_joined_group.code ||
    code === events.user_left_group.code ||
    code === events.group_created.code
  )
}

/** The frame with the current names; `nameOf` returns undefined for a name that has not changed. // IDN-2 */
export function withUserNames(frame: Uint8Array, nameOf: (userId: string) => string | undefined): Uint8Array {
  const event = decodeEvent(frame)
  if (event?.event === 'group_created') {
    const { group } = event.fields
    if (!group.members) return frame
    const members = group.members.map((one) => ({ ...one, name: nameOf(one.userId) ?? one.name }))
    return encodeEvent('group_created', 0, { ...event.fields, group: { ...group, members } })
  }
  if (event?.event !== 'user_joined_group' && event?.event !== 'user_left_group') return frame
  const { userId, userName } = event.fields
  const name = nameOf(userId)
  if (name === undefined || name === userName) return frame
  return event.event === 'user_joined_group'
    ? encodeEvent('user_joined_group', 0, { ...event.fields, userName: name })
    : encodeEvent('user_left_group', 0, { ...event.fields, userName: name })
}

/** The frame of a `message_edited` with the current content of the post; empty if it was deleted or recalled. */
export function withContent(
  frame: Uint8Array,
  message: Pick<Message, 'content' | 'mentions' | 'type'> | undefined,
): Uint8Array {
  const event = decodeEvent(frame)
  if (event?.event !== 'message_edited') return frame
  const { fields } = event
  return encodeEvent('message_edited', 0, {
    ...fields,
    content: message?.content ?? '',
    // What an edit does not name it has not changed.
    mentions: fields.mentions === undefined ? undefined : (message?.mentions ?? []),
    type: fields.type === undefined ? undefined : (message?.type ?? fields.type),
  })
}

/** The frame of a `group_created` or `group_updated`, with the texts as they are now. */
export function withGroupTexts(frame: Uint8Array, { name, topic, avatarUrl }: Texts): Uint8Array {
  const event = decodeEvent(frame)
  if (event?.event === 'group_created') {
    const group = { ...event.fields.group, name, topic, avatarUrl }
    return encodeEvent('group_created', 0, { ...event.fields, group })
  }
  if (event?.event !== 'group_updated') return frame
  // What an update does not name it has not changed.
  const { fields } = event
  return encodeEvent('group_updated', 0, {
    ...fields,
    name: fields.name === undefined ? undefined : (name ?? ''),
    topic: fields.topic === undefined ? undefined : (topic ?? ''),
    avatarUrl: fields.avatarUrl === undefined ? undefined : (avatarUrl ?? ''),
  })
}
