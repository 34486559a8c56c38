/** The lead of a tab, over a store: one connection, whatever happens to the lock. */
import { expect, it, onTestFinished } from 'vitest'
import { createMessageCache } from '../../../client/store/index.ts'
import { Browser } from '../../support/browser.ts'
import { eventually } from '../../support/conditions.ts'
import { refusePuts, useIndexedDb } from '../../support/indexed-db.ts'
import { aStoreStage, messagesOf, shown } from './harness.ts'

/** A connected store in each tab that `open` opens, before one engine. */
async function startBrowser() {
  const stage = await aStoreStage()
  const browser = new Browser()
  const open = () => {
    const tab = browser.openTab()
    const channel = tab.channel('store')
    const { forClient } = stage.clock
    // The timers of a tab end with it.
    const after = (ms: number, then: () => void) => forClient.after(ms, () => tab.isOpen && then())
    const clock = { ...forClient, after }
    const cache = createMessageCache({ name: 'lead', channel, clock })
    const tabs = { channel, locks: tab.locks }
    const store = stage.store('ana', { userId: undefined, clock, cache, tabs })
    store.connect()
    return { tab, store, cache }
  }
  const bruno = await stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  return { stage, open, bruno }
}

it('sends the outbox when the lock was passed to it, stolen and passed again while it was frozen', async () => {
  useIndexedDb()
  const { stage, open } = await startBrowser()
  const first = open()
  await stage.settle()
  const frozen = open()
  await stage.settle()
  frozen.store.group('team').messages.subscribe(() => {})
  stage.offline('ana')
  frozen.store.group('team').send({ content: 'Hello' })
  await stage.settle()
  frozen.tab.freeze()
  first.tab.crash()
  const thief = open()
  await stage.settle(20_000)
  thief.tab.crash()
  frozen.tab.thaw()
  stage.online('ana')
  await stage.settle(60_000)
  expect(shown(frozen.store.group('team').messages.getSnapshot())).toEqual(['Hello sent'])
})

it('passes its groups to a tab that joins while they cannot be stored', async () => {
  useIndexedDb()
  const { stage, open, bruno } = await startBrowser()
  const texts = Array.from({ length: 60 }, (_, at) => `message ${at}`)
  for (const content of texts) await bruno.sendMessage({ groupId: 'team', content, tempId: content })
  const { store, cache } = open()
  const leading = store.group('team')
  leading.messages.subscribe(() => {})
  await stage.settle()
  await leading.loadOlder()
  await cache.flush()
  const endQuota = refusePuts('all')
  onTestFinished(endQuota)
  const [first] = messagesOf(leading.messages.getSnapshot().items)
  await bruno.editMessage({ messageId: first?.messageId ?? '', content: 'edited' })
  await bruno.sendMessage({ groupId: 'team', content: 'new', tempId: 'new' })
  await stage.settle()

  const following = open().store
  // From then on it can store what it reads beside what is outdated.
  following.connection.subscribe(() => {
    if (following.connection.getSnapshot().state === 'live') endQuota()
  })
  const joined = following.group('team')
  joined.messages.subscribe(() => {})
  await eventually(async () => {
    await stage.settle()
    expect(shown(joined.messages.getSnapshot()).at(-1)).toBe('new sent')
  })
  await joined.loadOlder()
  const expected = ['edited', ...texts.slice(1), 'new'].map((content) => `${content} sent`)
  expect(shown(joined.messages.getSnapshot())).toEqual(expected)
})

it('passes the user to a tab that joins without a database', async () => {
  const { stage, open } = await startBrowser()
  open()
  await stage.settle()
  const joined = open().store
  await stage.settle()
  expect(joined.me.getSnapshot().userId).toBe('ana')
})
