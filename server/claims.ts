/**
 * Claims: what a verified token says of its user, and until when (IDN-1, IDN-2, AUT-1, AUT-4).
 *
 * The claim of the user's id may be a text or a whole number, which is taken as its decimal text;
 * a number that JSON cannot hold exactly is refused, because two of them would be one user. Texts
 * are well-formed Unicode: two ids that differ in a lone surrogate would be one user in the log.
 */
import type { JWTPayload } from 'jose'
import type { Identity } from '../engine/gateway.ts'
import { userId as userIdField, userName } from '../protocol/ids.ts'
import { limits } from '../protocol/limits.ts'
import { hasVisible } from '../protocol/text-rules.ts'
import { refusalOf } from '../protocol/validation.ts'
import { AuthError } from './auth-error.ts'

/** Who a token speaks for, and its times, milliseconds since 1970. */
export interface Verified {
  readonly identity: Identity
  /** The operator's service makes its HTTP requests with it, in the name of the user (PRV-2). */
  readonly isService?: true | undefined
  /** The token's own end. */
  readonly expiresAtMs: number
  /** When its client is told that it ends: a minute before, or at half of a shorter lifetime. */
  readonly warnAtMs: number
  /** When the session ends: with the token, or with the leeway that the token is already in. */
  readonly endsAtMs: number
}

export interface ClaimRules {
  readonly userClaim: string
  readonly nameClaim: string
  readonly leewayMs: number
}

/** A claim of no standard, so that no issuer sets it by accident. Only `true` counts. */
const SERVICE_CLAIM = 'tertulia_service'
const WARN_BEFORE_MS = 60_000
const SHORT_LIFETIME_MS = 90_000

/** @throws AuthError where a claim is not of the form it has to have. */
export function readClaims(payload: JWTPayload, rules: ClaimRules, nowMs: number): Verified {
  const { userClaim, nameClaim, leewayMs } = rules
  const userId = textClaim(payload, userClaim, limits.userIdBytes)
  if (userId === undefined) throw new AuthError(`the token has no ${userClaim}`)
  const refusal = refusalOf(userIdField, userId)
  if (refusal !== undefined) throw new AuthError(`the token’s ${userClaim} ${refusal}`)
  const expiresAtMs = millisecondsOf(payload.exp)
  return {
    identity: {
      userId,
      name: nameClaimOf(payload, nameClaim),
      picture: textClaim(payload, 'picture', limits.urlBytes),
    },
    isService: payload[SERVICE_CLAIM] === true || undefined,
    expiresAtMs,
    warnAtMs: expiresAtMs - warnBeforeMs(lifetimeMs(payload.iat, expiresAtMs, nowMs)),
    endsAtMs: nowMs < expiresAtMs ? expiresAtMs : expiresAtMs + leewayMs,
  }
}

/** A claim's text; one that is missing, null or empty is undefined. */
function textClaim(payload: JWTPayload, claim: string, maxBytes: number): string | undefined {
  const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number') return decimal(value, claim)
  if (typeof value !== 'string') throw new AuthError(`the token’s ${claim} is neither a text nor a number`)
  if (Buffer.byteLength(value) > maxBytes)
    throw new AuthError(`the token’s ${claim} is over ${maxBytes} bytes`)
  if (!value.isWellFormed()) throw new AuthError(`the token’s ${claim} is not well-formed Unicode`)
  return value
}

/** TXT-1: a name that shows nothing is none; one that could pass for another is refused. */
function nameClaimOf(payload: JWTPayload, claim: string): string | undefined {
  const name = textClaim(payload, claim, limits.nameBytes)
  if (name === undefined || !hasVisible(name)) return undefined
  const refusal = refusalOf(userName, name)
  if (refusal !== undefined) throw new AuthError(`the token’s ${claim} ${refusal}`)
  return name
}

function decimal(value: number, claim: string): string {
  if (Number.isSafeInteger(value)) return String(value)
  throw new AuthError(`the token’s ${claim} is no whole number that JSON holds exactly; send it as a text`)
}

/** A minute before the end of a token of 65 seconds its client would ask for a new one every 5 seconds. */
function warnBeforeMs(lifetimeMs: number): number {
  return lifetimeMs > SHORT_LIFETIME_MS ? WARN_BEFORE_MS : lifetimeMs / 2
}

/** From `iat` where it says so, else what is left. */
function lifetimeMs(issuedAt: unknown, expiresAtMs: number, nowMs: number): number {
  const issuedAtMs = typeof issuedAt === 'number' ? issuedAt * 1_000 : nowMs
  return Math.max(0, expiresAtMs - (issuedAtMs < expiresAtMs ? issuedAtMs : nowMs))
}

/** A number of JSON may be as large as infinity; a time on the wire may not. */
function millisecondsOf(seconds = 0): number {
  return Math.min(Math.floor(seconds * 1_000), Number.MAX_SAFE_INTEGER)
}
