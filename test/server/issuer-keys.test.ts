/**
 * Tokens of an issuer that publishes its keys: a real HTTP server, which the tests stop, make fail, and
 * give other keys. The clock is a number that they change.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticator, type TokenAuthenticator } from '../../server/auth.ts'
import { IssuerKeys } from '../../server/issuer-keys.ts'

const NOW_MS = 1_700_000_000_000
const MINUTE_MS = 60_000

interface Key {
  readonly jwk: object
  readonly sign: () => Promise<string>
}

let issuer: Server
let url: string
let fetches: number
let answer: () => { status: number; body: string }
let logged: string[]
let steadyMs: number

beforeEach(async () => {
  fetches = 0
  steadyMs = 0
  logged = []
  issuer = createServer((_, response) => {
    fetches++
    const { status, body } = answer()
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body)
  })
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`
})
afterEach(() => issuer.close())

async function aKey(kid: string): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }
  const sign = () =>
    new SignJWT({ sub: 'ana', exp: NOW_MS / 1_000 + 60 })
      .setProtectedHeader({ alg: 'ES256', kid })
      .sign(privateKey)
  return { jwk, sign }
}

function publish(...keys: Key[]): void {
  answer = () => ({ status: 200, body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) })
}

function fail(): void {
  answer = () => ({ status: 500, body: 'stack trace of the issuer' })
}

function anAuthenticator(): TokenAuthenticator {
  const log = (_: object, message: string) => void logged.push(message)
  return createAuthenticator({
    key: { kind: 'jwks', url },
    logger: { info: log, warn: log, error: log },
    now: () => NOW_MS,
    steadyNow: () => steadyMs,
  })
}

const errorOf = (verified: Promise<unknown>) =>
  verified.then(
    () => 'accepted',
    (error: unknown) => error,
  )

describe('a token of an issuer that publishes its keys', () => {
  it('is accepted with a published key', async () => {
    const key = await aKey('k1')
    publish(key)
    const authenticate = anAuthenticator()
    expect((await authenticate(await key.sign())).identity.userId).toBe('ana')
    expect(await errorOf(authenticate(await (await aKey('k2')).sign()))).toMatchObject({
      message: 'the issuer has no key with the token’s kid',
      fault: 'client',
    })
  })

  it('is accepted with a key that was published after the first fetch', async () => {
    const [old, young] = [await aKey('k1'), await aKey('k2')]
    publish(old)
    const authenticate = anAuthenticator()
    await authenticate(await old.sign())
    publish(old, young)
    await authenticate(await young.sign())
    expect(fetches).toBe(2)
  })

  // AUT-1
  it('is checked at once when its key was used before, until the issuer withdraws the key', async () => {
    const [old, young] = [await aKey('k1'), await aKey('k2')]
    publish(old)
    const authenticate = anAuthenticator()
    const token = await old.sign()
    expect(authenticate.atOnce(token)).toBeNull()
    expect(fetches).toBe(0)
    await authenticate(token)
    expect(authenticate.atOnce(token)?.identity.userId).toBe('ana')
    publish(young)
    steadyMs = 11 * MINUTE_MS
    // The key set is old: it is fetched in the background.
    expect(authenticate.atOnce(token)?.identity.userId).toBe('ana')
    await expect.poll(() => authenticate.atOnce(token)).toBeNull()
    expect(fetches).toBe(2)
    expect(await errorOf(authenticate(token))).toMatchObject({ fault: 'client' })
  })

  // AUT-1
  it('is accepted while the issuer is unavailable, also if the keys are old', async () => {
    const key = await aKey('k1')
    publish(key)
    const authenticate = anAuthenticator()
    await authenticate(await key.sign())
    fail()
    steadyMs = 11 * MINUTE_MS
    await authenticate(await key.sign())
    await expect.poll(() => logged).toHaveLength(1)
    steadyMs = 600 * MINUTE_MS
    expect((await authenticate(await key.sign())).identity.userId).toBe('ana')
  })

  it('does not count as a failure if its key cannot be looked up', async () => {
    const key = await aKey('k1')
    publish(key)
    const authenticate = anAuthenticator()
    await authenticate(await key.sign())
    fail()
    expect(await errorOf(authenticate(await (await aKey('k2')).sign()))).toMatchObject({ fault: 'server' })
  })

  it.each([
    ['answers with an error', () => ({ status: 500, body: 'stack trace of the issuer' })],
    ['answers with something else', () => ({ status: 200, body: '<html>' })],
    ['answers with no key set', () => ({ status: 200, body: '{"keys":7}' })],
    [
      'publishes a broken key',
      () => ({
        status: 200,
        body: '{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","alg":"ES256","x":"AA","y":"AA"}]}',
      }),
    ],
  ])('does not count as a failure if the issuer %s; that is logged once and not shown', async (_, given) => {
    answer = given
    const authenticate = anAuthenticator()
    const token = await (await aKey('k1')).sign()
    const refusal = {
      message: 'the token cannot be checked now',
      fault: 'server',
      retryAfterMs: 2_000,
    }
    expect(await errorOf(authenticate(token))).toMatchObject(refusal)
    expect(await errorOf(authenticate(token))).toMatchObject(refusal)
    expect(logged).toEqual(['the keys of JWT_JWKS_URL cannot be fetched; known keys stay in use'])
  })

  it('is accepted two seconds after the issuer is available again', async () => {
    const key = await aKey('k1')
    fail()
    const authenticate = anAuthenticator()
    await errorOf(authenticate(await key.sign()))
    publish(key)
    steadyMs = 1_999
    expect(await errorOf(authenticate(await key.sign()))).toMatchObject({ fault: 'server', retryAfterMs: 1 })
    expect(fetches).toBe(1)
    steadyMs = 2_000
    expect(await errorOf(authenticate(await key.sign()))).toBe('accepted')
  })

  it('does not count as a failure if the issuer does not answer', async () => {
    await new Promise((resolve) => issuer.close(resolve))
    const authenticate = anAuthenticator()
    expect(await errorOf(authenticate(await (await aKey('k1')).sign()))).toMatchObject({ fault: 'server' })
  })
})

describe('tokens with unknown keys', () => {
  it('cause one fetch in two seconds, and wait for it', async () => {
    publish(await aKey('k1'))
    const waits: number[] = []
    const keys = new IssuerKeys({
      url,
      steadyNow: () => steadyMs,
      onFailure: () => expect.unreachable(),
      wait: async (ms) => {
        waits.push(ms)
        steadyMs += ms
      },
    })
    const ask = (kid: string) => errorOf(keys.find({ alg: 'ES256', kid }))
    const unknown = { code: 'ERR_JWKS_NO_MATCHING_KEY' }
    expect(await ask('k1')).toBe('accepted')
    expect(await ask('a')).toMatchObject(unknown)
    expect({ fetches, waits }).toEqual({ fetches: 2, waits: [] })
    steadyMs = 500
    for (const answered of await Promise.all(['b', 'c', 'd'].map(ask)))
      expect(answered).toMatchObject(unknown)
    expect({ fetches, waits }).toEqual({ fetches: 3, waits: [1_500] })
  })
})
