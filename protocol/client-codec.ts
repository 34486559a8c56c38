/**
 * The client's half of the codec: requests to msgpack frames, frames to events (TRN-4).
 *
 * Works with any msgpack library. The SDK uses a small one; in Node the server's library decodes
 * faster. Events come from the server and are not validated; requests are validated by the receiver.
 */
import { ChatError } from './errors.ts'
import { type Event, type EventName, events } from './events.ts'
import { type RequestFields, type RequestName, requests } from './requests.ts'
import { type FieldMap, fromPositional, illFormedField, toPositional } from './schema.ts'

/**
 * A msgpack library. `pack` writes a BigInt as a 64-bit integer; `unpack` reads 64-bit integers as
 * numbers and maps as objects.
 */
export interface Msgpack {
  pack(value: unknown): Uint8Array
  unpack(frame: Uint8Array): unknown
}

/** See `clientCodec`. */
export interface ClientCodec {
  /**
   * Encodes a request.
   * @throws ChatError `bad_request` if the fields cannot be encoded: not an object, ill-formed
   *   Unicode, or a value that msgpack cannot represent.
   */
  encodeRequest<N extends RequestName>(name: N, ref: number, fields: RequestFields<N>): Uint8Array
  /**
   * Decodes an event. Returns null for an event that this version does not know: a newer server may
   * send it, and the client ignores it.
   */
  decodeEvent(frame: Uint8Array): Event | null
  /** Packs the fields of a request behind `head`. @throws ChatError as `encodeRequest` does */
  packRequest(fields: FieldMap, value: unknown, head: unknown[]): Uint8Array
}

interface EventRow {
  readonly name: EventName
  readonly fields: FieldMap
}

const eventByCode = new Map<unknown, EventRow>()
for (const name of Object.keys(events) as EventName[]) {
  eventByCode.set(events[name].code, { name, fields: events[name].fields })
}

/** The codec over a msgpack library. */
export function clientCodec(msgpack: Msgpack): ClientCodec {
  const packRequest: ClientCodec['packRequest'] = (fields, value, head) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ChatError('bad_request', 'the fields must be an object', { malformed: true })
    }
    const given = value as Record<string, unknown>
    const illFormed = illFormedField(fields, given)
    if (illFormed !== undefined) {
      throw new ChatError('bad_request', `${illFormed} must be well-formed Unicode`, { field: illFormed })
    }
    try {
      return msgpack.pack(toPositional(fields, given, head))
    } catch {
      // Too deep or circular for the packer's stack, or an integer above 64 bits.
      throw new ChatError('bad_request', 'the fields cannot be encoded', { malformed: true })
    }
  }
  return {
    packRequest,
    encodeRequest(name, ref, fields) {
      const row = requests[name]
      return packRequest(row.fields, fields, [row.code, ref])
    },
    decodeEvent(frame) {
      const wire = msgpack.unpack(frame) as readonly unknown[]
      const row = eventByCode.get(wire[0])
      if (!row) return null
      return {
        event: row.name,
        ref: wire[1],
        fields: fromPositional(row.fields, wire, 2),
      } as unknown as Event
    },
  }
}
