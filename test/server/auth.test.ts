import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import {
  AuthError,
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
} from '../../server/auth.ts'

const NOW_MS = 1_700_000_000_000
const NOW_S = NOW_MS / 1_000
const SECRET = 'a secret of thirty-two bytes, and more'

interface Logged {
  readonly message: string
}

function anAuthenticator(
  key: AuthenticatorOptions['key'],
  more: Partial<AuthenticatorOptions> = {},
): Promise<Authenticator> {
  const log = () => {}
  return createAuthenticator({
    key,
    logger: { info: log, warn: log, error: log },
    now: () => NOW_MS,
    ...more,
  })
}

const bySecret = (more: Partial<AuthenticatorOptions> = {}) =>
  anAuthenticator({ kind: 'secret', secret: SECRET }, more)

type Key = Parameters<SignJWT['sign']>[0]

/** A token of these claims, good unless they say otherwise. */
function aToken(
  claims: JWTPayload = {},
  alg = 'HS256',
  key: Key = Buffer.from(SECRET),
  kid?: string,
): Promise<string> {
  const header = kid === undefined ? { alg } : { alg, kid }
  return new SignJWT({ sub: 'ana', exp: NOW_S + 60, ...claims }).setProtectedHeader(header).sign(key)
}

/** A token that no key has signed. */
function unsigned(header: object, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.`
}

async function refusal(authenticate: Authenticator, token: string): Promise<string> {
  const error = await authenticate(token).then(
    () => new Error('the token was taken'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AuthError)
  return (error as AuthError).message
}

describe('a token signed with the secret', () => {
  it('gives the identity and the time it ends', async () => {
    const authenticate = await bySecret()
    const token = await aToken({ name: 'Ana', picture: 'https://pics.example/ana.png' })
    expect(await authenticate(token)).toEqual({
      identity: { userId: 'ana', name: 'Ana', picture: 'https://pics.example/ana.png' },
      expiresAtMs: NOW_MS + 60_000,
    })
  })

  it('needs no profile', async () => {
    const authenticate = await bySecret()
    expect(await authenticate(await aToken({ name: '', picture: null }))).toMatchObject({
      identity: { userId: 'ana', name: undefined, picture: undefined },
    })
  })

  it('may have a sub of 128 bytes', async () => {
    const authenticate = await bySecret()
    const sub = 'ã'.repeat(64)
    expect((await authenticate(await aToken({ sub }))).identity.userId).toBe(sub)
  })

  it.each<[string, JWTPayload, string]>([
    ['expired', { exp: NOW_S }, 'the token has expired'],
    ['without an end', { exp: undefined as unknown as number }, 'the token’s exp is missing'],
    ['not valid yet', { nbf: NOW_S + 1 }, 'the token is not valid yet'],
    ['without a sub', { sub: undefined as unknown as string }, 'the token has no sub'],
    ['with an empty sub', { sub: '' }, 'the token has no sub'],
    ['with a sub that is no string', { sub: 7 as unknown as string }, 'the token has no sub'],
    ['with a sub that is too long', { sub: 'ã'.repeat(65) }, 'the token’s sub is over 128 bytes'],
    ['with a name that is too long', { name: 'x'.repeat(257) }, 'the token’s name is over 256 bytes'],
    ['with a name that is no string', { name: { first: 'Ana' } }, 'the token’s name is not a string'],
    [
      'with a picture that is too long',
      { picture: 'x'.repeat(2_049) },
      'the token’s picture is over 2048 bytes',
    ],
  ])('is refused %s', async (_, claims, message) => {
    expect(await refusal(await bySecret(), await aToken(claims))).toBe(message)
  })

  it('is refused with another issuer or none, where one is set', async () => {
    const authenticate = await bySecret({ issuer: 'https://issuer.example' })
    expect(await refusal(authenticate, await aToken({ iss: 'https://other.example' }))).toBe(
      'the token’s iss is not accepted',
    )
    expect(await refusal(authenticate, await aToken())).toBe('the token’s iss is missing')
    await authenticate(await aToken({ iss: 'https://issuer.example' }))
  })

  it('is refused for another audience, where one is set', async () => {
    const authenticate = await bySecret({ audience: 'chat' })
    expect(await refusal(authenticate, await aToken({ aud: 'shop' }))).toBe('the token’s aud is not accepted')
    await authenticate(await aToken({ aud: ['shop', 'chat'] }))
  })

  it('is refused with another secret', async () => {
    const token = await aToken({}, 'HS256', Buffer.from('another secret of thirty-two bytes, or more'))
    expect(await refusal(await bySecret(), token)).toBe('the token’s signature is wrong')
  })

  it('is refused with alg none, whatever its case', async () => {
    const authenticate = await bySecret()
    const claims = { sub: 'ana', exp: NOW_S + 60 }
    for (const alg of ['none', 'None', 'NONE']) {
      expect(await refusal(authenticate, unsigned({ alg }, claims))).toBe(
        'the token’s algorithm is not accepted',
      )
    }
  })

  it('is refused with any other algorithm', async () => {
    const authenticate = await bySecret()
    expect(await refusal(authenticate, await aToken({}, 'HS512'))).toBe(
      'the token’s algorithm is not accepted',
    )
    const { privateKey } = await generateKeyPair('ES256')
    expect(await refusal(authenticate, await aToken({}, 'ES256', privateKey))).toBe(
      'the token’s algorithm is not accepted',
    )
  })

  it.each(['', 'x', 'a.b.c', '...', `${'x'.repeat(9_000)}`])(
    'is refused where it is no token: %.10s',
    async (token) => {
      expect(await refusal(await bySecret(), token)).toMatch(/^the token is (malformed|too long)$/)
    },
  )
})

describe('a token signed by an issuer with a public key', () => {
  it.each([
    ['RS256', { modulusLength: 2_048 }],
    ['ES256', {}],
    ['EdDSA', { crv: 'Ed25519' }],
  ])('is taken with %s, and with nothing else', async (alg, options) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...options })
    const pem = await exportSPKI(publicKey)
    const authenticate = await anAuthenticator({ kind: 'publicKey', pem })
    expect((await authenticate(await aToken({}, alg, privateKey))).identity.userId).toBe('ana')
    // The classic forgery: the public key, known to all, as the secret of an HMAC.
    expect(await refusal(authenticate, await aToken({}, 'HS256', Buffer.from(pem)))).toBe(
      'the token’s algorithm is not accepted',
    )
    const other = await generateKeyPair(alg, { extractable: true, ...options })
    expect(await refusal(authenticate, await aToken({}, alg, other.privateKey))).toBe(
      'the token’s signature is wrong',
    )
  })

  it('is not checked with a key that is too weak or of another kind', async () => {
    const curve = await generateKeyPair('ES384', { extractable: true })
    const pem = await exportSPKI(curve.publicKey)
    await expect(anAuthenticator({ kind: 'publicKey', pem })).rejects.toThrow(
      'JWT_PUBLIC_KEY takes RSA of 2048 bits',
    )
    const broken = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'
    await expect(anAuthenticator({ kind: 'publicKey', pem: broken })).rejects.toThrow(
      'JWT_PUBLIC_KEY cannot be read',
    )
  })
})

describe('a token signed by an issuer that publishes its keys', () => {
  let issuer: Server | undefined
  afterEach(() => {
    issuer?.close()
    issuer = undefined
  })

  async function anIssuer(answer: () => { status: number; body: string }): Promise<string> {
    const server = createServer((_, response) => {
      const { status, body } = answer()
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body)
    })
    issuer = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  }

  it('is taken when it names one of them', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }
    const url = await anIssuer(() => ({ status: 200, body: JSON.stringify({ keys: [jwk] }) }))
    const authenticate = await anAuthenticator({ kind: 'jwks', url })
    expect((await authenticate(await aToken({}, 'ES256', privateKey, 'k1'))).identity.userId).toBe('ana')
    expect(await refusal(authenticate, await aToken({}, 'ES256', privateKey, 'k2'))).toBe(
      'the token names no key of the issuer',
    )
    expect(await refusal(authenticate, await aToken({}, 'HS256'))).toBe(
      'the token’s algorithm is not accepted',
    )
  })

  it.each([
    ['answers with an error', () => ({ status: 500, body: 'stack trace of the issuer' })],
    ['answers with something else', () => ({ status: 200, body: '<html>' })],
  ])('is refused where the issuer %s; that is logged once, and nothing of it is shown', async (_, answer) => {
    const logged: Logged[] = []
    const log = (_fields: object, message: string) => void logged.push({ message })
    const url = await anIssuer(answer)
    const authenticate = await anAuthenticator(
      { kind: 'jwks', url },
      { logger: { info: log, warn: log, error: log } },
    )
    const { privateKey } = await generateKeyPair('ES256')
    const token = await aToken({}, 'ES256', privateKey, 'k1')
    const error = await authenticate(token).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: 'the token cannot be checked at present', blame: 'server' })
    await authenticate(token).catch(() => {})
    expect(logged).toEqual([
      { message: 'tokens cannot be checked: the keys of JWT_JWKS_URL are not to be had' },
    ])
  })

  it('is refused where nobody answers', async () => {
    const url = await anIssuer(() => ({ status: 200, body: '' }))
    await new Promise((resolve) => issuer?.close(resolve))
    const authenticate = await anAuthenticator({ kind: 'jwks', url })
    const { privateKey } = await generateKeyPair('ES256')
    expect(await refusal(authenticate, await aToken({}, 'ES256', privateKey))).toBe(
      'the token cannot be checked at present',
    )
  })
})
