/**
 * UTF-8: whether bytes are well-formed (RFC 3629), and whether a string can be encoded (IDN-1).
 *
 * Decoders treat ill-formed bytes differently, so that two byte strings could become one id, or one
 * byte string two ids. Such bytes are rejected before anything is decoded.
 */

/** Whether `bytes[start]` up to `bytes[end]` are well-formed: no overlong form, no surrogate. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lead = bytes[at++] as number
    if (lead <= 0x7f) continue
    if (lead < 0xc2 || lead > 0xf4) return false
    const more = lead <= 0xdf ? 1 : lead <= 0xef ? 2 : 3
    if (at + more > end) return false
    // The second byte shows whether the form is overlong, a surrogate or above U+10FFFF.
    const second = bytes[at] as number
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < low || second > high) return false
    for (let i = 1; i < more; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return false
    at += more
  }
  return true
}

/** Whether a string can be encoded as UTF-8: it has no lone surrogate. */
export function isWellFormed(value: string): boolean {
  // Older browsers have no such method.
  return value.isWellFormed?.() ?? !/\p{Cs}/u.test(value)
}
