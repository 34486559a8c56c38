import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../engine/engine.ts'
import { ChatError } from '../../../protocol/errors.ts'
import { AddressGuard } from '../../../server/address-guard.ts'
import { resolveSettings } from '../../../server/config.ts'
import type { HttpCall } from '../../../server/http/router.ts'
import { trialKey, trialRoutes } from '../../../server/http/trial-routes.ts'

const jwtSecret = 'a secret for tests, of 32 bytes and more'

function harness(given: Parameters<typeof resolveSettings>[0] = {}) {
  const settings = resolveSettings({ jwtSecret, nodeEnv: 'development', ...given })
  const guard = new AddressGuard({ perMinute: 3, maxAddresses: 10, now: () => 0 })
  const requests: string[] = []
  const engine = {
    request: async (user: { userId: string }, name: string) => {
      requests.push(`${user.userId} ${name}`)
      if (name === 'create_group' && requests.length > 1) throw new ChatError('already_exists')
    },
  } as unknown as Pick<Engine, 'request'>
  const [get, post] = trialRoutes({ settings, guard, engine })
  const call = (body: unknown, more: Partial<HttpCall> = {}): HttpCall => ({
    address: '203.0.113.5',
    params: [],
    query: new URLSearchParams(),
    authorization: '',
    idempotencyKey: '',
    headers: { host: 'chat.example' },
    body: Buffer.from(JSON.stringify(body)),
    ...more,
  })
  const enabled = async (more: Partial<HttpCall> = {}) => {
    const reply = await get?.handle(call({}, more))
    return (JSON.parse(String(reply?.body)) as { enabled: boolean }).enabled
  }
  const enter = async (body: unknown, more: Partial<HttpCall> = {}) => {
    const reply = await post?.handle(call(body, more))
    return JSON.parse(String(reply?.body)) as { userId: string; token: string }
  }
  return { settings, enabled, enter, requests }
}

const local = { address: '127.0.0.1', headers: { host: 'localhost:4040' } }

describe('trial sign-in', () => {
  it('gives a token for a name to this machine, and to callers with the key of the link', async () => {
    const { settings, enabled, enter } = harness()
    const key = trialKey(settings) ?? ''
    expect(await enabled(local)).toBe(true)
    expect((await enter({ name: 'Ana Conceição' }, local)).userId).toBe('ana-conceicao')
    expect(await enabled({ query: new URLSearchParams({ key }) })).toBe(true)
    const { userId, token } = await enter({ name: '李雷', key })
    expect(userId).toMatch(/^user-[0-9a-f]{12}$/)
    expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      sub: userId,
      name: '李雷',
    })
  })

  it('makes all of them members of one group', async () => {
    const { enter, requests } = harness()
    for (const name of ['Ana', 'Rui']) await enter({ name }, local)
    expect(requests).toEqual(['ana create_group', 'rui create_group', 'rui join_group'])
  })

  it('refuses others, and an address after some attempts', async () => {
    const { enabled, enter } = harness()
    expect(await enabled()).toBe(false)
    const attempts = [undefined, 'x', 7, 'y'].map((key) => enter({ name: 'Ana', key }))
    for (const attempt of attempts.slice(0, 3))
      await expect(attempt).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(attempts[3]).rejects.toMatchObject({ code: 'rate_limited' })
    // A page whose DNS name points to this machine, and a proxy on it.
    for (const headers of [
      { host: 'evil.example' },
      { host: 'localhost', 'x-forwarded-for': '203.0.113.5' },
    ]) {
      expect(await enabled({ address: '127.0.0.1', headers })).toBe(false)
    }
  })

  it('is off in production, and where an issuer signs the tokens', async () => {
    for (const given of [
      { nodeEnv: 'production' },
      { jwtSecret: undefined, jwtJwksUrl: 'https://issuer.example/keys' },
    ]) {
      const { settings, enabled, enter } = harness(given)
      expect(trialKey(settings)).toBeNull()
      expect(await enabled(local)).toBe(false)
      await expect(enter({ name: 'Ana' }, local)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('refuses invalid names', async () => {
    const { enter } = harness()
    for (const name of ['', 'x'.repeat(2_000), 5, null, undefined]) {
      await expect(enter({ name }, local)).rejects.toMatchObject({ code: 'bad_request', field: 'name' })
    }
  })
})
