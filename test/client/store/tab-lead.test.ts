/** The lead of a tab, over a store: one connection, whatever happens to the lock. */
import { expect, it } from 'vitest'
import { createMessageCache } from '../../../client/store/index.ts'
import { Browser } from '../../support/browser.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { aStoreStage, shown } from './harness.ts'

it('sends the outbox when the lock was passed to it, stolen and passed again while it was frozen', async () => {
  useIndexedDb()
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
    const store = stage.store('ana', { clock, cache, tabs: { channel, locks: tab.locks } })
    store.connect()
    return { tab, store }
  }
  const bruno = await stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
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
