/**
 * Guard: walks a msgpack frame from a client before anything is built of it.
 *
 * msgpackr reads more than plain msgpack: pointers that make a few bytes stand for 2^60 values,
 * numbers of a million digits, regular expressions, record definitions that are compiled. No
 * request needs an extension type, so that all of them are refused here, and with them frames cut
 * short, claims of more items than there are bytes, and nesting that would exhaust the stack.
 * Strings are well-formed UTF-8 (IDN-1). What passes costs the decoder no more than its length.
 * Nothing is allocated, nothing thrown.
 */
import { isUtf8 } from './utf8.ts'

/** The table's deepest request is four levels: frame, list, tuple, value. */
const MAX_DEPTH = 16

const refused = -1

/** Whether `frame` is exactly one plain msgpack value, of no more than 16 levels. */
export function isPlainFrame(frame: Uint8Array): boolean {
  return endOfValue(frame, 0, 0) === frame.length
}

/** Where the value that starts at `at` ends (possibly past the frame), or -1 where it is refused. */
function endOfValue(frame: Uint8Array, at: number, depth: number): number {
  const tag = frame[at]
  if (tag === undefined || depth > MAX_DEPTH) return refused
  if (tag <= 0x7f || tag >= 0xe0) return at + 1
  if (tag <= 0x8f) return endOfItems(frame, at + 1, 2 * (tag & 0x0f), depth)
  if (tag <= 0x9f) return endOfItems(frame, at + 1, tag & 0x0f, depth)
  if (tag <= 0xbf) return endOfString(frame, at + 1, tag & 0x1f)
  switch (tag) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return at + 2
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return at + 3
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return at + 5
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return at + 9
    case 0xc4: // bin 8
      return at + 2 + lengthAt(frame, at + 1, 1)
    case 0xc5: // bin 16
      return at + 3 + lengthAt(frame, at + 1, 2)
    case 0xc6: // bin 32
      return at + 5 + lengthAt(frame, at + 1, 4)
    case 0xd9: // str 8
      return endOfString(frame, at + 2, lengthAt(frame, at + 1, 1))
    case 0xda: // str 16
      return endOfString(frame, at + 3, lengthAt(frame, at + 1, 2))
    case 0xdb: // str 32
      return endOfString(frame, at + 5, lengthAt(frame, at + 1, 4))
    case 0xdc: // array 16
      return endOfItems(frame, at + 3, lengthAt(frame, at + 1, 2), depth)
    case 0xdd: // array 32
      return endOfItems(frame, at + 5, lengthAt(frame, at + 1, 4), depth)
    case 0xde: // map 16
      return endOfItems(frame, at + 3, 2 * lengthAt(frame, at + 1, 2), depth)
    case 0xdf: // map 32
      return endOfItems(frame, at + 5, 2 * lengthAt(frame, at + 1, 4), depth)
    default: // never used, and the extension types
      return refused
  }
}

/** Each item takes a byte at least, so that a false claim ends with the frame. */
function endOfItems(frame: Uint8Array, at: number, count: number, depth: number): number {
  let end = at
  for (let left = count; left > 0 && end !== refused; left--) end = endOfValue(frame, end, depth + 1)
  return end
}

function endOfString(frame: Uint8Array, at: number, length: number): number {
  const end = at + length
  return end <= frame.length && isUtf8(frame, at, end) ? end : refused
}

/** A big-endian length; bytes past the end count as 0, and the value then ends past the frame too. */
function lengthAt(frame: Uint8Array, at: number, bytes: number): number {
  let length = 0
  for (let i = at; i < at + bytes; i++) length = length * 256 + (frame[i] ?? 0)
  return length
}
