/**
 * Authentication: a JWT in, an identity out (SPEC 1, 2).
 *
 * The key decides the algorithms: a secret takes HS256 and nothing else, a public key the one of
 * its type, so that no token chooses how it is checked. `exp` is required, `nbf` honoured, `iss`
 * and `aud` checked where they are configured. The key is imported once.
 * A refusal's message is made for the client and holds nothing of the inside; what went wrong
 * inside (keys that cannot be fetched) is logged, once in ten seconds at the most.
 */
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto'
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { EngineLogger } from '../engine/engine.ts'
import type { Identity } from '../engine/gateway.ts'
import { limits } from '../protocol/limits.ts'
import { ConfigError } from './config.ts'
import type { SigningKey } from './signing-key.ts'

/** Who a token speaks for, and until when (milliseconds since 1970). */
export interface Verified {
  readonly identity: Identity
  readonly expiresAtMs: number
}

/** Checks a token; rejects with `AuthError`. */
export type Authenticator = (token: string) => Promise<Verified>

/** Why a token was refused; the message may be shown. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  /** Whose fault it is: a failure of the server's is not held against the client's address. */
  readonly blame: 'client' | 'server'

  constructor(message: string, blame: 'client' | 'server' = 'client') {
    super(message)
    this.blame = blame
  }
}

export interface AuthenticatorOptions {
  readonly key: SigningKey
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
  readonly logger: EngineLogger
  /** Milliseconds since 1970. */
  readonly now: () => number
}

type Check = (token: string, options: JWTVerifyOptions) => Promise<{ readonly payload: JWTPayload }>

const ASYMMETRIC = ['RS256', 'ES256', 'EdDSA', 'Ed25519']
const WARN_EVERY_MS = 10_000
const MIN_RSA_BITS = 2_048

/**
 * Makes the authenticator of one key.
 * @throws ConfigError where the public key is of no type that is taken.
 */
export async function createAuthenticator(options: AuthenticatorOptions): Promise<Authenticator> {
  const { issuer, audience, logger, now } = options
  const { algorithms, check } = await importKey(options.key)
  const rules: JWTVerifyOptions = {
    algorithms,
    requiredClaims: ['exp'],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  }
  let warnedAtMs = Number.NEGATIVE_INFINITY

  return async (token) => {
    if (token.length > limits.tokenBytes) throw new AuthError('the token is too long')
    let payload: JWTPayload
    try {
      ;({ payload } = await check(token, { ...rules, currentDate: new Date(now()) }))
    } catch (cause) {
      const refusal = refusalOf(cause, options.key.kind)
      if (refusal.blame === 'server' && now() - warnedAtMs >= WARN_EVERY_MS) {
        warnedAtMs = now()
        logger.error({ err: cause }, 'tokens cannot be checked: the keys of JWT_JWKS_URL are not to be had')
      }
      throw refusal
    }
    return toVerified(payload)
  }
}

async function importKey(key: SigningKey): Promise<{ algorithms: string[]; check: Check }> {
  switch (key.kind) {
    case 'secret': {
      // jose would import raw bytes anew for each token, at twice the cost.
      const hmac = { name: 'HMAC', hash: 'SHA-256' }
      const secret = await webcrypto.subtle.importKey('raw', Buffer.from(key.secret), hmac, false, ['verify'])
      return { algorithms: ['HS256'], check: (token, rules) => jwtVerify(token, secret, rules) }
    }
    case 'publicKey': {
      const publicKey = readPublicKey(key.pem)
      const algorithms = algorithmsOf(publicKey)
      return { algorithms, check: (token, rules) => jwtVerify(token, publicKey, rules) }
    }
    case 'jwks': {
      const keys = createRemoteJWKSet(new URL(key.url))
      return { algorithms: ASYMMETRIC, check: (token, rules) => jwtVerify(token, keys, rules) }
    }
  }
}

function readPublicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new ConfigError('JWT_PUBLIC_KEY cannot be read as a public key', { cause })
  }
}

function algorithmsOf(key: KeyObject): string[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return ['RS256']
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return ['ES256']
  if (type === 'ed25519') return ['EdDSA', 'Ed25519']
  throw new ConfigError('JWT_PUBLIC_KEY takes RSA of 2048 bits at least, EC on the curve P-256, or Ed25519')
}

function toVerified(payload: JWTPayload): Verified {
  const userId = payload.sub
  if (typeof userId !== 'string' || userId === '') throw new AuthError('the token has no sub')
  if (Buffer.byteLength(userId) > limits.userIdBytes) {
    throw new AuthError(`the token’s sub is over ${limits.userIdBytes} bytes`)
  }
  return {
    identity: {
      userId,
      name: textClaim(payload, 'name', limits.nameBytes),
      picture: textClaim(payload, 'picture', limits.urlBytes),
    },
    // A number of JSON may be as large as infinity; a time on the wire may not.
    expiresAtMs: Math.min(Math.floor((payload.exp ?? 0) * 1_000), Number.MAX_SAFE_INTEGER),
  }
}

/** A claim that fills the profile; one that is missing, null or empty fills nothing. */
function textClaim(payload: JWTPayload, claim: string, maxBytes: number): string | undefined {
  const value = payload[claim]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new AuthError(`the token’s ${claim} is not a string`)
  if (Buffer.byteLength(value) > maxBytes)
    throw new AuthError(`the token’s ${claim} is over ${maxBytes} bytes`)
  return value
}

function refusalOf(cause: unknown, key: SigningKey['kind']): AuthError {
  if (cause instanceof errors.JWTExpired) return new AuthError('the token has expired')
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.claim === 'nbf' && cause.reason === 'check_failed')
      return new AuthError('the token is not valid yet')
    const wrong = cause.reason === 'missing' ? 'is missing' : 'is not accepted'
    return new AuthError(`the token’s ${cause.claim} ${wrong}`)
  }
  if (cause instanceof errors.JOSEAlgNotAllowed) return new AuthError('the token’s algorithm is not accepted')
  if (cause instanceof errors.JWSSignatureVerificationFailed)
    return new AuthError('the token’s signature is wrong')
  if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) {
    return new AuthError('the token names no key of the issuer')
  }
  const malformed = [errors.JWSInvalid, errors.JWTInvalid, errors.JOSENotSupported]
  if (key !== 'jwks' || malformed.some((kind) => cause instanceof kind))
    return new AuthError('the token is malformed')
  // What is left is the way to the keys: no network, a timeout, an answer that is no key set.
  return new AuthError('the token cannot be checked at present', 'server')
}
