/**
 * Claims: whether a signed token is valid now and here, the identity in it, and when it expires (IDN-1, IDN-2,
 * AUT-1, AUT-4).
 *
 * The claim of the user's id may be a text or an integer; an integer is converted to its decimal text. An
 * integer that JSON cannot represent exactly is refused, because two of them would map to one user. Texts
 * must be well-formed Unicode: two ids that differ only in a lone surrogate would be one user in the log.
 */
import type { JWTPayload } from 'jose'
import type { Identity } from '../engine/hub/gateway.ts'
import { userId as userIdField, userName } from '../protocol/ids.ts'
import { limits } from '../protocol/limits.ts'
import { hasVisible } from '../protocol/text-rules.ts'
import { refusalOf } from '../protocol/validation.ts'
import { AuthError } from './auth-error.ts'

/** The user that a token identifies, and its times in milliseconds since 1970. */
export interface Verified {
  readonly identity: Identity
  /** The operator's service sends its HTTP requests with this token, on behalf of the user (PRV-2). */
  readonly isService?: true | undefined
  /** The token belongs to an operator, who may use the dashboard. */
  readonly isAdmin?: true | undefined
  /** When the token expires. */
  readonly expiresAtMs: number
  /** When the client is warned: a minute before the end, or at half of a shorter lifetime. */
  readonly warnAtMs: number
  /** When the session ends: when the token expires, or after the leeway if the token is already in it. */
  readonly endsAtMs: number
}

export interface ClaimRules {
  /** What `iss` must be, and what `aud` must be or contain. */
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly userClaim: string
  readonly nameClaim: string
  readonly adminClaim: string
  readonly leewayMs: number
}

/** Not a registered claim, so that no issuer sets it by accident. Only `true` is effective. */
const SERVICE_CLAIM = 'tertulia_service'
const WARN_BEFORE_MS = 60_000
const SHORT_LIFETIME_MS = 90_000

/** @throws AuthError if the token is not valid, or a claim has the wrong form. */
export function readClaims(payload: JWTPayload, rules: ClaimRules, nowMs: number): Verified {
  requireValid(payload, rules, nowMs)
  const { userClaim, nameClaim, adminClaim, leewayMs } = rules
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
    isAdmin: (Object.hasOwn(payload, adminClaim) && payload[adminClaim] === true) || undefined,
    expiresAtMs,
    warnAtMs: expiresAtMs - warnBeforeMs(lifetimeMs(payload.iat, expiresAtMs, nowMs)),
    endsAtMs: nowMs < expiresAtMs ? expiresAtMs : expiresAtMs + leewayMs,
  }
}

/** RFC 7519, sections 4.1.1 to 4.1.6. Times are compared in whole seconds. */
function requireValid({ iss, aud, iat, nbf, exp }: JWTPayload, rules: ClaimRules, nowMs: number): void {
  const { issuer, audience, leewayMs } = rules
  if (issuer !== undefined) requireClaim('iss', iss, iss === issuer)
  if (audience !== undefined)
    requireClaim('aud', aud, aud === audience || (Array.isArray(aud) && aud.includes(audience)))
  if (iat !== undefined) requireClaim('iat', iat, typeof iat === 'number')
  const nowSeconds = Math.floor(nowMs / 1_000)
  const leewaySeconds = leewayMs / 1_000
  if (nbf !== undefined) {
    requireClaim('nbf', nbf, typeof nbf === 'number')
    if (nbf > nowSeconds + leewaySeconds) throw new AuthError('the token is not valid yet', 'time')
  }
  requireClaim('exp', exp, typeof exp === 'number')
  if (exp <= nowSeconds - leewaySeconds) throw new AuthError('the token has expired', 'time')
}

function requireClaim(claim: string, value: unknown, isAccepted: boolean): asserts isAccepted {
  if (value === undefined) throw new AuthError(`the token’s ${claim} is missing`)
  if (!isAccepted) throw new AuthError(`the token’s ${claim} is not accepted`)
}

/** A claim's text; undefined if it is missing, null or empty. */
function textClaim(payload: JWTPayload, claim: string, maxBytes: number): string | undefined {
  const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number') return decimal(value, claim)
  if (typeof value !== 'string') throw new AuthError(`the token’s ${claim} must be a text or an integer`)
  if (Buffer.byteLength(value) > maxBytes)
    throw new AuthError(`the token’s ${claim} is longer than ${maxBytes} bytes`)
  if (!value.isWellFormed()) throw new AuthError(`the token’s ${claim} is not well-formed Unicode`)
  return value
}

/**
 * TXT-1: a name without visible characters counts as missing; a name that could be mistaken for another is
 * refused.
 */
function nameClaimOf(payload: JWTPayload, claim: string): string | undefined {
  const name = textClaim(payload, claim, limits.nameBytes)
  if (name === undefined || !hasVisible(name)) return undefined
  const refusal = refusalOf(userName, name)
  if (refusal !== undefined) throw new AuthError(`the token’s ${claim} ${refusal}`)
  return name
}

function decimal(value: number, claim: string): string {
  if (Number.isSafeInteger(value)) return String(value)
  throw new AuthError(`the token’s ${claim} must be an integer that JSON represents exactly, or a text`)
}

/** With a fixed minute the client of a 65-second token would request a new one every 5 seconds. */
function warnBeforeMs(lifetimeMs: number): number {
  return lifetimeMs > SHORT_LIFETIME_MS ? WARN_BEFORE_MS : lifetimeMs / 2
}

/** From `iat` if it is present, else the remaining time. */
function lifetimeMs(issuedAt: unknown, expiresAtMs: number, nowMs: number): number {
  const issuedAtMs = typeof issuedAt === 'number' ? issuedAt * 1_000 : nowMs
  return Math.max(0, expiresAtMs - (issuedAtMs < expiresAtMs ? issuedAtMs : nowMs))
}

/** A number in JSON may exceed the range of times on the wire. */
function millisecondsOf(seconds = 0): number {
  return Math.min(Math.floor(seconds * 1_000), Number.MAX_SAFE_INTEGER)
}
