/**
 * Authentication: verifies a JWT and returns the identity in it (AUT-1, IDN-1).
 *
 * The key determines the algorithms: a secret allows only HS256, a public key only the algorithm of its
 * type. A token cannot choose how it is checked. `exp` is required. `exp` and `nbf` have a leeway, because
 * clocks differ. `iss` and `aud` are checked if they are configured.
 * The message of a refusal is sent to the client and contains no internal detail. A key set that cannot be
 * fetched is logged, at most once in ten seconds.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import { machineClock } from '../engine/base/clock.ts'
import type { EngineLogger } from '../engine/engine.ts'
import { limits } from '../protocol/limits.ts'
import { AuthError } from './auth-error.ts'
import { type ClaimRules, readClaims, type Verified } from './claims.ts'
import { ConfigError } from './config.ts'
import { type Check as CheckAtOnce, checkHs256 } from './hs256.ts'
import { IssuerKeys, KeysUnavailable } from './issuer-keys.ts'
import type { SigningKey } from './signing-key.ts'

/** Checks a token; rejects with `AuthError`. */
export interface Authenticator {
  (token: string): Promise<Verified>
  /** The same without waiting, which only tokens with a secret permit. @throws AuthError */
  readonly atOnce?: (token: string) => Verified
}

export interface AuthenticatorOptions {
  readonly key: SigningKey
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
  /** The claim with the user's id; `sub` by default. */
  readonly userClaim?: string | undefined
  /** The claim with the user's name; `name` by default. */
  readonly nameClaim?: string | undefined
  /** The claim that is `true` for operators; `admin` by default. */
  readonly adminClaim?: string | undefined
  /** The tolerance for `exp` and `nbf`; 5 seconds by default. */
  readonly leewaySeconds?: number | undefined
  readonly logger: EngineLogger
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds of a monotonic clock; the machine's clock by default. */
  readonly steadyNow?: (() => number) | undefined
}

interface Checked {
  readonly payload: JWTPayload
}

type Check = (token: string, rules: JWTVerifyOptions) => Promise<Checked>

const ASYMMETRIC = ['RS256', 'ES256', 'EdDSA', 'Ed25519']
const WARN_EVERY_MS = 10_000
const MIN_RSA_BITS = 2_048
const LEEWAY_SECONDS = 5

/**
 * Creates the authenticator for one key.
 * @throws ConfigError if the type of the public key is not supported.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { issuer, audience, now, leewaySeconds = LEEWAY_SECONDS } = options
  const { algorithms, check } = importKey(options)
  const rules: JWTVerifyOptions = {
    algorithms,
    requiredClaims: ['exp'],
    clockTolerance: leewaySeconds,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  }
  const claims: ClaimRules = {
    userClaim: options.userClaim ?? 'sub',
    nameClaim: options.nameClaim ?? 'name',
    adminClaim: options.adminClaim ?? 'admin',
    leewayMs: leewaySeconds * 1_000,
  }
  const rulesAt = (nowMs: number) => ({ ...rules, currentDate: new Date(nowMs) })
  if (typeof check === 'object') {
    const atOnce = (token: string): Verified => {
      requireShort(token)
      const nowMs = now()
      return readClaims(attempt(() => check.atOnce(token, rulesAt(nowMs))).payload, claims, nowMs)
    }
    return Object.assign(async (token: string) => atOnce(token), { atOnce })
  }
  return async (token) => {
    requireShort(token)
    const nowMs = now()
    const { payload } = await check(token, rulesAt(nowMs)).catch((cause: unknown) => {
      throw authErrorFrom(cause)
    })
    return readClaims(payload, claims, nowMs)
  }
}

function requireShort(token: string): void {
  if (token.length > limits.tokenBytes)
    throw new AuthError(`the token is too long: over ${limits.tokenBytes} bytes`)
}

function attempt<T>(check: () => T): T {
  try {
    return check()
  } catch (cause) {
    throw authErrorFrom(cause)
  }
}

function importKey(options: AuthenticatorOptions): {
  algorithms: string[]
  check: Check | { readonly atOnce: CheckAtOnce }
} {
  const { key } = options
  switch (key.kind) {
    case 'secret':
      return { algorithms: ['HS256'], check: { atOnce: checkHs256(key.secret) } }
    case 'publicKey': {
      const publicKey = readPublicKey(key.pem)
      const algorithms = algorithmsFor(publicKey)
      return { algorithms, check: (token, rules) => jwtVerify(token, publicKey, rules) }
    }
    case 'jwks': {
      const keys = issuerKeys(key.url, options)
      return { algorithms: ASYMMETRIC, check: (token, rules) => jwtVerify(token, keys.keyOf, rules) }
    }
  }
}

function issuerKeys(url: string, { logger, steadyNow = machineClock.steadyNow }: AuthenticatorOptions) {
  let warnedAtMs = Number.NEGATIVE_INFINITY
  const onFailure = (cause: unknown): void => {
    if (steadyNow() - warnedAtMs < WARN_EVERY_MS) return
    warnedAtMs = steadyNow()
    logger.error({ err: cause }, 'the keys of JWT_JWKS_URL cannot be fetched; known keys stay in use')
  }
  return new IssuerKeys({ url, steadyNow, onFailure })
}

function readPublicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new ConfigError('JWT_PUBLIC_KEY cannot be read as a public key', { cause })
  }
}

function algorithmsFor(key: KeyObject): string[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return ['RS256']
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return ['ES256']
  if (type === 'ed25519') return ['EdDSA', 'Ed25519']
  throw new ConfigError(
    'JWT_PUBLIC_KEY must be an RSA key of at least 2048 bits, an EC key on the curve P-256, or an Ed25519 key',
  )
}

/** Converts an error of jose or of the issuer's keys. */
function authErrorFrom(cause: unknown): AuthError {
  if (cause instanceof KeysUnavailable) {
    return new AuthError('the token cannot be checked now', 'server', cause.retryAfterMs)
  }
  // jose checks the times after the signature.
  if (cause instanceof errors.JWTExpired) return new AuthError('the token has expired', 'time')
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.claim === 'nbf' && cause.reason === 'check_failed')
      return new AuthError('the token is not valid yet', 'time')
    const wrong = cause.reason === 'missing' ? 'is missing' : 'is not accepted'
    return new AuthError(`the token’s ${cause.claim} ${wrong}`)
  }
  if (cause instanceof errors.JOSEAlgNotAllowed) return new AuthError('the token’s algorithm is not accepted')
  if (cause instanceof errors.JWSSignatureVerificationFailed)
    return new AuthError('the token’s signature is invalid')
  if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) {
    return new AuthError('the issuer has no key with the token’s kid')
  }
  return new AuthError('the token is malformed')
}
