/**
 * Frame head: the fields of a msgpack frame that are read without decoding it.
 *
 * A frame begins with `[code, ref, id, …]`. The front end needs the code to find the row, the ref to
 * send an error, and the bytes of the id to hash them. Every encoding that msgpack allows for
 * these values is read (TRN-4): integers of any width and sign, strings and lists with any length
 * header. So the router derives the same id as the decoder (TRN-9). A float is never a code or a
 * ref, and bytes (`bin`) are never an id; the decoder rejects both. `peekHead` allocates only its
 * result and throws nothing: it returns null if the bytes do not start like a frame.
 */
import { limits } from './limits.ts'

export interface FrameHead {
  readonly code: number
  readonly ref: number
  /**
   * The bytes of the id: `frame.subarray(idStart, idEnd)`. The id is the first field if that is a
   * string, the first item if it is a list, the second field if that list is empty. Both are 0 if
   * there is no such string, or if it is too long for an id.
   */
  readonly idStart: number
  readonly idEnd: number
}

const MAX_REF = 0xffff_ffff

/** The longest id of any kind. */
const MAX_ID_BYTES = limits.userIdBytes

/** By tag, the number of bytes of an integer after it; 0 if the tag contains the value, or is not that of an integer. */
const INTEGER_BYTES = new Uint8Array(256)
for (const first of [0xcc, 0xd0]) INTEGER_BYTES.set([1, 2, 4, 8], first)

/** Reads the head of `frame`. Returns null if the frame does not start like `[code, ref, …]`. */
export function peekHead(frame: Uint8Array): FrameHead | null {
  const codeAt = endOfListHeader(frame, 0)
  const code = wholeNumberAt(frame, codeAt)
  const refAt = codeAt + 1 + (INTEGER_BYTES[frame[codeAt] as number] ?? 0)
  const ref = wholeNumberAt(frame, refAt)
  if (codeAt === 0 || code < 0 || ref < 0 || ref > MAX_REF) return null

  const at = endOfListHeader(frame, refAt + 1 + (INTEGER_BYTES[frame[refAt] as number] ?? 0))
  const idStart = endOfStringHeader(frame, at)
  if (idStart === at) return { code, ref, idStart: 0, idEnd: 0 }
  const lengthBytes = idStart - at - 1
  const length = lengthBytes === 0 ? (frame[at] as number) & 0x1f : unsignedAt(frame, at + 1, lengthBytes)
  if (idStart + length > frame.length) return null
  if (length > MAX_ID_BYTES) return { code, ref, idStart: 0, idEnd: 0 }
  return { code, ref, idStart, idEnd: idStart + length }
}

/** The code of an event that this program encoded. */
export function codeOf(frame: Uint8Array): number {
  return wholeNumberAt(frame, endOfListHeader(frame, 0))
}

/** The offset of the ref in an event that this program encoded. */
export function refOffset(frame: Uint8Array): number {
  const codeAt = endOfListHeader(frame, 0)
  return codeAt + 1 + (INTEGER_BYTES[frame[codeAt] as number] ?? 0)
}

/** The offset of the first item of the list at `at`, or `at` without a list. */
function endOfListHeader(frame: Uint8Array, at: number): number {
  const tag = frame[at] ?? 0
  if (tag >= 0x90 && tag <= 0x9f) return at + 1
  if (tag === 0xdc) return at + 3
  return tag === 0xdd ? at + 5 : at
}

/** The offset of the first byte of the string at `at`, or `at` without a string. */
function endOfStringHeader(frame: Uint8Array, at: number): number {
  const tag = frame[at] ?? 0
  if (tag >= 0xa0 && tag <= 0xbf) return at + 1
  return tag >= 0xd9 && tag <= 0xdb ? at + 1 + (1 << (tag - 0xd9)) : at
}

/** The integer at `at`; -1 if there is none, or if it is negative or truncated. */
export function wholeNumberAt(frame: Uint8Array, at: number): number {
  const tag = frame[at]
  if (tag === undefined) return -1
  if (tag <= 0x7f) return tag
  const bytes = INTEGER_BYTES[tag] as number
  if (bytes === 0 || at + bytes >= frame.length) return -1
  if (tag >= 0xd0 && (frame[at + 1] as number) > 0x7f) return -1
  return unsignedAt(frame, at + 1, bytes)
}

/** A big-endian number; bytes past the end count as 0. */
function unsignedAt(frame: Uint8Array, at: number, bytes: number): number {
  let value = 0
  for (let i = at; i < at + bytes; i++) value = value * 256 + (frame[i] ?? 0)
  return value
}
