import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { Browser } from '../../support/browser.ts'
import { eventually } from '../../support/conditions.ts'
import { refusePuts, useIndexedDb } from '../../support/indexed-db.ts'
import {
  aGroup,
  anEntry,
  describeCache,
  describeSharing,
  messages,
  openCache,
  profile,
} from './cache-contract.ts'

describeCache('a cache in IndexedDB', useIndexedDb)
describeSharing('caches in IndexedDB of several tabs', useIndexedDb)

describe('a cache whose IndexedDB fails', () => {
  it('opens after a reload with everything that was written', async () => {
    useIndexedDb()
    const before = openCache(new Browser().openTab())
    await before.open()
    before.put('profile', profile)
    before.put('outbox', anEntry('one', 1))
    before.putItems('team', messages('team', 1, 3), [1, 3])
    await before.close()
    const after = openCache(new Browser().openTab())
    expect(await after.open()).toMatchObject({ profile, outbox: [{ key: 'one' }] })
    expect(await after.older('team', 3, 10)).toMatchObject({ from: 1, to: 3 })
  })

  it('forgets items, not rows, when the quota is reached', async () => {
    useIndexedDb()
    const cache = openCache(new Browser().openTab())
    await cache.open()
    cache.put('profile', profile)
    for (const [at, groupId] of ['old', 'new'].entries()) {
      cache.put('groups', aGroup(groupId, 40, at))
      cache.putItems(groupId, messages(groupId, 1, 40), [1, 40])
    }
    await cache.flush()
    const restore = refusePuts('items')
    cache.put('outbox', anEntry('one', 1))
    cache.putItems('new', messages('new', 41, 70), [41, 70])
    await cache.flush()
    expect(await cache.older('old', 40, 1)).toBeNull()
    expect((await cache.open()).outbox).toHaveLength(1)
    restore()
    cache.putItems('new', messages('new', 71, 80), [71, 80])
    expect(await cache.older('new', 80, 20)).toMatchObject({ from: 71, to: 80 })
  })

  it('reads no items whose change could not be stored', async () => {
    useIndexedDb()
    const cache = openCache(new Browser().openTab())
    await cache.open()
    cache.putItems('team', messages('team', 1, 3), [1, 3])
    await cache.flush()
    const restore = refusePuts('all')
    onTestFinished(restore)
    cache.put('groups', aGroup('team', 4, 0))
    cache.changeItem('team', 2, (item) => item)
    expect(await cache.older('team', 3, 10)).toBeNull()
    restore()
    await cache.flush()
    expect(await cache.older('team', 3, 10)).toBeNull()
  })

  it('writes the rows that did not fit with the next write that succeeds', async () => {
    useIndexedDb()
    const browser = new Browser()
    const cache = openCache(browser.openTab())
    await cache.open()
    const restore = refusePuts('all')
    cache.put('profile', profile)
    cache.put('outbox', anEntry('one', 1))
    cache.putItems('team', messages('team', 1, 3), [1, 3])
    await cache.flush()
    expect((await cache.open()).outbox).toHaveLength(1)
    restore()
    cache.put('outbox', anEntry('two', 2))
    await cache.flush()
    const { outbox } = await openCache(new Browser().openTab()).open()
    expect(outbox.map(({ key }) => key)).toEqual(['one', 'two'])
  })

  it('repeats a write that failed after a delay that grows up to 30 s, until it succeeds', async () => {
    useIndexedDb()
    const clock = new ManualClock()
    const cache = openCache(new Browser().openTab(), undefined, clock)
    await cache.open()
    await cache.flush()
    const restore = refusePuts('all')
    onTestFinished(restore)
    cache.put('profile', profile)
    cache.put('outbox', anEntry('one', 1))
    await cache.flush()
    const delays: number[] = []
    for (let i = 0; i < 8; i++) {
      delays.push(...clock.dueInMs)
      clock.advance(clock.dueInMs[0] ?? 0)
      // The write that the timer began, and no other: only one timer runs at a time.
      await eventually(() => expect(clock.dueInMs).toHaveLength(1))
    }
    expect(delays).toEqual([550, 1_050, 2_050, 4_050, 8_050, 16_050, 30_050, 30_050])
    restore()
    clock.advance(30_050)
    await eventually(async () =>
      expect((await openCache(new Browser().openTab()).open()).outbox).toHaveLength(1),
    )
    expect(clock.dueInMs).toEqual([])
  })

  it('does not repeat a write that failed after it was closed', async () => {
    useIndexedDb()
    const clock = new ManualClock()
    const cache = openCache(new Browser().openTab(), undefined, clock)
    await cache.open()
    onTestFinished(refusePuts('all'))
    cache.put('profile', profile)
    await cache.flush()
    expect(clock.dueInMs).toEqual([550])
    await cache.close()
    expect(clock.dueInMs).toEqual([])
  })

  it('writes the file of an upload once, also after a write that failed', async () => {
    useIndexedDb()
    const cache = openCache(new Browser().openTab())
    await cache.open()
    cache.put('profile', profile)
    const upload = { uploadId: 'u', groupId: 'team', fileName: 'x', mimeType: '', blob: new Blob(['hello']) }
    const restore = refusePuts('files')
    cache.put('uploads', upload)
    await cache.flush()
    restore()
    cache.put('uploads', upload)
    await cache.flush()
    // From now on only the row is written.
    const restoreAgain = refusePuts('files')
    cache.put('uploads', { ...upload, isPaused: true })
    await cache.close()
    restoreAgain()
    const after = openCache(new Browser().openTab())
    const [stored] = (await after.open()).uploads
    expect([stored?.isPaused, await stored?.blob.text()]).toEqual([true, 'hello'])
    after.remove('uploads', 'u')
    await after.close()
    expect((await openCache(new Browser().openTab()).open()).uploads).toEqual([])
  })

  it('writes all rows again when the browser deleted the database', async () => {
    const factory = useIndexedDb()
    const cache = openCache(new Browser().openTab())
    await cache.open()
    cache.put('profile', profile)
    cache.put('outbox', anEntry('one', 1))
    cache.putItems('team', messages('team', 1, 3), [1, 3])
    await cache.flush()
    await new Promise((resolve) => {
      factory.deleteDatabase('test').onsuccess = resolve
    })
    cache.put('drafts', { groupId: 'team', text: 'Hello', at: 1 })
    await cache.flush()
    expect(await cache.older('team', 3, 10)).toBeNull()
    const state = await openCache(new Browser().openTab()).open()
    expect(state).toMatchObject({ profile, outbox: [{ key: 'one' }], drafts: [{ text: 'Hello' }] })
  })

  it('has what the leading tab changed last, although the browser aborted its transactions', async () => {
    useIndexedDb()
    const page = aPage()
    const cache = openCache(new Browser().openTab())
    await cache.open()
    cache.put('profile', profile)
    cache.lead(true)
    await cache.flush()
    const restore = refusePuts('all')
    cache.put('outbox', anEntry('one', 1))
    cache.put('drafts', { groupId: 'team', text: 'Hello', at: 1 })
    page.hide()
    await cache.flush()
    restore()

    const next = openCache(new Browser().openTab())
    const changes: unknown[] = []
    next.onShared(({ table, key }) => changes.push([table, key]))
    expect(await next.open()).toMatchObject({ outbox: [], drafts: [] })
    next.lead(true)
    expect(changes).toEqual([
      ['outbox', 'one'],
      ['drafts', 'team'],
    ])
    await next.flush()
    const later = openCache(new Browser().openTab())
    expect(await later.open()).toMatchObject({ outbox: [{ key: 'one' }], drafts: [{ text: 'Hello' }] })
    expect(page.stored.size).toBe(0)
  })

  it('continues in memory where the browser refuses databases', async () => {
    const factory = useIndexedDb()
    factory.open = () => {
      throw new DOMException('refused', 'SecurityError')
    }
    const cache = openCache(new Browser().openTab())
    await cache.open()
    cache.put('drafts', { groupId: 'team', text: 'Hello', at: 1 })
    cache.putItems('team', messages('team', 1, 3), [1, 3])
    expect(await cache.older('team', 3, 10)).toMatchObject({ from: 1, to: 3 })
    expect((await cache.open()).drafts).toHaveLength(1)
  })
})

/** A page that ends, with its `localStorage`. */
function aPage() {
  const stored = new Map<string, string>()
  const listeners: (() => void)[] = []
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  })
  vi.stubGlobal('addEventListener', (_: string, listener: () => void) => listeners.push(listener))
  vi.stubGlobal('removeEventListener', () => {})
  onTestFinished(() => void vi.unstubAllGlobals())
  return { stored, hide: () => listeners[0]?.() }
}
