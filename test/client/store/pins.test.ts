/** Pinned messages: the latest pin first, in every tab and session of a user, as the server lists them (PAG-1). */
import { beforeEach, expect, it } from 'vitest'
import type { ChatStore } from '../../../client/store/chat-store.ts'
import { createMessageCache } from '../../../client/store/index.ts'
import { Browser } from '../../support/browser.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { text } from '../../support/sessions.ts'
import { aStoreStage } from './harness.ts'

beforeEach(() => void useIndexedDb())

const pinsOf = (store: ChatStore) =>
  store
    .group('team')
    .pins.getSnapshot()
    .pins.map(({ content }) => content)

/** Ana's browser, in which the first tab leads, and Bruno's session; they have a group with messages. */
async function aGroup(contents: readonly string[]) {
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  await stage.engine.connect({ userId: 'ana', name: 'Ana' })
  const group = { kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] } as const
  await bruno.createGroup(group)
  await bruno.setRole({ groupId: 'team', userId: 'ana', role: 'admin' })
  const ids = new Map<string, string>()
  for (const content of contents) {
    ids.set(content, (await bruno.sendMessage(text('team', content))).message.messageId)
  }
  const browser = new Browser()
  const open = async (): Promise<ChatStore> => {
    const tab = browser.openTab()
    const channel = tab.channel('pins')
    const cache = createMessageCache({ name: 'pins', channel, clock: stage.clock.forClient })
    const store = stage.store('ana', { cache, tabs: { channel, locks: tab.locks } })
    store.connect()
    await stage.settle()
    return store
  }
  return { stage, bruno, open, idOf: (content: string) => ids.get(content) ?? '' }
}

it('are listed alike by those who pin, in other tabs and sessions, and after a reload', async () => {
  const contents = ['0', '1', '2', '3', '4']
  const { stage, bruno, open, idOf } = await aGroup(contents)
  const leading = await open()
  const following = await open()
  const other = await stage.liveStore('bruno')
  const stores = [leading, following, other]
  for (const store of stores) store.group('team').pins.subscribe(() => {})
  // The messages are on show in one of them.
  following.group('team').messages.subscribe(() => {})
  await stage.settle()
  const pin = (store: ChatStore, content: string) => {
    void store.group('team').pin(idOf(content))
    return stage.settle()
  }
  await pin(leading, '3')
  await pin(following, '0')
  await pin(other, '4')
  await bruno.pinMessage({ messageId: idOf('1') })
  await stage.settle()
  for (const store of stores) expect(pinsOf(store)).toEqual(['1', '4', '0', '3'])
  void following.group('team').unpin(idOf('0'))
  await stage.settle()
  await pin(leading, '2')
  await pin(following, '0')
  const right = ['0', '2', '1', '4', '3']
  for (const store of stores) expect(pinsOf(store)).toEqual(right)
  const reloaded = await open()
  reloaded.group('team').pins.subscribe(() => {})
  await stage.settle()
  expect(pinsOf(reloaded)).toEqual(right)
})

it('include what is pinned while several pages of them are loaded', async () => {
  // Large, so that one answer does not list them all.
  const contents = Array.from({ length: 60 }, (_, n) => `${n} ${'x'.repeat(30_000)}`)
  const { stage, bruno, open, idOf } = await aGroup(contents)
  const early = contents.slice(0, -1)
  const late = contents.at(-1) ?? ''
  for (const content of early) await bruno.pinMessage({ messageId: idOf(content) })
  const store = await open()
  store.group('team').messages.subscribe(() => {})
  await stage.settle()
  let requests = 0
  store.onDevtools(({ what, name }) => {
    if (what !== 'request' || name !== 'get_pins') return
    requests += 1
    if (requests === 2) void bruno.pinMessage({ messageId: idOf(late) })
  })
  store.group('team').pins.subscribe(() => {})
  await stage.settle()
  expect(requests).toBeGreaterThan(2)
  expect(pinsOf(store)).toEqual([late, ...early.reverse()])
})
