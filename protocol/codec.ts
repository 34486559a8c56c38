/**
 * The msgpack codec: frames to typed objects and back (TRN-4).
 *
 * A frame is an array: `[code, ref, ...fields]` in the order of the message table. Encoding is
 * driven by the table alone. Only frames from clients are validated when decoded.
 * No state is shared between frames: `useRecords: false` writes plain msgpack for every language.
 */
import { Packr } from 'msgpackr'
import * as v from 'valibot'
import { clientCodec } from './client-codec.ts'
import { ChatError } from './errors.ts'
import { type EventFields, type EventName, events } from './events.ts'
import { isPlainFrame } from './frame-guard.ts'
import { type Request, type RequestName, requests } from './requests.ts'
import { type FieldMap, fromPositional, toPositional } from './schema.ts'
import { objectSchema } from './validation.ts'

const msgpack = new Packr({ useRecords: false, int64AsType: 'number', mapsAsObjects: true })

interface RequestRow {
  readonly name: RequestName
  readonly fields: FieldMap
  readonly schema: v.GenericSchema<unknown, Record<string, unknown>>
}

const requestByCode = new Map<unknown, RequestRow>()
for (const name of Object.keys(requests) as RequestName[]) {
  const fields: FieldMap = requests[name].fields
  requestByCode.set(requests[name].code, { name, fields, schema: objectSchema(fields) })
}

/** An event and its fields, which have the types of its row. */
export interface NamedEvent {
  readonly name: EventName
  readonly fields: unknown
}

/**
 * Encodes an event; `ref` is 0 if no request caused it. The caller owns the bytes: the codec does not reuse
 * their buffer.
 */
export function encode({ name, fields }: NamedEvent, ref: number): Uint8Array {
  const row = events[name]
  return msgpack.pack(toPositional(row.fields, fields as Record<string, unknown>, [row.code, ref]))
}

/** The same, with the types of the event's row. */
export function encodeEvent<N extends EventName>(name: N, ref: number, fields: EventFields<N>): Uint8Array {
  return encode({ name, fields }, ref)
}

/** In the frame of a `new_message`, its record starts here: after the list, the code and the ref 0, a byte each. */
const RECORD_AT = 3
/** A list of five values: the code, the ref and the fields of `message_sent`. */
const LIST_OF_5 = 0x95
const TRUE = 0xc3

/** Encodes the `message_sent` of a post with the record in the frame of its `new_message`, which is not encoded again. */
export function encodeMessageSent(newMessage: Uint8Array, ref: number, tempId: string): Uint8Array {
  const head = msgpack.pack([events.message_sent.code, ref, tempId])
  const frame = new Uint8Array(head.length + newMessage.length - RECORD_AT + 1)
  frame.set(head)
  frame[0] = LIST_OF_5
  frame.set(newMessage.subarray(RECORD_AT), head.length)
  frame[frame.length - 1] = TRUE
  return frame
}

/** The client's half, for programs in Node. */
export const { encodeRequest, decodeEvent, packRequest } = clientCodec(msgpack)

/**
 * Decodes and validates a request. Each frame from a client is validated here, by the table's schema.
 * @throws ChatError `bad_request` with the name of the invalid field, or `unknown_event`.
 */
export function decodeRequest(frame: Uint8Array): Request {
  if (!isPlainFrame(frame)) throw malformed('the frame must be plain msgpack')
  let wire: unknown
  try {
    wire = msgpack.unpack(frame)
  } catch {
    // msgpackr rejects the one case that the guard allows: a map whose key is a list or a map.
    throw malformed('the frame must be plain msgpack')
  }
  if (!Array.isArray(wire)) throw malformed('a frame must be an array')
  const row = requestByCode.get(wire[0])
  if (!row) throw new ChatError('unknown_event')
  const ref: unknown = wire[1]
  // As `isRef`, without a call.
  if (typeof ref !== 'number' || ref >>> 0 !== ref)
    throw malformed('ref must be an unsigned 32-bit integer', 'ref')
  const parsed = v.safeParse(row.schema, fromPositional(row.fields, wire, 2), { abortEarly: true })
  if (!parsed.success) throw invalidField(parsed.issues[0])
  return { event: row.name, ref, fields: parsed.output } as unknown as Request
}

/** Whether `value` is a `ref`: the number that a client chooses for a request. */
export function isRef(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value
}

/** Packs values that are already in positional form. */
export function packFrame(wire: readonly unknown[]): Uint8Array {
  return msgpack.pack(wire)
}

function invalidField(issue: v.BaseIssue<unknown>): ChatError {
  const path = issue.path?.map((part) => String(part.key)) ?? []
  const field = path[0]
  const what = issue.received === 'undefined' ? 'is missing' : issue.message
  const text = `${path.join('.') || 'the frame'} ${what}`
  return new ChatError('bad_request', text, { field, malformed: isWrongType(issue) })
}

/** INP-1: whether the type is wrong, not only the value. A fraction is not an integer. */
function isWrongType({ kind, type, input }: v.BaseIssue<unknown>): boolean {
  if (kind === 'validation') return type === 'integer'
  return type !== 'picklist' || typeof input !== 'string'
}

function malformed(message: string, field?: string): ChatError {
  return new ChatError('bad_request', message, { field, malformed: true })
}
