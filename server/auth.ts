/**
 * Authentication: verifies a JWT and returns the identity in it (AUT-1, IDN-1).
 *
 * The key determines the algorithms: a secret allows only HS256, a public key only the algorithm of its
 * type. A token cannot choose how it is checked. `exp` is required. `exp` and `nbf` have a leeway, because
 * clocks differ. `iss` and `aud` are checked if they are configured.
 * The message of a refusal is sent to the client and contains no internal detail. A key set that cannot be
 * fetched is logged, at most once in ten seconds.
 */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { errors } from 'jose'
import { machineClock } from '../engine/base/clock.ts'
import type { EngineLogger } from '../engine/engine.ts'
import { limits } from '../protocol/limits.ts'
import { AuthError } from './auth-error.ts'
import { type ClaimRules, readClaims, type Verified } from './claims.ts'
import { ConfigError } from './config.ts'
import { IssuerKeys, KeysUnavailable } from './issuer-keys.ts'
import { type Algorithm, algorithmsOf, claimsOf, type SignedToken, TokenReader } from './signed-token.ts'
import type { SigningKey } from './signing-key.ts'

/** Checks a token; rejects with `AuthError`. */
export type Authenticator = (token: string) => Promise<Verified>

export interface TokenAuthenticator extends Authenticator {
  /** The same without waiting; null if the key of the token has to be fetched first. @throws AuthError */
  readonly atOnce: (token: string) => Verified | null
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

/** Where the key of a token comes from. */
interface Keys {
  readonly algorithms: readonly Algorithm[]
  /** Null if the key has to be fetched first. */
  known(token: SignedToken): KeyObject | null
  find(token: SignedToken): Promise<KeyObject>
}

const ASYMMETRIC: readonly Algorithm[] = ['RS256', 'ES256', 'EdDSA', 'Ed25519']
const WARN_EVERY_MS = 10_000
const LEEWAY_SECONDS = 5

/**
 * Creates the authenticator for one key.
 * @throws ConfigError if the type of the public key is not supported.
 */
export function createAuthenticator(options: AuthenticatorOptions): TokenAuthenticator {
  const { issuer, audience, now, leewaySeconds = LEEWAY_SECONDS } = options
  const keys = keysOf(options)
  const reader = new TokenReader(keys.algorithms)
  const rules: ClaimRules = {
    issuer,
    audience,
    userClaim: options.userClaim ?? 'sub',
    nameClaim: options.nameClaim ?? 'name',
    adminClaim: options.adminClaim ?? 'admin',
    leewayMs: leewaySeconds * 1_000,
  }
  const read = (token: string): SignedToken => {
    requireShort(token)
    return attempt(() => reader.read(token))
  }
  const verified = (token: SignedToken, key: KeyObject): Verified => {
    const payload = attempt(() => claimsOf(token, key))
    return readClaims(payload, rules, now())
  }
  const atOnce = (token: string): Verified | null => {
    const signed = read(token)
    const key = keys.known(signed)
    return key && verified(signed, key)
  }
  const authenticate = async (token: string): Promise<Verified> => {
    const signed = read(token)
    const key = keys.known(signed) ?? (await keys.find(signed).catch(refuse))
    return verified(signed, key)
  }
  return Object.assign(authenticate, { atOnce })
}

function requireShort(token: string): void {
  if (token.length > limits.tokenBytes)
    throw new AuthError(`the token is too long: over ${limits.tokenBytes} bytes`)
}

function attempt<T>(check: () => T): T {
  try {
    return check()
  } catch (cause) {
    return refuse(cause)
  }
}

function refuse(cause: unknown): never {
  throw authErrorFrom(cause)
}

function keysOf(options: AuthenticatorOptions): Keys {
  const { key } = options
  switch (key.kind) {
    case 'secret':
      return oneKey(createSecretKey(Buffer.from(key.secret)))
    case 'publicKey':
      return oneKey(readPublicKey(key.pem))
    case 'jwks': {
      const keys = issuerKeys(key.url, options)
      return {
        algorithms: ASYMMETRIC,
        known: (token) => keys.known(token),
        find: (token) => keys.find(token),
      }
    }
  }
}

function oneKey(key: KeyObject): Keys {
  return { algorithms: algorithmsOf(key), known: () => key, find: async () => key }
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
  const key = parsePublicKey(pem)
  if (algorithmsOf(key).length > 0) return key
  throw new ConfigError(
    'JWT_PUBLIC_KEY must be an RSA key of at least 2048 bits, an EC key on the curve P-256, or an Ed25519 key',
  )
}

function parsePublicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new ConfigError('JWT_PUBLIC_KEY cannot be read as a public key', { cause })
  }
}

/** Converts an error of jose or of the issuer's keys. */
function authErrorFrom(cause: unknown): AuthError {
  if (cause instanceof KeysUnavailable) {
    return new AuthError('the token cannot be checked now', 'server', cause.retryAfterMs)
  }
  if (cause instanceof errors.JOSEAlgNotAllowed) return new AuthError('the token’s algorithm is not accepted')
  if (cause instanceof errors.JWSSignatureVerificationFailed)
    return new AuthError('the token’s signature is invalid')
  if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) {
    return new AuthError('the issuer has no key with the token’s kid')
  }
  return new AuthError('the token is malformed')
}
