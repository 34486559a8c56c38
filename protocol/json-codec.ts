/**
 * The JSON codec: `{"event": name, "ref": n, "data": {field: value}}`, the same fields by name.
 *
 * Shards speak msgpack only. The front end turns a JSON request into the msgpack frame of the same
 * meaning and a msgpack event into JSON text; both follow from the table, and neither judges a
 * field's value: that is done once, where the msgpack frame is decoded.
 */
import { decodeEvent, isRef, packRequest } from './codec.ts'
import { ChatError } from './errors.ts'
import { type Event, events } from './events.ts'
import { type RequestName, requests } from './requests.ts'

/**
 * Turns a client's JSON text into a msgpack frame.
 * @throws ChatError `bad_request` or `unknown_event`; `refOf` finds the ref to answer with.
 */
export function requestFromJson(textFrame: string): Uint8Array {
  const frame = parse(textFrame)
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
    throw malformed('a frame is an object {event, ref, data}')
  }
  const { event, ref, data } = frame as Record<string, unknown>
  if (typeof event !== 'string' || !Object.hasOwn(requests, event)) {
    throw new ChatError('unknown_event', undefined, { malformed: typeof event !== 'string' })
  }
  if (!isRef(ref)) throw malformed('ref takes an unsigned 32-bit number', 'ref')
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw malformed('data takes an object', 'data')
  }
  const row = requests[event as RequestName]
  return packRequest(row.fields, data, [row.code, ref])
}

/** The ref of a JSON frame that was refused, 0 where it has none. */
export function refOf(textFrame: string): number {
  try {
    const { ref } = JSON.parse(textFrame) as { ref?: unknown }
    return isRef(ref) ? ref : 0
  } catch {
    return 0
  }
}

/** Turns a msgpack event frame into JSON text. */
export function eventToJson(frame: Uint8Array): string {
  const event = decodeEvent(frame)
  if (!event) throw new TypeError('not an event of the table')
  return JSON.stringify({ event: event.event, ref: event.ref, data: event.fields })
}

/** Reads what a server sent as JSON text; null for an event this version does not know. */
export function eventFromJson(textFrame: string): Event | null {
  const { event, ref, data } = JSON.parse(textFrame) as { event: string; ref: number; data: object }
  if (!Object.hasOwn(events, event)) return null
  return { event, ref, fields: data } as unknown as Event
}

function parse(textFrame: string): unknown {
  try {
    return JSON.parse(textFrame)
  } catch {
    throw malformed('the frame is not JSON')
  }
}

function malformed(message: string, field?: string): ChatError {
  return new ChatError('bad_request', message, { field, malformed: true })
}
