/**
 * The contract of a message cache, for each of its databases.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { createMessageCache } from '../../../client/store/cache/batched-cache.ts'
import type {
  CachedGroup,
  CachedItem,
  MessageCache,
  OutboxEntry,
  SharedChange,
} from '../../../client/store/cache/message-cache.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { Browser, type Tab } from '../../support/browser.ts'

export const profile = { userId: 'ana', name: 'Ana', limits: null }

export function aGroup(groupId: string, lastSeq: number, lastActivityAt = lastSeq): CachedGroup {
  return {
    groupId,
    lastSeq,
    lastActivityAt,
    group: {
      groupId,
      kind: 'group',
      visibility: 'private',
      createdBy: 'ana',
      createdAt: 1,
      memberCount: 2,
      lastSeq,
    },
    unread: 0,
    mentions: 0,
  }
}

function aMessage(groupId: string, seq: number, content = `${seq}`): CachedItem {
  return {
    groupId,
    seq,
    message: {
      messageId: `${groupId}:${seq}`,
      groupId,
      seq,
      senderId: 'bo',
      senderName: 'Bo',
      type: 'text',
      content,
      createdAt: seq,
    },
  }
}

export function messages(groupId: string, from: number, to: number): readonly CachedItem[] {
  return Array.from({ length: to - from + 1 }, (_, index) => aMessage(groupId, from + index))
}

export function anEntry(key: string, order: number): OutboxEntry {
  return { key, groupId: 'team', order, createdAt: order, request: 'send_message', fields: { content: key } }
}

export function openCache(tab: Tab, maxItems?: number, clock = new ManualClock()): MessageCache {
  return createMessageCache({ name: 'test', channel: tab.channel('test'), clock: clock.forClient, maxItems })
}

const seqs = (page: { readonly items: readonly CachedItem[] } | null) => page?.items.map(({ seq }) => seq)

/** `prepare` runs before each test. */
export function describeCache(name: string, prepare: () => unknown): void {
  describe(name, () => {
    let cache: MessageCache
    beforeEach(async () => {
      await prepare()
      cache = openCache(new Browser().openTab())
      await cache.open()
    })

    it('opens empty', async () => {
      expect(await cache.open()).toEqual({ profile: null, groups: [], outbox: [], drafts: [], uploads: [] })
    })

    it('opens with the newest rows, the outbox in its order', async () => {
      cache.put('profile', profile)
      cache.put('groups', aGroup('team', 4))
      cache.put('outbox', anEntry('second', 2))
      cache.put('outbox', anEntry('first', 1))
      cache.put('outbox', anEntry('sent', 0))
      cache.put('drafts', { groupId: 'team', text: 'Hel', at: 1 })
      await cache.flush()
      cache.put('drafts', { groupId: 'team', text: 'Hello', at: 2 })
      cache.remove('outbox', 'sent')
      await cache.flush()
      const state = await cache.open()
      expect(state.profile).toEqual(profile)
      expect(state.groups).toEqual([aGroup('team', 4)])
      expect(state.outbox.map(({ key }) => key)).toEqual(['first', 'second'])
      expect(state.drafts).toEqual([{ groupId: 'team', text: 'Hello', at: 2 }])
    })

    it('opens with the bytes of an upload', async () => {
      const blob = new Blob(['bytes'])
      cache.put('uploads', {
        uploadId: 'u',
        groupId: 'team',
        fileName: 'a.txt',
        mimeType: 'text/plain',
        blob,
      })
      await cache.flush()
      const { uploads } = await cache.open()
      expect(await uploads[0]?.blob.text()).toBe('bytes')
    })

    it('reads the newest items of a group, and pages to both sides', async () => {
      cache.putItems('team', messages('team', 1, 100), [1, 100])
      expect(seqs(await cache.older('team', 100, 3))).toEqual([98, 99, 100])
      expect(await cache.older('team', 97, 3)).toMatchObject({ from: 95, to: 97 })
      expect(seqs(await cache.newer('team', 4, 2))).toEqual([4, 5])
      expect(await cache.newer('team', 99, 50)).toMatchObject({ from: 99, to: 100 })
    })

    it('reads sparse seqs, whose other events show nothing', async () => {
      const sparse = [1, 500, 2_000, 9_000].map((seq) => aMessage('team', seq))
      cache.putItems('team', sparse, [1, 9_100])
      expect(await cache.older('team', 9_100, 3)).toMatchObject({ from: 500, to: 9_100 })
      expect(seqs(await cache.older('team', 499, 3))).toEqual([1])
    })

    it('answers null outside of the known ranges, and stops at their ends', async () => {
      cache.putItems('team', messages('team', 1, 5), [1, 5])
      cache.putItems('team', messages('team', 10, 12), [8, 12])
      expect(await cache.older('team', 6, 5)).toBeNull()
      expect(await cache.older('other', 1, 5)).toBeNull()
      expect(await cache.older('team', 12, 5)).toMatchObject({ from: 8, to: 12 })
      expect(await cache.newer('team', 3, 50)).toMatchObject({ from: 3, to: 5 })
      cache.putItems('team', messages('team', 6, 7), [6, 7])
      expect(await cache.older('team', 12, 50)).toMatchObject({ from: 1, to: 12 })
    })

    it('advances a range by an event that shows nothing', async () => {
      cache.putItems('team', messages('team', 1, 2), [1, 2])
      cache.putItems('team', [aMessage('team', 1, 'edited')], [3, 3])
      const page = await cache.older('team', 3, 10)
      expect(page).toMatchObject({ from: 1, to: 3 })
      expect(page?.items[0]).toMatchObject({ message: { content: 'edited' } })
    })

    it('replaces known items only', async () => {
      cache.putItems('team', messages('team', 5, 6), [5, 6])
      cache.putItems('team', [aMessage('team', 5, 'edited'), aMessage('team', 2, 'unknown')])
      cache.putItems('team', [aMessage('team', 4)], [3, 4])
      cache.putItems('team', [], [1, 2])
      const page = await cache.older('team', 6, 10)
      expect(seqs(page)).toEqual([4, 5, 6])
      expect(page?.items[1]).toMatchObject({ message: { content: 'edited' } })
    })

    it('changes a stored item, after what was put before', async () => {
      cache.putItems('team', messages('team', 1, 2), [1, 2])
      const change = (item: CachedItem) => aMessage('team', item.seq, 'edited')
      cache.changeItem('team', 2, change)
      cache.changeItem('team', 3, change)
      cache.putItems('team', [], [3, 4])
      const page = await cache.older('team', 4, 10)
      expect(seqs(page)).toEqual([1, 2])
      expect(page?.items[1]).toMatchObject({ message: { content: 'edited' } })
    })

    it('forgets the items of a group, also those that are not written yet, and not the group', async () => {
      cache.put('groups', aGroup('team', 4))
      cache.putItems('team', messages('team', 1, 3), [1, 3])
      await cache.flush()
      cache.putItems('team', messages('team', 4, 4), [4, 4])
      cache.forget('team')
      expect(await cache.older('team', 4, 10)).toBeNull()
      expect(await cache.older('team', 3, 10)).toBeNull()
      cache.putItems('team', messages('team', 5, 5), [5, 5])
      expect(await cache.older('team', 5, 10)).toMatchObject({ from: 5, to: 5 })
      expect((await cache.open()).groups).toHaveLength(1)
    })

    it('removes the items of a group with it, not those of the next time in it', async () => {
      cache.putItems('team', messages('team', 1, 3), [1, 3])
      await cache.flush()
      cache.remove('groups', 'team')
      cache.putItems('team', messages('team', 9, 9), [9, 9])
      expect(await cache.older('team', 3, 10)).toBeNull()
      expect(seqs(await cache.older('team', 9, 10))).toEqual([9])
    })

    it('forgets the items of the least recently active groups above the bound', async () => {
      cache = openCache(new Browser().openTab(), 1_000)
      for (const [at, groupId] of ['old', 'middle', 'new'].entries()) {
        cache.put('groups', aGroup(groupId, 400, at))
        cache.putItems(groupId, messages(groupId, 1, 400), [1, 400])
      }
      cache.put('drafts', { groupId: 'old', text: 'a draft', at: 1 })
      await cache.flush()
      expect(await cache.older('old', 400, 1)).toBeNull()
      expect(seqs(await cache.older('middle', 400, 1))).toEqual([400])
      expect(await cache.newer('new', 1, 400)).toMatchObject({ from: 1, to: 400 })
      const { groups, drafts } = await cache.open()
      expect(groups).toHaveLength(3)
      expect(drafts).toHaveLength(1)
    })

    it('forgets the oldest items of a single group above the bound', async () => {
      cache = openCache(new Browser().openTab(), 1_000)
      cache.put('groups', aGroup('team', 1_200))
      cache.putItems('team', messages('team', 1, 1_200), [1, 1_200])
      await cache.flush()
      expect(await cache.older('team', 400, 1)).toBeNull()
      expect(await cache.older('team', 1_200, 2_000)).toMatchObject({ from: 401, to: 1_200 })
    })

    it('is empty after a wipe, and starts again', async () => {
      cache.put('profile', profile)
      cache.put('drafts', { groupId: 'team', text: 'Hello', at: 1 })
      cache.putItems('team', messages('team', 1, 3), [1, 3])
      await cache.flush()
      cache.put('outbox', anEntry('waiting', 1))
      await cache.wipe()
      expect(await cache.open()).toMatchObject({ profile: null, outbox: [], drafts: [] })
      expect(await cache.older('team', 3, 1)).toBeNull()
      cache.put('profile', { ...profile, userId: 'bo' })
      await cache.flush()
      expect((await cache.open()).profile?.userId).toBe('bo')
    })

    it('is wiped when another user opens it, or signs in', async () => {
      const drafted = async (userId: string) => {
        cache.put('profile', { ...profile, userId })
        cache.put('drafts', { groupId: 'team', text: userId, at: 1 })
        await cache.flush()
      }
      await drafted('ana')
      expect((await cache.open('ana')).drafts).toHaveLength(1)
      expect((await cache.open('bo')).drafts).toEqual([])
      await drafted('bo')
      cache.put('profile', { ...profile, userId: 'cleo' })
      expect(await cache.open()).toMatchObject({ profile: { userId: 'cleo' }, drafts: [] })
    })

    it('writes at most every 50 milliseconds', async () => {
      const clock = new ManualClock()
      cache = createMessageCache({
        name: 'test',
        channel: new Browser().openTab().channel('test'),
        clock: clock.forClient,
      })
      cache.put('drafts', { groupId: 'a', text: '1', at: 1 })
      clock.advance(0)
      await cache.older('a', 1, 1)
      cache.put('drafts', { groupId: 'a', text: '2', at: 2 })
      expect(clock.dueInMs).toEqual([50])
    })
  })
}

