/**
 * Signed token: checks a JWT in the calling thread (RFC 7515, RFC 7518 section 3).
 *
 * jose verifies with WebCrypto, which wakes a thread of the pool for each token. That costs several times the
 * check, a quarter of what connecting costs, and a WebSocket handshake that waits for it is accepted late. So
 * the signature is checked here; jose decodes the header. An algorithm is allowed by the caller and by the type
 * of the key. Bounded: the caller limits the length of tokens.
 */
import { isUtf8 } from 'node:buffer'
import { createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWTPayload } from 'jose'

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

/** Reads tokens that may be signed with these algorithms. */
export class TokenReader {
  readonly #allowed: readonly Algorithm[]
  /** The header of the last token: those of one issuer are equal. */
  #header: { readonly text: string; readonly fields: ReturnType<typeof decodeProtectedHeader> } | null = null

  constructor(allowed: readonly Algorithm[]) {
    this.#allowed = allowed
  }

  /** Throws the errors of jose. */
  read(token: string): SignedToken {
    const [header, payload, signature, ...more] = token.split('.')
    if (header === undefined || payload === undefined || signature === undefined || more.length > 0)
      throw new errors.JWTInvalid('a JWT has three parts')
    if (this.#header?.text !== header) this.#header = { text: header, fields: decodeProtectedHeader(token) }
    const { alg: named, kid, crit } = this.#header.fields
    const alg = this.#allowed.find((one) => one === named)
    if (!alg) throw new errors.JOSEAlgNotAllowed('the algorithm is not allowed')
    // RFC 7515, section 4.1.11: an extension that is not understood.
    if (crit !== undefined) throw new errors.JOSENotSupported('no critical header parameter is supported')
    return { alg, kid, input: `${header}.${payload}`, payload, signature }
  }
}

/** The claims, if the key signed the token; throws the errors of jose, or others if they are no JSON. */
export function claimsOf({ alg, input, payload, signature }: SignedToken, key: KeyObject): JWTPayload {
  if (!algorithmsOf(key).includes(alg)) throw new errors.JOSENotSupported('the key has another algorithm')
  const bytes = Buffer.from(signature, 'base64url')
  // Decoding accepts several texts for the same bytes.
  const isValid = bytes.toString('base64url') === signature && checks[alg](key, Buffer.from(input), bytes)
  if (!isValid) throw new errors.JWSSignatureVerificationFailed()
  const json = Buffer.from(payload, 'base64url')
  // Decoding replaces bytes that are not UTF-8: two ids would be one.
  if (!isUtf8(json)) throw new errors.JWTInvalid('the claims are not UTF-8')
  const claims: unknown = JSON.parse(json.toString())
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    throw new errors.JWTInvalid('the claims are no object')
  return claims as JWTPayload
}
