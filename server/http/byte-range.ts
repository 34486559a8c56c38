/**
 * Byte range: which part of a file a request wants (https://www.rfc-editor.org/rfc/rfc9110#name-range-requests).
 *
 * Single ranges only; several, and what is no range, are answered with the whole, as the standard
 * allows. A range of another version (`If-Range`) is the whole too.
 */

/** The part of `size` bytes that is sent; `end` is behind the last one. */
export type ByteRange =
  | { readonly type: 'whole' }
  | { readonly type: 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'unsatisfiable' }

const whole: ByteRange = { type: 'whole' }

/** What `Range` and `If-Range` ask for of a file of this size and ETag. */
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

/** Whether `If-None-Match` names this version. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const named = ifNoneMatch.split(',').map((entry) => entry.trim().replace(/^W\//, ''))
  return named.includes(etag) || named.includes('*')
}
