/**
 * Check of a token (HS256) for the servers of this folder: signature and expiry, and the groups it names.
 */
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'

const key = createSecretKey(Buffer.from(process.env['BENCH_SECRET'] ?? ''))

/** The user of the token and their groups. @throws Error if the token is not valid. */
export function checkToken(token: string): { readonly user: string; readonly groups: readonly string[] } {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest()
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new Error('bad signature')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    readonly sub: string
    readonly exp: number
    readonly groups: readonly string[]
  }
  if (claims.exp * 1_000 < Date.now()) throw new Error('expired')
  return { user: claims.sub, groups: claims.groups }
}

/** The token of a header `Authorization: Bearer …`. */
export function bearerOf(header: string | undefined): string {
  return header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : ''
}
