/**
 * Frame guard: checks the structure of a msgpack frame from a client before it is decoded.
 *
 * msgpackr reads more than plain msgpack: references that expand a few bytes to 2^60 values,
 * numbers of a million digits, regular expressions, record definitions that it compiles. No
 * request needs an extension type, so the guard rejects all of them. It also rejects truncated
 * frames, item counts above the number of bytes, nesting that would exhaust the stack, and strings
 * that are not well-formed UTF-8 (IDN-1). The cost to decode a frame that passes is linear in its
 * length. The guard allocates nothing and throws nothing.
 */
import { isUtf8 } from './utf8.ts'

/** The table's deepest request is four levels: frame, list, tuple, value. */
const MAX_DEPTH = 16

const rejected = -1

/** Whether `frame` is exactly one plain msgpack value with at most 16 levels. */
export function isPlainFrame(frame: Uint8Array): boolean {
  return endOfValues(frame, 0, 1, 0) === frame.length
}

/**
 * The end of the `count` values that start at `start` (may be past the frame), or -1 if one is rejected.
 * Each value has at least one byte, so a count that is too high ends the loop at the end of the frame.
 * Only lists and maps need a further call.
 */
function endOfValues(frame: Uint8Array, start: number, count: number, depth: number): number {
  if (count > 0 && depth > MAX_DEPTH) return rejected
  let at = start
  for (let left = count; left > 0; left--) {
    const tag = frame[at]
    if (tag === undefined) return rejected
    // An integer of one byte, or nil.
    if (tag <= 0x7f || tag >= 0xe0 || tag === 0xc0) at += 1
    else if (tag <= 0x8f) at = endOfValues(frame, at + 1, 2 * (tag & 0x0f), depth + 1)
    else if (tag <= 0x9f) at = endOfValues(frame, at + 1, tag & 0x0f, depth + 1)
    else if (tag <= 0xbf) at = endOfString(frame, at + 1, tag & 0x1f)
    else at = endOfLong(frame, at, tag, depth)
    if (at === rejected) return rejected
  }
  return at
}

/** The end of a value whose length is not in its tag, or of a constant. */
function endOfLong(frame: Uint8Array, at: number, tag: number, depth: number): number {
  switch (tag) {
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
      return endOfValues(frame, at + 3, lengthAt(frame, at + 1, 2), depth + 1)
    case 0xdd: // array 32
      return endOfValues(frame, at + 5, lengthAt(frame, at + 1, 4), depth + 1)
    case 0xde: // map 16
      return endOfValues(frame, at + 3, 2 * lengthAt(frame, at + 1, 2), depth + 1)
    case 0xdf: // map 32
      return endOfValues(frame, at + 5, 2 * lengthAt(frame, at + 1, 4), depth + 1)
    default: // never used, and the extension types
      return rejected
  }
}

function endOfString(frame: Uint8Array, at: number, length: number): number {
  const end = at + length
  if (end > frame.length) return rejected
  // Most texts are ASCII, which is well-formed.
  for (let i = at; i < end; i++)
    if ((frame[i] as number) > 0x7f) return isUtf8(frame, i, end) ? end : rejected
  return end
}

/** A big-endian length. Bytes past the end count as 0; the value then ends past the frame too. */
function lengthAt(frame: Uint8Array, at: number, bytes: number): number {
  let length = 0
  for (let i = at; i < at + bytes; i++) length = length * 256 + (frame[i] ?? 0)
  return length
}
