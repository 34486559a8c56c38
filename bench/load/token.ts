/**
 * Token: HS256 JWTs for many users, signed one after the other before any clock runs.
 */
import { createHmac } from 'node:crypto'

const HEADER = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }))
const LIFETIME_SECONDS = 4 * 3_600

/** Signs a token of the user, good for longer than any bench. */
export function signToken(secret: string, userId: string): string {
  const issuedAt = Math.floor(Date.now() / 1_000)
  const claims = { sub: userId, name: `User ${userId}`, iat: issuedAt, exp: issuedAt + LIFETIME_SECONDS }
  const signed = `${HEADER}.${base64url(JSON.stringify(claims))}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
