/**
 * Packed: values as msgpack between an engine and its fronts.
 *
 * Without msgpackr's records: the peer is another process, maybe of another version. Bytes in, and views
 * of the bytes out.
 */
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false, int64AsType: 'number' })

export function packed(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** The value of bytes from the peer; its form is not checked. @throws Error if they are not msgpack */
export function unpacked(bytes: Uint8Array): unknown {
  return packr.unpack(bytes)
}

/** The same for a value that must be an object. @throws Error */
export function unpackedFields(bytes: Uint8Array): { readonly [name: string]: unknown } {
  const value = unpacked(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object')
  return value as { readonly [name: string]: unknown }
}
