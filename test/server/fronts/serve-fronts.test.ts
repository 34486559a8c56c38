import { describe, expect, it } from 'vitest'
import { type ServeFrontsOptions, serveFronts } from '../../../server/fronts/serve-fronts.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'

const key = 'a key of the engine and its fronts, for tests'

describe('serveFronts refuses', () => {
  const refused: readonly (readonly [string, object, RegExp])[] = [
    ['no key', { key: undefined }, /^key must be a text of at least 32 characters: LINK_KEY of the fronts$/],
    [
      'a short key, which it does not show',
      { key: 'short-and-secret' },
      /^(?!.*short-and-secret).*at least 32/,
    ],
    ['an unknown option', { ratelimit: 5 }, /^unknown option: ratelimit; known options: address, key/],
    ['a negative limit', { rateLimit: -1 }, /^rateLimit must be an integer from 0 \(got -1\)$/],
    ['no session', { maxSessionsPerUser: 0 }, /^maxSessionsPerUser must be an integer from 1/],
    ['half a certificate', { tls: { cert: 'x' } }, /^tls must be an object with the PEM texts cert and key/],
    ['an address of no form', { address: 'localhost' }, /^a link address is unix:\/path/],
  ]

  it.each(refused)('%s', async (_, wrong, message) => {
    const engine = await startInline()
    const options = { address: `unix:${temporaryFolder()}/link.sock`, key, ...wrong } as ServeFrontsOptions
    await expect(serveFronts(engine, options)).rejects.toThrow(message)
  })
})
