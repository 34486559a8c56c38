import { createHmac } from 'node:crypto'
import { exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { type Authenticator, type AuthenticatorOptions, createAuthenticator } from '../../server/auth.ts'
import { AuthError } from '../../server/auth-error.ts'

const NOW_MS = 1_700_000_000_000
const NOW_S = NOW_MS / 1_000
const SECRET = 'a secret of thirty-two bytes, and more'

function anAuthenticator(
  key: AuthenticatorOptions['key'],
  more: Partial<AuthenticatorOptions> = {},
): Authenticator {
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

/** A token with these claims, valid by default. */
function aToken(
  claims: JWTPayload = {},
  alg = 'HS256',
  key: Key = Buffer.from(SECRET),
  kid?: string,
): Promise<string> {
  const header = kid === undefined ? { alg } : { alg, kid }
  return new SignJWT({ sub: 'ana', exp: NOW_S + 60, ...claims }).setProtectedHeader(header).sign(key)
}

/** An unsigned token. */
function unsigned(header: object, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.`
}

/** A token of exactly this many bytes, signed with the secret. */
function rawToken(claims: Buffer, header: object = { alg: 'HS256' }): string {
  const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims.toString('base64url')}`
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`
}

async function authErrorOf(authenticate: Authenticator, token: string): Promise<AuthError> {
  const error = await authenticate(token).then(
    () => new Error('the token was accepted'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AuthError)
  return error as AuthError
}

async function refusal(authenticate: Authenticator, token: string): Promise<string> {
  return (await authErrorOf(authenticate, token)).message
}

describe('a token signed with the secret', () => {
  it('yields the identity and the expiry time', async () => {
    const authenticate = bySecret()
    const token = await aToken({ name: 'Ana', picture: 'https://pics.example/ana.png' })
    expect(await authenticate(token)).toEqual({
      identity: { userId: 'ana', name: 'Ana', picture: 'https://pics.example/ana.png' },
      expiresAtMs: NOW_MS + 60_000,
      warnAtMs: NOW_MS + 30_000,
      endsAtMs: NOW_MS + 60_000,
    })
  })

  it('requires no name and no picture', async () => {
    const authenticate = bySecret()
    expect(await authenticate(await aToken({ name: '', picture: null }))).toMatchObject({
      identity: { userId: 'ana', name: undefined, picture: undefined },
    })
  })

  it('may have a sub of 128 bytes', async () => {
    const authenticate = bySecret()
    const sub = 'ã'.repeat(64)
    expect((await authenticate(await aToken({ sub }))).identity.userId).toBe(sub)
  })

  it.each<[string, JWTPayload, string]>([
    ['expired', { exp: NOW_S - 5 }, 'the token has expired'],
    ['without an end', { exp: undefined as unknown as number }, 'the token’s exp is missing'],
    ['not valid yet', { nbf: NOW_S + 6 }, 'the token is not valid yet'],
    ['without a sub', { sub: undefined as unknown as string }, 'the token has no sub'],
    ['with an empty sub', { sub: '' }, 'the token has no sub'],
    [
      'with a sub that is neither',
      { sub: ['ana'] as unknown as string },
      'the token’s sub must be a text or an integer',
    ],
    [
      'with a sub that is half a character',
      { sub: 'ana\ud800' },
      'the token’s sub is not well-formed Unicode',
    ],
    [
      'with a sub that JSON does not hold exactly',
      { sub: (2 ** 53) as unknown as string },
      'the token’s sub must be an integer that JSON represents exactly, or a text',
    ],
    [
      'with a sub that is no whole number',
      { sub: 1.5 as unknown as string },
      'the token’s sub must be an integer that JSON represents exactly, or a text',
    ],
    [
      'with a name that is half a character',
      { name: '\udc00' },
      'the token’s name is not well-formed Unicode',
    ],
    ['with a sub that is too long', { sub: 'ã'.repeat(65) }, 'the token’s sub is longer than 128 bytes'],
    ['with a name that is too long', { name: 'x'.repeat(257) }, 'the token’s name is longer than 256 bytes'],
    [
      'with a name that turns its neighbours around',
      { name: '\u202eevil' },
      'the token’s name must not contain control characters or bidirectional overrides',
    ],
    [
      'with a sub that some decoders would cut',
      { sub: '\ufeffana' },
      'the token’s sub must not start with a byte order mark',
    ],
    [
      'with a name that is an object',
      { name: { first: 'Ana' } },
      'the token’s name must be a text or an integer',
    ],
    [
      'with a picture that is too long',
      { picture: 'x'.repeat(2_049) },
      'the token’s picture is longer than 2048 bytes',
    ],
  ])('is refused %s', async (_, claims, message) => {
    expect(await refusal(bySecret(), await aToken(claims))).toBe(message)
  })

  // TXT-1
  it('has no name if the claim has no visible character', async () => {
    const { identity } = await bySecret()(await aToken({ name: ' \u200b ' }))
    expect(identity.name).toBeUndefined()
  })

  // AUT-1
  it('is accepted within a leeway of five seconds around exp and nbf', async () => {
    const authenticate = bySecret()
    await authenticate(await aToken({ exp: NOW_S - 4, nbf: NOW_S + 5 }))
    const strict = bySecret({ leewaySeconds: 0 })
    expect(await refusal(strict, await aToken({ exp: NOW_S }))).toBe('the token has expired')
    expect(await refusal(strict, await aToken({ nbf: NOW_S + 1 }))).toBe('the token is not valid yet')
  })

  // AUT-2
  it('does not count as a failure if it is only early or late', async () => {
    const authenticate = bySecret()
    const fault = async (claims: JWTPayload, secret = SECRET) =>
      (await authErrorOf(authenticate, await aToken(claims, 'HS256', Buffer.from(secret)))).fault
    expect(await fault({ exp: NOW_S - 60 })).toBe('time')
    expect(await fault({ nbf: NOW_S + 60 })).toBe('time')
    expect(await fault({ exp: NOW_S - 60 }, 'a forger’s secret of thirty-two bytes')).toBe('client')
  })

  // AUT-4
  it.each<[string, JWTPayload, number]>([
    ['a minute before the end', { exp: NOW_S + 3_600, iat: NOW_S }, 3_540],
    [
      'a minute before the end of a lifetime that began long ago',
      { exp: NOW_S + 30, iat: NOW_S - 3_600 },
      -30,
    ],
    ['at half of a shorter lifetime', { exp: NOW_S + 30, iat: NOW_S }, 15],
    ['at half of a lifetime of little more than a minute', { exp: NOW_S + 66, iat: NOW_S }, 33],
    ['at half of what is left, where nothing says when it began', { exp: NOW_S + 40 }, 20],
  ])('is announced %s', async (_, claims, afterSeconds) => {
    expect((await bySecret()(await aToken(claims))).warnAtMs).toBe(NOW_MS + afterSeconds * 1_000)
  })

  // IDN-1
  it('may identify its user by other claims, also by an integer', async () => {
    const authenticate = bySecret({ userClaim: 'https://issuer.example/uid', nameClaim: 'nickname' })
    const token = await aToken({ 'https://issuer.example/uid': 4_711, nickname: 7, name: 'not this one' })
    expect((await authenticate(token)).identity).toMatchObject({ userId: '4711', name: '7' })
    expect(await refusal(authenticate, await aToken({ sub: 'ana' }))).toBe(
      'the token has no https://issuer.example/uid',
    )
    const inherited = bySecret({ userClaim: 'constructor' })
    expect(await refusal(inherited, await aToken())).toBe('the token has no constructor')
  })

  // IDN-1
  it('is refused if the bytes of sub are not UTF-8, and accepted with a literal U+FFFD', async () => {
    const authenticate = bySecret()
    const claims = (sub: Buffer) =>
      Buffer.concat([Buffer.from('{"sub":"'), sub, Buffer.from(`","exp":${NOW_S + 60}}`)])
    expect(await refusal(authenticate, rawToken(claims(Buffer.from([0x61, 0xff]))))).toBe(
      'the token is malformed',
    )
    const { identity } = await authenticate(rawToken(claims(Buffer.from('a\ufffd'))))
    expect(identity.userId).toBe('a\ufffd')
  })

  // AUT-1
  it('may have 8,192 bytes at most', async () => {
    const authenticate = bySecret()
    const sized = (bytes: number) => {
      // Base64 does not produce every length; header and claims together do.
      for (const kid of ['', 'x', 'xx', 'xxx']) {
        for (let length = 5_900; length < 6_100; length++) {
          const claims = { sub: 'ana', exp: NOW_S + 60, fill: 'x'.repeat(length) }
          const token = rawToken(Buffer.from(JSON.stringify(claims)), { alg: 'HS256', kid })
          if (token.length === bytes) return token
        }
      }
      throw new Error(`no token of ${bytes} bytes`)
    }
    await authenticate(sized(8_192))
    expect(await refusal(authenticate, sized(8_193))).toBe('the token is too long: over 8192 bytes')
  })

  it('is refused with another issuer or none if one is configured', async () => {
    const authenticate = bySecret({ issuer: 'https://issuer.example' })
    expect(await refusal(authenticate, await aToken({ iss: 'https://other.example' }))).toBe(
      'the token’s iss is not accepted',
    )
    expect(await refusal(authenticate, await aToken())).toBe('the token’s iss is missing')
    await authenticate(await aToken({ iss: 'https://issuer.example' }))
  })

  it('is refused for another audience if one is configured', async () => {
    const authenticate = bySecret({ audience: 'chat' })
    expect(await refusal(authenticate, await aToken({ aud: 'shop' }))).toBe('the token’s aud is not accepted')
    await authenticate(await aToken({ aud: ['shop', 'chat'] }))
  })

  it('is refused with another secret', async () => {
    const token = await aToken({}, 'HS256', Buffer.from('another secret of thirty-two bytes, or more'))
    expect(await refusal(bySecret(), token)).toBe('the token’s signature is invalid')
  })

  // AUT-1
  it('is refused with alg none, whatever its case', async () => {
    const authenticate = bySecret()
    const claims = { sub: 'ana', exp: NOW_S + 60 }
    for (const alg of ['none', 'None', 'NONE']) {
      expect(await refusal(authenticate, unsigned({ alg }, claims))).toBe(
        'the token’s algorithm is not accepted',
      )
    }
  })

  // AUT-1
  it('is refused with any other algorithm', async () => {
    const authenticate = bySecret()
    expect(await refusal(authenticate, await aToken({}, 'HS512'))).toBe(
      'the token’s algorithm is not accepted',
    )
    const { privateKey } = await generateKeyPair('ES256')
    expect(await refusal(authenticate, await aToken({}, 'ES256', privateKey))).toBe(
      'the token’s algorithm is not accepted',
    )
  })

  // AUT-1: a signature that is almost right, or signs something that the server does not understand.
  it('is refused with any change to its three parts', async () => {
    const authenticate = bySecret()
    const [header, payload, signature] = (await aToken()).split('.') as [string, string, string]
    const other = (await aToken({ sub: 'bruno' })).split('.')[1] as string
    const flipped = `${signature.slice(0, -5)}${signature.at(-5) === 'A' ? 'B' : 'A'}${signature.slice(-4)}`
    for (const changed of [`${header}.${other}.${signature}`, `${header}.${payload}.${flipped}`]) {
      expect(await refusal(authenticate, changed)).toBe('the token’s signature is invalid')
    }
    for (const changed of [signature.slice(0, -1), `${signature}=`, `${signature}A`, `${signature}\n`, '']) {
      expect(await refusal(authenticate, `${header}.${payload}.${changed}`)).toBe(
        'the token’s signature is invalid',
      )
    }
    expect(await refusal(authenticate, `${header}.${payload}.${signature}.`)).toBe('the token is malformed')
    const claims = Buffer.from(JSON.stringify({ sub: 'ana', exp: NOW_S + 60 }))
    expect(await refusal(authenticate, rawToken(claims, { alg: 'HS256', crit: ['b64'], b64: false }))).toBe(
      'the token is malformed',
    )
    expect(await refusal(authenticate, rawToken(Buffer.from('"ana"')))).toBe('the token is malformed')
    expect(await refusal(authenticate, rawToken(Buffer.from('{"sub":')))).toBe('the token is malformed')
  })

  it.each(['', 'x', 'a.b.c', '...', `${'x'.repeat(9_000)}`])(
    'is refused where it is no token: %.10s',
    async (token) => {
      expect(await refusal(bySecret(), token)).toMatch(/^the token is (malformed|too long: over 8192 bytes)$/)
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
    const authenticate = anAuthenticator({ kind: 'publicKey', pem })
    expect((await authenticate(await aToken({}, alg, privateKey))).identity.userId).toBe('ana')
    // The classic forgery: the public key, which everyone knows, used as the secret of an HMAC.
    expect(await refusal(authenticate, await aToken({}, 'HS256', Buffer.from(pem)))).toBe(
      'the token’s algorithm is not accepted',
    )
    const other = await generateKeyPair(alg, { extractable: true, ...options })
    expect(await refusal(authenticate, await aToken({}, alg, other.privateKey))).toBe(
      'the token’s signature is invalid',
    )
  })

  // AUT-1
  it('is not verified with a weak or unsupported key', async () => {
    const curve = await generateKeyPair('ES384', { extractable: true })
    const pem = await exportSPKI(curve.publicKey)
    expect(() => anAuthenticator({ kind: 'publicKey', pem })).toThrow(
      'JWT_PUBLIC_KEY must be an RSA key of at least 2048 bits',
    )
    const broken = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'
    expect(() => anAuthenticator({ kind: 'publicKey', pem: broken })).toThrow('JWT_PUBLIC_KEY cannot be read')
  })
})
