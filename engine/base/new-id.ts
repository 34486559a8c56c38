/**
 * New ids: 26 characters, time-ordered, similar to ULID (https://github.com/ulid/spec):
 * 48 bits of milliseconds, 80 of randomness, in Crockford's base 32, lower case.
 */
import { someRandomBytes } from './random-bytes.ts'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_CHARS = 10

/** A new id for something created at `now`. */
export function newId(now: number): string {
  let id = ''
  let rest = now
  for (let i = 0; i < TIME_CHARS; i++) {
    id = ALPHABET[rest % 32] + id
    rest = Math.floor(rest / 32)
  }
  // 16 bytes, 5 bits of each: the same 80 bits without arithmetic across bytes.
  for (const byte of someRandomBytes(16)) id += ALPHABET[byte & 31]
  return id
}
