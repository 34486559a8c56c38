/**
 * Byte range: the part of a file that a request names
 * (https://www.rfc-editor.org/rfc/rfc9110#name-range-requests).
 *
 * Single ranges only. Several ranges, invalid ones, and a range of another version (`If-Range`) are
 * answered with the whole file, as the standard allows.
 */

/** The part of `size` bytes to send; `end` is exclusive. */
export type ByteRange =
  | { readonly type: 'whole' }
  | { readonly type: 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'unsatisfiable' }

const whole: ByteRange = { type: 'whole' }

/** Evaluates `Range` and `If-Range` for a file of this size and ETag. */
export function byteRange(
  range: string | undefined,
  ifRange: string | undefined,
  size: number,
  etag: string,
): ByteRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? '')
  if (!match || (ifRange !== undefined && ifRange.trim() !== etag)) return whole
  const [, first = '', last = ''] = match
  if (first === '') {
    if (last === '') return whole
    const bytes = Math.min(Number(last), size)
    return bytes === 0 ? { type: 'unsatisfiable' } : { type: 'part', start: size - bytes, end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return whole
  if (start >= size) return { type: 'unsatisfiable' }
  return { type: 'part', start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** Whether `If-None-Match` contains this version. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const named = ifNoneMatch.split(',').map((entry) => entry.trim().replace(/^W\//, ''))
  return named.includes(etag) || named.includes('*')
}
