/**
 * Encode: an event of an effect, as the frame that goes to clients.
 */
import { encodeEvent } from '../../protocol/codec.ts'
import type { EventFields, EventName } from '../../protocol/events.ts'

/** The frame. `ref` is 0 if no request caused the event. */
export function encode(
  { name, fields }: { readonly name: EventName; readonly fields: unknown },
  ref: number,
): Uint8Array {
  return encodeEvent(name, ref, fields as EventFields<EventName>)
}
