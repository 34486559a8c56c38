/**
 * What the tests of the store's cache and tabs load into a page.
 */
import { createMessageCache } from '../../../client/store/cache/batched-cache.ts'
import type { CachedMessage } from '../../../client/store/cache/message-cache.ts'
import { openTabChannel } from '../../../client/store/tab-channel.ts'
import { webLocks } from '../../../client/store/tab-locks.ts'
import { Tabs } from '../../../client/store/tabs.ts'
import {
  aGroup,
  describeCache,
  describeSharing,
  messages,
  profile,
} from '../../client/store/cache-contract.ts'
import { runTests } from './page-vitest.ts'

const prepare = () =>
  new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase('test')
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })

/** Runs the contract on the IndexedDB of the browser. */
export function runContract(): ReturnType<typeof runTests> {
  describeCache('a cache', prepare)
  describeSharing('caches of several tabs', prepare)
  return runTests()
}

/** A cache of the browser, with 2,000 long messages in two groups if it is new. */
export async function openCache() {
  const cache = createMessageCache({ name: 'device', channel: openTabChannel('device') })
  const state = await cache.open()
  const drafts = () => state.drafts.map(({ text }) => text)
  const setDraft = (groupId: string, text: string) => cache.put('drafts', { groupId, text, at: 1 })
  const has = async (groupId: string) => (await cache.older(groupId, 1_000, 1)) !== null
  const fill = async () => {
    cache.put('profile', profile)
    for (const [at, groupId] of ['old', 'new'].entries()) {
      cache.put('groups', aGroup(groupId, 1_000, at))
      for (const item of messages(groupId, 1, 1_000)) {
        const content = Array.from({ length: 50 }, () => crypto.randomUUID()).join()
        const message = { ...('message' in item && item.message), content } as CachedMessage['message']
        cache.putItems(groupId, [{ ...item, message }], [item.seq, item.seq])
      }
      await cache.flush()
    }
  }
  return { cache, drafts, setDraft, has, fill }
}

/** Joins the tabs of the browser. */
export function openTabs() {
  const log: string[] = []
  const clock = {
    now: () => performance.now(),
    after(delayMs: number, then: () => void) {
      const timer = setTimeout(then, delayMs)
      return () => clearTimeout(timer)
    },
    random: () => 1,
  }
  const tabs = new Tabs<string, string>({
    name: 'test',
    channel: openTabChannel('test'),
    locks: webLocks,
    clock,
    timeoutMs: 30_000,
    lead: () => log.push('lead'),
    follow: () => log.push('follow'),
    answer: async (name) => `${name} answered`,
    prepare: async () => 'state',
    join: async (state) => void log.push(`join ${state}`),
    event: (event) => log.push(event),
    isRepeatable: () => true,
  })
  tabs.start()
  return { tabs, log }
}
