/** The lead of a tab, over a store: one connection, whatever happens to the lock. */
import { expect, it } from 'vitest'
import { createMessageCache } from '../../../client/store/index.ts'
import { Browser } from '../../support/browser.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { aStoreStage, shown } from './harness.ts'

it('opens one connection when the lock was passed to it, stolen and passed again while it was frozen', async () => {
  useIndexedDb()
  const stage = await aStoreStage()
  const browser = new Browser()
  const open = () => {
    const tab = browser.openTab()
    const channel = tab.channel('store')
    const cache = createMessageCache({ name: 'lead', channel, clock: stage.clock.forClient })
    const store = stage.store('ana', { cache, tabs: { channel, locks: tab.locks } })
    const connections: string[] = []
    store.onDevtools(({ name }) => {
      if (name === 'connected') connections.push(name)
    })
    store.connect()
    return { tab, store, connections }
  }
  const bruno = await stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const first = open()
  await stage.settle()
  const frozen = open()
  await stage.settle()
  frozen.store.group('team').messages.subscribe(() => {})
  frozen.tab.freeze()
  first.tab.crash()
  const thief = open()
  await stage.settle(20_000)
  thief.tab.crash()
  stage.offline('ana')
  await stage.settle(20_000)
  stage.online('ana')
  frozen.connections.length = 0
  frozen.tab.thaw()
  frozen.store.group('team').send({ content: 'Hello' })
  await stage.settle(20_000)
  expect(frozen.connections).toHaveLength(1)
  expect(shown(frozen.store.group('team').messages.getSnapshot())).toEqual(['Hello sent'])
})
