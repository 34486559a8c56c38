/**
 * The JSON codec: `{"event": name, "ref": n, "data": {field: value}}`, the same fields by name.
 *
 * Shards use msgpack only. The front end converts a JSON request to the equivalent msgpack frame,
 * and a msgpack event to JSON text. Both conversions follow from the table and do not validate the
 * values of fields: `decodeRequest` does that.
 */
import { decodeEvent, isRef, packRequest } from './codec.ts'
import { ChatError } from './errors.ts'
import { type Event, events } from './events.ts'
import { type RequestName, requests } from './requests.ts'

/**
 * Converts a client's JSON text to a msgpack frame.
 * @throws ChatError `bad_request` or `unknown_event`; `refOf` reads the ref for the answer.
 */
export function requestFromJson(textFrame: string): Uint8Array {
  const frame = parse(textFrame)
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
    throw malformed('a frame must be an object {event, ref, data}')
  }
  const { event, ref, data } = frame as Record<string, unknown>
  if (typeof event !== 'string' || !Object.hasOwn(requests, event)) {
    throw new ChatError('unknown_event', undefined, { malformed: typeof event !== 'string' })
  }
  if (!isRef(ref)) throw malformed('ref must be an unsigned 32-bit integer', 'ref')
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw malformed('data must be an object', 'data')
  }
  const row = requests[event as RequestName]
  return packRequest(row.fields, data, [row.code, ref])
}

/** The ref of a rejected JSON frame, or 0 if it has none. */
export function refOf(textFrame: string): number {
  try {
    const { ref } = JSON.parse(textFrame) as { ref?: unknown }
    return isRef(ref) ? ref : 0
  } catch {
    return 0
  }
}

/** Converts a msgpack event frame to JSON text. */
export function eventToJson(frame: Uint8Array): string {
  const event = decodeEvent(frame)
  if (!event) throw new TypeError('the frame is not an event of the table')
  return JSON.stringify({ event: event.event, ref: event.ref, data: event.fields })
}

/** Decodes an event in JSON text. Returns null for an event that this version does not know. */
export function eventFromJson(textFrame: string): Event | null {
  const { event, ref, data } = JSON.parse(textFrame) as { event: string; ref: number; data: object }
  if (!Object.hasOwn(events, event)) return null
  return { event, ref, fields: data } as unknown as Event
}

function parse(textFrame: string): unknown {
  try {
    return JSON.parse(textFrame)
  } catch {
    throw malformed('the frame must be JSON')
  }
}

function malformed(message: string, field?: string): ChatError {
  return new ChatError('bad_request', message, { field, malformed: true })
}
