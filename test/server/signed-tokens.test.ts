/**
 * One table of tokens for every kind of key, waited for and at once, with jose's own check beside it (AUT-1).
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuthenticatorOptions, createAuthenticator, type TokenAuthenticator } from '../../server/auth.ts'

const NOW_S = 1_700_000_000
const KID = 'k1'
const rules = { issuer: 'https://issuer.example', audience: 'chat' }
const claims = { sub: 'ana', exp: NOW_S + 60, iss: rules.issuer, aud: rules.audience }

const pair = (kind: 'rsa' | 'ec' | 'ed25519') =>
  kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
    : kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
const algorithms = { RS256: pair('rsa'), ES256: pair('ec'), EdDSA: pair('ed25519') } as const
type Alg = keyof typeof algorithms
const others = { RS256: pair('rsa'), ES256: pair('ec'), EdDSA: pair('ed25519') } as const
const names = Object.keys(algorithms) as Alg[]

const encode = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** The signature of these bytes, by the type of the key. */
function signatureOf(input: string, key: KeyObject): string {
  const bytes = Buffer.from(input)
  if (key.asymmetricKeyType === 'ed25519') return sign(null, bytes, key).toString('base64url')
  return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

interface Made {
  readonly header?: object
  readonly payload?: JWTPayload | string
  readonly key?: KeyObject
}

function tokenOf(alg: Alg, { header, payload = claims, key = algorithms[alg].privateKey }: Made = {}) {
  const input = `${encode({ alg, kid: KID, ...header })}.${encode(payload)}`
  return `${input}.${signatureOf(input, key)}`
}

/** A valid token with another third part. */
function signedAs(alg: Alg, change: (signature: string, input: string) => string): string {
  const [header, payload, signature] = tokenOf(alg).split('.') as [string, string, string]
  return `${header}.${payload}.${change(signature, `${header}.${payload}`)}`
}

const flip = (text: string, at: number) =>
  `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
const without = (claim: string) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => name !== claim))
const [signature, malformed, algorithm] = [
  'the token’s signature is invalid',
  'the token is malformed',
  'the token’s algorithm is not accepted',
]

/** Tokens, and the refusal; null if the token is accepted. */
const table: readonly (readonly [string, (alg: Alg) => string, refusal: string | null])[] = [
  ['valid', (alg) => tokenOf(alg), null],
  [
    'valid within the leeway',
    (alg) => tokenOf(alg, { payload: { ...claims, exp: NOW_S - 4, nbf: NOW_S + 5 } }),
    null,
  ],
  ['expired', (alg) => tokenOf(alg, { payload: { ...claims, exp: NOW_S - 5 } }), 'the token has expired'],
  [
    'not valid yet',
    (alg) => tokenOf(alg, { payload: { ...claims, nbf: NOW_S + 6 } }),
    'the token is not valid yet',
  ],
  ['without exp', (alg) => tokenOf(alg, { payload: without('exp') }), 'the token’s exp is missing'],
  ['without iss', (alg) => tokenOf(alg, { payload: without('iss') }), 'the token’s iss is missing'],
  [
    'of another issuer',
    (alg) => tokenOf(alg, { payload: { ...claims, iss: 'https://other.example' } }),
    'the token’s iss is not accepted',
  ],
  [
    'for another audience',
    (alg) => tokenOf(alg, { payload: { ...claims, aud: 'shop' } }),
    'the token’s aud is not accepted',
  ],
  [
    'for several audiences',
    (alg) => tokenOf(alg, { payload: { ...claims, aud: ['shop', rules.audience] } }),
    null,
  ],
  [
    'for several other audiences',
    (alg) => tokenOf(alg, { payload: { ...claims, aud: ['shop', 'chats'] } }),
    'the token’s aud is not accepted',
  ],
  ...(['exp', 'nbf', 'iat'] as const).flatMap((claim) =>
    [String(NOW_S), null].map(
      (value) =>
        [
          `whose ${claim} is ${JSON.stringify(value)}`,
          (alg: Alg) => tokenOf(alg, { payload: { ...claims, [claim]: value } as unknown as JWTPayload }),
          `the token’s ${claim} is not accepted`,
        ] as const,
    ),
  ),
  ['of another key', (alg) => tokenOf(alg, { key: others[alg].privateKey }), signature],
  [
    'expired and of another key',
    (alg) => tokenOf(alg, { payload: { ...claims, exp: 1 }, key: others[alg].privateKey }),
    signature,
  ],
  [
    'with other claims',
    (alg) => {
      const [header, , third] = tokenOf(alg).split('.')
      return `${header}.${encode({ ...claims, sub: 'ben' })}.${third}`
    },
    signature,
  ],
  ['with a changed signature', (alg) => signedAs(alg, (text) => flip(text, 7)), signature],
  ['with a longer signature', (alg) => signedAs(alg, (text) => `${text}AAAA`), signature],
  ['with a shorter signature', (alg) => signedAs(alg, (text) => text.slice(0, -4)), signature],
  ['with an empty signature', (alg) => signedAs(alg, () => ''), signature],
  ['with no signature', (alg) => tokenOf(alg).split('.').slice(0, 2).join('.'), malformed],
  ['with four parts', (alg) => `${tokenOf(alg)}.x`, malformed],
  ['with claims that are no object', (alg) => tokenOf(alg, { payload: '"ana"' }), malformed],
  ['with claims that are a list', (alg) => tokenOf(alg, { payload: '[]' }), malformed],
  ['with claims that are null', (alg) => tokenOf(alg, { payload: 'null' }), malformed],
  ['with claims that are no JSON', (alg) => tokenOf(alg, { payload: '{"sub":' }), malformed],
  ['with a critical extension', (alg) => tokenOf(alg, { header: { crit: ['x'], x: 1 } }), malformed],
  ['with unencoded claims', (alg) => tokenOf(alg, { header: { crit: ['b64'], b64: false } }), malformed],
  ...['none', 'HS256', 'RS384', 'PS256', 'ES384', 'rs256', ''].map(
    (alg) => [`with alg ${alg}`, (by: Alg) => tokenOf(by, { header: { alg } }), algorithm] as const,
  ),
  ['with no alg', (alg) => tokenOf(alg, { header: { alg: undefined } }), algorithm],
]

const josesRules: JWTVerifyOptions = {
  ...rules,
  algorithms: names,
  requiredClaims: ['exp'],
  clockTolerance: 5,
  currentDate: new Date(NOW_S * 1_000),
}
const isAccepted = (verified: Promise<unknown>) =>
  verified.then(
    () => true,
    () => false,
  )

function authenticatorOf(key: AuthenticatorOptions['key']): TokenAuthenticator {
  const log = () => {}
  return createAuthenticator({
    key,
    ...rules,
    logger: { info: log, warn: log, error: log },
    now: () => NOW_S * 1_000,
    steadyNow: () => 0,
  })
}

const waited = (authenticate: TokenAuthenticator, token: string) =>
  authenticate(token).then(
    () => null,
    (error: Error) => error.message,
  )

/** Undefined if it cannot be known at once. */
function atOnce(authenticate: TokenAuthenticator, token: string): string | null | undefined {
  try {
    return authenticate.atOnce(token) ? null : undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** An issuer with these keys. */
async function issuerOf(keys: readonly object[]): Promise<{ readonly url: string; fetches: number }> {
  const issuer = { url: '', fetches: 0 }
  const server = createServer((_, response) => {
    issuer.fetches += 1
    response.setHeader('connection', 'close').end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return issuer
}

const jwkOf = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more })
const allKeys = names.map((alg) => jwkOf(algorithms[alg].publicKey, { kid: KID }))

describe.each(names)('a token with %s', (alg) => {
  it.each(table)(
    '%s: the same with one key and with a key set, waited for and at once',
    async (_, make, refusal) => {
      const token = make(alg)
      const pem = String(algorithms[alg].publicKey.export({ format: 'pem', type: 'spki' }))
      const ofKey = authenticatorOf({ kind: 'publicKey', pem })
      expect(atOnce(ofKey, token)).toBe(refusal)
      expect(await waited(ofKey, token)).toBe(refusal)
      expect(
        await isAccepted(jwtVerify(token, algorithms[alg].publicKey, { ...josesRules, algorithms: [alg] })),
      ).toBe(refusal === null)
      const ofSet = authenticatorOf({ kind: 'jwks', url: (await issuerOf(allKeys)).url })
      // Its key is not fetched yet.
      expect(atOnce(ofSet, token)).not.toBeNull()
      expect(await waited(ofSet, tokenOf(alg))).toBeNull()
      expect(atOnce(ofSet, token)).toBe(refusal)
      expect(await waited(ofSet, token)).toBe(refusal)
    },
  )
})

describe('the key of a token in a key set', () => {
  const noKey = 'the issuer has no key with the token’s kid'
  const { RS256, ES256 } = algorithms
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const of = (key: KeyObject, kid?: unknown) => jwkOf(key, kid === undefined ? {} : { kid })
  const ec = ES256.publicKey

  it.each<[string, alg: Alg, keys: readonly object[], header: object, refusal: string | null]>([
    ['is that of its kid', 'ES256', [of(others.ES256.publicKey, 'k0'), of(ec, KID)], {}, null],
    ['is not one without a kid', 'ES256', [of(ec)], {}, noKey],
    ['is not one of another kid', 'ES256', [of(ec, 'k2')], {}, noKey],
    [
      'is the only one, without a kid',
      'ES256',
      [of(ec, 'k2'), of(RS256.publicKey)],
      { kid: undefined },
      null,
    ],
    ['is none of two, without a kid', 'ES256', [of(ec, 'a'), of(ec, 'b')], { kid: undefined }, noKey],
    ['is none of two with its kid', 'ES256', [of(ec, KID), of(others.ES256.publicKey, KID)], {}, noKey],
    ['is not one whose kid is empty', 'ES256', [of(ec, KID)], { kid: '' }, noKey],
    ['is none for a kid that is null', 'ES256', [of(ec, KID)], { kid: null }, noKey],
    ['is none for a kid that is a number', 'ES256', [of(ec, 7)], { kid: 7 }, noKey],
    ['is not one of another type', 'ES256', [of(RS256.publicKey, KID)], {}, noKey],
    ['is not one for encryption', 'ES256', [{ ...of(ec, KID), use: 'enc' }], {}, noKey],
    ['is not one for another algorithm', 'RS256', [{ ...of(RS256.publicKey, KID), alg: 'RS512' }], {}, noKey],
    ['is not a weak one', 'RS256', [of(weak.publicKey, KID)], {}, malformed],
  ])('%s: as with jose, waited for and at once', async (_, alg, keys, header, refusal) => {
    const key = keys.length === 1 && refusal === malformed ? weak.privateKey : algorithms[alg].privateKey
    const token = tokenOf(alg, { header, key })
    const joses = jwtVerify(token, createLocalJWKSet({ keys } as JSONWebKeySet), josesRules)
    expect(await isAccepted(joses)).toBe(refusal === null)
    // A token that is accepted without a kid must not make one with another kid accepted.
    const authenticate = authenticatorOf({ kind: 'jwks', url: (await issuerOf(keys)).url })
    await waited(authenticate, tokenOf(alg, { header: { kid: undefined } }))
    expect(await waited(authenticate, token)).toBe(refusal)
    const isUnknown = refusal === noKey
    expect(atOnce(authenticate, token)).toBe(isUnknown ? undefined : refusal)
  })
})
