/**
 * Emptied edits: when a post goes, what its edits said goes too; the events stay, since their
 * numbers were given out.
 */
import { decodeEvent, encodeEvent } from '../../protocol/codec.ts'
import { toMessageId } from '../../protocol/ids.ts'

/** The frame of a `message_edited` of this post without its content, or null where it is another. */
export function emptiedEdit(frame: Uint8Array, groupId: string, seq: number): Uint8Array | null {
  const event = decodeEvent(frame)
  if (event?.event !== 'message_edited' || event.fields.messageId !== toMessageId(groupId, seq)) return null
  return encodeEvent('message_edited', 0, { ...event.fields, content: '', mentions: [] })
}
