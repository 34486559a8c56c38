/**
 * The msgpack codec: frames to typed objects and back (SPEC 1).
 *
 * A frame is an array: `[code, ref, ...fields]` in the order of the message table. Encoding is
 * driven by the table alone; decoding validates only what comes from clients, once, here.
 * Nothing is kept between frames: `useRecords: false` writes plain msgpack for every language.
 */
import { Packr, Unpackr } from 'msgpackr'
import * as v from 'valibot'
import { ChatError } from './errors.ts'
import { type Event, type EventFields, type EventName, events } from './events.ts'
import { isPlainFrame } from './frame-guard.ts'
import { type Request, type RequestFields, type RequestName, requests } from './requests.ts'
import { type FieldMap, fromPositional, illFormedField, objectSchema, toPositional } from './schema.ts'

const packer = new Packr({ useRecords: false })
const unpacker = new Unpackr({ useRecords: false, int64AsType: 'number', mapsAsObjects: true })

interface Row<N extends string> {
  readonly name: N
  readonly fields: FieldMap
}

const eventByCode = new Map<unknown, Row<EventName>>()
for (const name of Object.keys(events) as EventName[]) {
  eventByCode.set(events[name].code, { name, fields: events[name].fields })
}

interface RequestRow extends Row<RequestName> {
  readonly schema: v.GenericSchema<unknown, Record<string, unknown>>
}

const requestByCode = new Map<unknown, RequestRow>()
for (const name of Object.keys(requests) as RequestName[]) {
  const fields: FieldMap = requests[name].fields
  requestByCode.set(requests[name].code, { name, fields, schema: objectSchema(fields) })
}

/** Encodes what a server sends. The bytes are the caller's: they are never written again. */
export function encodeEvent<N extends EventName>(name: N, ref: number, fields: EventFields<N>): Uint8Array {
  const row = events[name]
  return packer.pack(toPositional(row.fields, fields as Record<string, unknown>, [row.code, ref]))
}

/**
 * Encodes what a client sends.
 * @throws ChatError `bad_request` where the fields cannot be encoded: no object, ill-formed
 *   Unicode, a value that msgpack has no form for. The rest is checked where it is decoded.
 */
export function encodeRequest<N extends RequestName>(
  name: N,
  ref: number,
  fields: RequestFields<N>,
): Uint8Array {
  const row = requests[name]
  return packRequest(row.fields, fields, [row.code, ref])
}

/** Packs the fields of a request behind `head`. @throws ChatError as `encodeRequest` does */
export function packRequest(fields: FieldMap, value: unknown, head: unknown[]): Uint8Array {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ChatError('bad_request', 'the fields take an object', { malformed: true })
  }
  const given = value as Record<string, unknown>
  const illFormed = illFormedField(fields, given)
  if (illFormed !== undefined) {
    throw new ChatError('bad_request', `${illFormed} takes well-formed Unicode`, { field: illFormed })
  }
  try {
    return packFrame(toPositional(fields, given, head))
  } catch {
    // Too deep or circular for the packer's stack, or an integer above 64 bits.
    throw new ChatError('bad_request', 'the fields cannot be encoded', { malformed: true })
  }
}

/**
 * Decodes what a server sent; trusted, so not validated. Null for an event that this version
 * does not know: a newer server may send it, and a client ignores it.
 */
export function decodeEvent(frame: Uint8Array): Event | null {
  const wire = unpacker.unpack(frame) as readonly unknown[]
  const row = eventByCode.get(wire[0])
  if (!row) return null
  return { event: row.name, ref: wire[1], fields: fromPositional(row.fields, wire, 2) } as unknown as Event
}

/**
 * Decodes and validates what a client sent: the one place where its bytes are judged.
 * @throws ChatError `bad_request` with the field to blame, or `unknown_event`.
 */
export function decodeRequest(frame: Uint8Array): Request {
  const wire = unpack(frame)
  if (!Array.isArray(wire)) throw malformed('a frame is an array')
  const row = requestByCode.get(wire[0])
  if (!row) throw new ChatError('unknown_event')
  const ref: unknown = wire[1]
  if (!isRef(ref)) throw malformed('ref takes an unsigned 32-bit number', 'ref')
  const judged = v.safeParse(row.schema, fromPositional(row.fields, wire, 2), { abortEarly: true })
  if (!judged.success) throw refusal(judged.issues[0])
  return { event: row.name, ref, fields: judged.output } as unknown as Request
}

/** A `ref` is the client's own number for a request. */
export function isRef(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value
}

/** Packs already positional values. */
export function packFrame(wire: readonly unknown[]): Uint8Array {
  return packer.pack(wire)
}

function unpack(frame: Uint8Array): unknown {
  if (!isPlainFrame(frame)) throw malformed('the frame is not plain msgpack')
  try {
    return unpacker.unpack(frame)
  } catch {
    // What is left for msgpackr to refuse: a map whose key is a list or a map.
    throw malformed('the frame is not plain msgpack')
  }
}

function refusal(issue: v.BaseIssue<unknown>): ChatError {
  const path = issue.path?.map((part) => String(part.key)) ?? []
  const field = path[0]
  const what = issue.received === 'undefined' ? 'is missing' : issue.message
  const text = `${path.join('.') || 'the frame'} ${what}`
  return new ChatError('bad_request', text, { field, malformed: isWrongType(issue) })
}

/** INP-1: whether the type is wrong, not only the value. A fraction is no integer. */
function isWrongType({ kind, type, input }: v.BaseIssue<unknown>): boolean {
  if (kind === 'validation') return type === 'integer'
  return type !== 'picklist' || typeof input !== 'string'
}

function malformed(message: string, field?: string): ChatError {
  return new ChatError('bad_request', message, { field, malformed: true })
}
