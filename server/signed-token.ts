/**
 * Signed token: checks a JWT in the calling thread (RFC 7515, RFC 7518 section 3).
 *
 * jose verifies with WebCrypto, which wakes a thread of the pool for each token. That costs several times the
 * check, a quarter of what connecting costs, and a WebSocket handshake that waits for it is accepted late. So
 * the signature is checked here; jose reads the header and checks the claims. An algorithm is allowed by the
 * caller and by the type of the key. Bounded: the caller limits the length of tokens.
 */
import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, UnsecuredJWT } from 'jose'

export type Algorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA' | 'Ed25519'

/** The parts of a token whose signature is not checked yet. */
export interface SignedToken {
  readonly alg: Algorithm
  /** The name of its key, as the token has it. */
  readonly kid: unknown
  /** What is signed. */
  readonly input: string
  readonly payload: string
  readonly signature: string
}

type Check = (key: KeyObject, input: Buffer, signature: Buffer) => boolean

const MIN_RSA_BITS = 2_048
const UNSECURED_HEADER = Buffer.from('{"alg":"none"}').toString('base64url')
const ed25519: Check = (key, input, signature) => verify(null, input, key, signature)
const checks: Readonly<Record<Algorithm, Check>> = {
  HS256(key, input, signature) {
    const expected = createHmac('sha256', key).update(input).digest()
    return expected.length === signature.length && timingSafeEqual(expected, signature)
  },
  RS256: (key, input, signature) => verify('sha256', input, key, signature),
  ES256: (key, input, signature) => verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature),
  EdDSA: ed25519,
  Ed25519: ed25519,
}

/** The algorithms of a key: one for each type. Empty if the key is weak or its type is not supported. */
export function algorithmsOf(key: KeyObject): readonly Algorithm[] {
  const { type, asymmetricKeyType: kind, asymmetricKeyDetails: details } = key
  if (type === 'secret') return ['HS256']
  if (kind === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return ['RS256']
  if (kind === 'ec' && details?.namedCurve === 'prime256v1') return ['ES256']
  return kind === 'ed25519' ? ['EdDSA', 'Ed25519'] : []
}

/** Reads a token that may be signed with these algorithms; throws the errors of jose. */
export function readSigned(token: string, allowed: readonly Algorithm[]): SignedToken {
  const [header, payload, signature, ...more] = token.split('.')
  if (payload === undefined || signature === undefined || more.length > 0)
    throw new errors.JWTInvalid('a JWT has three parts')
  const { alg: named, kid, crit } = decodeProtectedHeader(token)
  const alg = allowed.find((one) => one === named)
  if (!alg) throw new errors.JOSEAlgNotAllowed('the algorithm is not allowed')
  // RFC 7515, section 4.1.11: an extension that is not understood.
  if (crit !== undefined) throw new errors.JOSENotSupported('no critical header parameter is supported')
  return { alg, kid, input: `${header}.${payload}`, payload, signature }
}

/** The claims, if the key signed the token and they follow the rules; throws the errors of jose. */
export function claimsOf(token: SignedToken, key: KeyObject, rules: JWTVerifyOptions): JWTPayload {
  const { alg, input, payload, signature } = token
  if (!algorithmsOf(key).includes(alg)) throw new errors.JOSENotSupported('the key has another algorithm')
  const bytes = Buffer.from(signature, 'base64url')
  // Decoding accepts several texts for the same bytes.
  const isValid = bytes.toString('base64url') === signature && checks[alg](key, Buffer.from(input), bytes)
  if (!isValid) throw new errors.JWSSignatureVerificationFailed()
  return UnsecuredJWT.decode(`${UNSECURED_HEADER}.${payload}.`, rules).payload
}
