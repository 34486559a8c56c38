/**
 * What the tests of the store's cache and tabs load into a page.
 */
import { createMessageCache } from '../../../client/store/cache/batched-cache.ts'
import { openTabChannel } from '../../../client/store/tab-channel.ts'
import { webLocks } from '../../../client/store/tab-locks.ts'
import { Tabs } from '../../../client/store/tabs.ts'
import { describeCache, describeSharing } from '../../client/store/cache-contract.ts'
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

/** The drafts of the cache; with `text`, one more, and the page is loaded again before this function returns. */
export async function drafts(text?: string): Promise<readonly string[]> {
  const cache = createMessageCache({ name: 'drafts', channel: openTabChannel('drafts') })
  const state = await cache.open()
  if (text !== undefined) {
    cache.put('drafts', { groupId: 'first', text, at: 1 })
    await cache.flush()
    cache.put('drafts', { groupId: 'second', text, at: 1 })
    location.reload()
  }
  return state.drafts.map((draft) => draft.text)
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
