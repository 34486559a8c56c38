import { expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../../client/clock.ts'
import { createMessageCache } from '../../../client/store/cache/batched-cache.ts'
import { forgetOthers } from '../../../client/store/cache/other-users.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { profile } from './cache-contract.ts'

const channel = { post() {}, listen: () => () => {}, close() {} }

/** Stores a profile under that name, and closes the cache. */
async function stored(name: string): Promise<void> {
  const cache = createMessageCache({ name, channel, clock: systemClock })
  await cache.open()
  cache.put('profile', profile)
  await cache.close()
}

async function names(factory: IDBFactory): Promise<string[]> {
  return (await factory.databases()).map(({ name = '' }) => name).sort()
}

it('deletes what is stored for other users of the server, except for those with an open tab', async () => {
  const factory = useIndexedDb()
  const query = async () => ({ held: [{ name: 'tertulia https://a clara' }], pending: [] })
  vi.stubGlobal('navigator', { locks: { query } })
  onTestFinished(() => void vi.unstubAllGlobals())
  const own = 'tertulia https://a ana'
  const others = ['tertulia https://a anabel', 'tertulia https://a clara', 'tertulia https://a/b eva']
  for (const name of [own, ...others, 'of the page']) await stored(name)
  await forgetOthers('tertulia https://a ', own)
  await expect.poll(() => names(factory)).toEqual(['of the page', own, others[1], others[2]])
})

it('does nothing without databases', async () => {
  await forgetOthers('tertulia https://a ', 'tertulia https://a ana')
})