/** Tabs that share one database. */
export function describeSharing(name: string, prepare: () => unknown): void {
  describe(name, () => {
    let browser: Browser
    let first: MessageCache
    let second: MessageCache
    const received: SharedChange[] = []
    beforeEach(async () => {
      await prepare()
      browser = new Browser()
      first = openCache(browser.openTab())
      await first.open()
      second = openCache(browser.openTab())
      await second.open()
      received.length = 0
      second.onShared(({ table, key, row }) => received.push({ table, key, row } as SharedChange))
    })

    it('passes changes of the shared tables to the other tabs, in order', async () => {
      const draft = { groupId: 'team', text: 'Hello', at: 1 }
      first.put('drafts', draft)
      first.put('outbox', anEntry('one', 1))
      first.put('groups', aGroup('team', 1))
      first.remove('outbox', 'one')
      await Promise.resolve()
      expect(received).toEqual([
        { table: 'drafts', key: 'team', row: draft },
        { table: 'outbox', key: 'one', row: anEntry('one', 1) },
        { table: 'outbox', key: 'one', row: undefined },
      ])
    })

    it('opens with changes that another tab did not write yet', async () => {
      first.put('outbox', anEntry('one', 1))
      const third = openCache(browser.openTab())
      await third.open()
      expect((await third.open()).outbox).toEqual([anEntry('one', 1)])
    })

    it('does not let an older change of another tab replace a newer one', async () => {
      const tab = browser.openTab()
      const slow = openCache(tab)
      await slow.open()
      first.put('drafts', { groupId: 'team', text: 'Hel', at: 1 })
      await Promise.resolve()
      tab.freeze()
      first.put('drafts', { groupId: 'team', text: 'Hello', at: 2 })
      second.remove('drafts', 'team')
      tab.thaw()
      await Promise.resolve()
      await Promise.resolve()
      await Promise.all([first.flush(), second.flush()])
      expect((await first.open()).drafts).toEqual((await slow.open()).drafts)
    })

    it('is wiped in all tabs, with what they did not write yet', async () => {
      let wiped = 0
      second.onWiped(() => (wiped += 1))
      first.put('profile', profile)
      second.put('profile', profile)
      await Promise.all([first.flush(), second.flush()])
      second.put('drafts', { groupId: 'team', text: 'secret', at: 1 })
      await first.wipe()
      await second.flush()
      expect(wiped).toBe(1)
      expect(await first.open()).toMatchObject({ profile: null, drafts: [] })
      expect(await second.open()).toMatchObject({ profile: null, drafts: [] })
    })
  })
}
