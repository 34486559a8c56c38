/**
 * The codec of the SDK: requests to msgpack frames, frames to events (TRN-4), over a compact form of the tables
 * and a small msgpack. The size of a page's bundle is what counts here; `clientCodec` of `tertulia/protocol` does
 * the same with any msgpack library. Events come from the server and are not validated; the server validates
 * requests.
 */
import { ChatError } from '../protocol/errors.ts'
import type { Event } from '../protocol/events.ts'
import type { RequestFields, RequestName } from '../protocol/requests.ts'
import { isWellFormed } from '../protocol/utf8.ts'
import { pack, unpack } from './msgpack.ts'
import { readEvent, requestTable } from './wire.ts'

/**
 * Encodes a request.
 * @throws ChatError `bad_request` if the fields cannot be encoded: not an object, ill-formed Unicode (IDN-1), or a
 *   value that msgpack cannot represent.
 */
export function encodeRequest<N extends RequestName>(
  name: N,
  ref: number,
  given: RequestFields<N>,
): Uint8Array {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ChatError('bad_request', 'the fields must be an object', { malformed: true })
  }
  const { code = 0, fields = [] } = requestTable.get(name) ?? {}
  const wire: unknown[] = [code, ref]
  let length = wire.length
  for (const field of fields) {
    const value = (given as Readonly<Record<string, unknown>>)[field] ?? null
    if (isIllFormed(value))
      throw new ChatError('bad_request', `${field} must be well-formed Unicode`, { field })
    wire.push(toWire(value))
    if (value !== null) length = wire.length
  }
  // Absent fields at the end are omitted.
  wire.length = length
  try {
    return pack(wire)
  } catch {
    // Too deep or circular for the packer's stack, or an integer above 64 bits.
    throw new ChatError('bad_request', 'the fields cannot be encoded', { malformed: true })
  }
}

/** Decodes an event; null for one that this version does not know: a newer server may send it. */
export function decodeEvent(frame: Uint8Array): Event | null {
  return readEvent(unpack(frame) as readonly unknown[]) as unknown as Event | null
}

/** Lists in the fields of requests contain at most tuples; deeper values are rejected for their type. */
const MAX_NESTING = 3

function isIllFormed(value: unknown, depth = MAX_NESTING): boolean {
  if (typeof value === 'string') return !(value.isWellFormed?.() ?? isWellFormed(value))
  return depth >= 0 && Array.isArray(value) && value.some((part) => isIllFormed(part, depth - 1))
}

/** msgpack integers above 32 bits are BigInt here (IDN-6). */
function toWire(value: unknown, depth = MAX_NESTING): unknown {
  if (Array.isArray(value) && depth >= 0) return value.map((part) => toWire(part, depth - 1))
  return Number.isSafeInteger(value) && (value as number) > 0xffff_ffff ? BigInt(value as number) : value
}
