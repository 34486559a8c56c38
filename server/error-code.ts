/**
 * Error code: the code of a refusal in an event frame of the engine.
 */
import { decodeEvent } from '../protocol/codec.ts'
import { events } from '../protocol/events.ts'
import { peekHead } from '../protocol/frame-head.ts'

const ERROR_CODE: number = events.error.code
const MESSAGE_ERROR_CODE: number = events.message_error.code

/** The code of an `error` or a `message_error`; null for all other frames, which are not read. */
export function errorCodeOf(frame: Uint8Array, eventCode: number): string | null {
  if (eventCode === ERROR_CODE) {
    // `code` is the first field of an `error`.
    const head = peekHead(frame)
    return head && Buffer.from(frame.subarray(head.idStart, head.idEnd)).toString('latin1')
  }
  if (eventCode !== MESSAGE_ERROR_CODE) return null
  const event = decodeEvent(frame)
  return event?.event === 'message_error' ? event.fields.error.code : null
}
