/**
 * Peek: reads just enough of a msgpack frame to route it, without decoding it (DESIGN, threads).
 *
 * A frame begins `[code, ref, id, …]`. The front end needs the code to find the row, the ref to
 * answer a refusal, and where the first field's bytes are to hash them. No allocation but the
 * result, no exception: what does not look like a frame is null.
 */
export interface FrameHead {
  readonly code: number
  readonly ref: number
  /**
   * The first field where it is a string, or the first item of it where it is a list:
   * `frame.subarray(idStart, idEnd)`; both 0 where it is neither.
   */
  readonly idStart: number
  readonly idEnd: number
}

/** Reads the head of `frame`, or null where it does not start like `[code, ref, …]`. */
export function peekHead(frame: Uint8Array): FrameHead | null {
  let at = 0
  const first = frame[at++]
  if (first === undefined) return null
  if (first === 0xdc) at += 2
  else if (first === 0xdd) at += 4
  else if (first < 0x92 || first > 0x9f) return null

  // Codes are 1 to 63: a positive fixint.
  const code = frame[at++]
  if (code === undefined || code > 0x7f) return null

  const tag = frame[at++]
  let ref: number
  if (tag === undefined) return null
  if (tag <= 0x7f) ref = tag
  else if (tag === 0xcc || tag === 0xcd || tag === 0xce) {
    const bytes = 1 << (tag - 0xcc)
    if (at + bytes > frame.length) return null
    ref = 0
    for (let end = at + bytes; at < end; at++) ref = ref * 256 + (frame[at] as number)
  } else return null

  const list = frame[at] ?? 0
  if (list >= 0x91 && list <= 0x9f) at += 1
  else if (list === 0xdc) at += 3
  else if (list === 0xdd) at += 5

  let length = 0
  const string = frame[at]
  if (string === undefined) return { code, ref, idStart: 0, idEnd: 0 }
  if (string >= 0xa0 && string <= 0xbf) {
    length = string & 0x1f
    at += 1
  } else if (string === 0xd9) {
    length = frame[at + 1] ?? 0
    at += 2
  } else return { code, ref, idStart: 0, idEnd: 0 }
  if (at + length > frame.length) return null
  return { code, ref, idStart: at, idEnd: at + length }
}
