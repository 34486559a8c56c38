import { expect, it } from 'vitest'
import type { ChatStore } from '../../../client/store/chat-store.ts'
import { createMessageCache } from '../../../client/store/index.ts'
import { Browser } from '../../support/browser.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { aStoreStage, messagesOf, shown } from './harness.ts'

const alone = { post: () => {}, listen: () => () => {}, close: () => {} }

it('shows why a message was refused, sends it again, and discards it', async () => {
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  await bruno.muteMember({ groupId: 'team', userId: 'ana' })
  const ana = await stage.liveStore('ana')
  const group = ana.group('team')
  group.messages.subscribe(() => {})
  const key = group.send({ content: 'one' })
  const second = group.send({ content: 'two' })
  expect(shown(group.messages.getSnapshot())).toEqual(['one pending', 'two pending'])
  await stage.settle()
  expect(shown(group.messages.getSnapshot())).toEqual(['one failed', 'two failed'])
  expect(messagesOf(group.messages.getSnapshot().items)[0]?.failure).toMatchObject({ code: 'muted' })
  expect(group.info.getSnapshot()).toMatchObject({ pending: 0, failed: 2 })
  await bruno.muteMember({ groupId: 'team', userId: 'ana', until: 0 })
  group.retry(key)
  group.discard(second)
  await stage.settle()
  const items = messagesOf(group.messages.getSnapshot().items)
  expect(items.map(({ content, state, key: own }) => [content, state, own])).toEqual([['one', 'sent', key]])
})

it('shows changes at once, and takes them back with the reason', async () => {
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const { message } = await bruno.sendMessage({ groupId: 'team', content: 'mine', tempId: 'b' })
  const ana = await stage.liveStore('ana')
  const group = ana.group('team')
  group.messages.subscribe(() => {})
  group.send({ content: 'one' })
  await stage.settle()
  const item = (at: number) => messagesOf(group.messages.getSnapshot().items)[at]
  const edit = group.edit(item(1)?.messageId ?? '', 'two')
  expect(item(1)).toMatchObject({ content: 'two', changing: true })
  await stage.settle()
  await edit
  expect(item(1)).toMatchObject({ content: 'two', changing: false })
  const refused = expect(group.edit(message.messageId, 'stolen')).rejects.toMatchObject({ code: 'not_yours' })
  expect(item(0)).toMatchObject({ content: 'stolen', changing: true })
  await stage.settle()
  await refused
  expect(item(0)).toMatchObject({ content: 'mine', changing: false })
  const reaction = group.react(message.messageId, '👍')
  expect(item(0)?.reactions).toEqual([{ emoji: '👍', userIds: ['ana'], count: 1 }])
  await stage.settle()
  await reaction
  expect(item(0)?.reactions).toEqual([{ emoji: '👍', userIds: ['ana'], count: 1 }])
  const renamed = expect(group.update({ name: 'Mine' })).rejects.toMatchObject({ code: 'role_needed' })
  expect(group.info.getSnapshot()?.title).toBe('Mine')
  await stage.settle()
  await renamed
  expect(group.info.getSnapshot()?.title).toBe('Team')
  const deleted = group.delete(item(1)?.messageId ?? '')
  expect(item(1)).toMatchObject({ content: '', changing: true })
  await stage.settle()
  await deleted
  expect(item(1)?.deletedBy).toBe('ana')
})

it('sends what was written offline after a reload, once and in order, with its changes', async () => {
  useIndexedDb()
  const stage = await aStoreStage({ dataDir: temporaryFolder() })
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const { message } = await bruno.sendMessage({ groupId: 'team', content: 'hi', tempId: 'b' })
  const cache = () => createMessageCache({ name: 'a', channel: alone, clock: stage.clock.forClient })
  const first = await stage.liveStore('ana', { cache: cache() })
  first.group('team').messages.subscribe(() => {})
  await stage.settle()
  stage.offline('ana')
  await stage.settle(0)
  for (const content of ['one', 'two', 'three']) first.group('team').send({ content })
  first
    .group('team')
    .react(message.messageId, '👍')
    .catch(() => {})
  first.group('team').setDraft('half a thought')
  await stage.settle(100)
  await first.close()
  const second = stage.store('ana', { cache: cache() })
  const group = second.group('team')
  group.messages.subscribe(() => {})
  await second.open()
  await stage.settle()
  expect(shown(group.messages.getSnapshot())).toEqual([
    'hi sent',
    'one pending',
    'two pending',
    'three pending',
  ])
  expect(messagesOf(group.messages.getSnapshot().items)[0]).toMatchObject({ changing: true })
  expect(group.info.getSnapshot()).toMatchObject({ draft: 'half a thought', pending: 3 })
  stage.online('ana')
  second.connect()
  await stage.settle(2_000)
  const { messages } = await bruno.getHistory({ groupId: 'team' })
  expect(messages.map(({ content }) => content)).toEqual(['hi', 'one', 'two', 'three'])
  expect(messages[0]?.reactions).toEqual([{ emoji: '👍', userIds: ['ana'], count: 1 }])
  expect(shown(group.messages.getSnapshot())).toEqual(['hi sent', 'one sent', 'two sent', 'three sent'])
  expect(group.info.getSnapshot()).toMatchObject({ pending: 0, failed: 0 })
})

it('keeps what the draft is for over a reload, in every tab, until a message is sent', async () => {
  useIndexedDb()
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const browser = new Browser()
  const open = (tab = browser.openTab()) =>
    stage.liveStore('ana', {
      cache: createMessageCache({ name: 'a', channel: tab.channel('a'), clock: stage.clock.forClient }),
    })
  const first = await open()
  const other = await open()
  const draftOf = (store: ChatStore) => {
    const { draft, draftMode } = store.group('team').info.getSnapshot() ?? {}
    return { draft, draftMode }
  }
  const reply = { kind: 'reply', messageId: 'team:2' } as const
  first.group('team').setDraft('', reply)
  first.group('team').setDraft('half')
  await stage.settle()
  expect(draftOf(other)).toEqual({ draft: 'half', draftMode: reply })
  const edit = { kind: 'edit', messageId: 'team:3', text: 'better' } as const
  first.group('team').setDraft('half', edit)
  await stage.settle()
  await first.close()
  const second = await open()
  expect(draftOf(second)).toEqual({ draft: 'half', draftMode: edit })
  second.group('team').send({ content: 'half' })
  await stage.settle()
  expect(draftOf(second)).toEqual({ draft: '', draftMode: undefined })
  expect(draftOf(other)).toEqual({ draft: '', draftMode: undefined })
  await second.close()
  expect(draftOf(await open())).toEqual({ draft: '', draftMode: undefined })
})

it('adds the text of an edit to the draft that was refused after a reload', async () => {
  useIndexedDb()
  const stage = await aStoreStage({ dataDir: temporaryFolder() })
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  await bruno.setRole({ groupId: 'team', userId: 'ana', role: 'moderator' })
  const cache = () => createMessageCache({ name: 'a', channel: alone, clock: stage.clock.forClient })
  const first = await stage.liveStore('ana', { cache: cache() })
  first.group('team').messages.subscribe(() => {})
  first.group('team').send({ content: 'one' })
  await stage.settle()
  const [sent] = messagesOf(first.group('team').messages.getSnapshot().items)
  stage.offline('ana')
  await stage.settle(0)
  first
    .group('team')
    .edit(sent?.messageId ?? '', 'one and more')
    .catch(() => {})
  first.group('team').setDraft('half')
  await stage.settle(100)
  await first.close()
  await bruno.deleteMessage({ messageId: sent?.messageId ?? '' })
  stage.online('ana')
  const second = await stage.liveStore('ana', { cache: cache() })
  await stage.settle(2_000)
  expect(second.group('team').info.getSnapshot()).toMatchObject({ draft: 'half\none and more' })
})

it('is empty after signing out, and shows nothing of another user', async () => {
  useIndexedDb()
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const cache = () => createMessageCache({ name: 'a', channel: alone, clock: stage.clock.forClient })
  const ana = await stage.liveStore('ana', { cache: cache() })
  expect(ana.groups.getSnapshot().groups).toHaveLength(1)
  await stage.settle()
  await ana.close()
  const carla = stage.store('carla', { cache: cache() })
  await carla.open()
  expect(carla.groups.getSnapshot().groups).toHaveLength(0)
  await carla.close()
  const again = await stage.liveStore('ana', { cache: cache() })
  await again.signOut()
  expect(again.connection.getSnapshot()).toEqual({ state: 'signed_out' })
  expect(again.groups.getSnapshot().groups).toHaveLength(0)
  const empty = stage.store('ana', { cache: cache() })
  await empty.open()
  expect(empty.groups.getSnapshot().groups).toHaveLength(0)
})

it('never sends what one user wrote with the token of another', async () => {
  useIndexedDb()
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana', 'carla'] })
  const cache = () => createMessageCache({ name: 'a', channel: alone, clock: stage.clock.forClient })
  const ana = await stage.liveStore('ana', { cache: cache() })
  await stage.settle()
  stage.offline('ana')
  await stage.settle(0)
  ana.group('team').send({ content: 'of ana' })
  await stage.settle()
  await ana.close()
  const carla = await stage.liveStore('carla', { cache: cache(), userId: undefined })
  await stage.settle(2_000)
  expect(carla.me.getSnapshot().userId).toBe('carla')
  expect(carla.group('team').info.getSnapshot()).toMatchObject({ pending: 0, failed: 0 })
  expect((await bruno.getHistory({ groupId: 'team' })).messages).toEqual([])
})

it('shows a snapshot at once, and resumes from it', async () => {
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  await bruno.sendMessage({ groupId: 'team', content: 'one', tempId: '1' })
  const session = await stage.engine.connect({ userId: 'ana' })
  const snapshot = {
    userId: 'ana',
    groups: (await session.getGroups({})).groups,
    histories: [await session.getHistory({ groupId: 'team' })],
  }
  const { message } = await bruno.sendMessage({ groupId: 'team', content: 'two', tempId: '2' })
  await bruno.editMessage({ messageId: message.messageId, content: 'TWO' })
  const ana = stage.store('ana', { snapshot })
  expect(shown(ana.group('team').messages.getSnapshot())).toEqual(['one sent'])
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 1 })
  ana.group('team').messages.subscribe(() => {})
  ana.connect()
  await stage.settle()
  expect(shown(ana.group('team').messages.getSnapshot())).toEqual(['one sent', 'TWO sent'])
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 2 })
})

it('reports the connection as it is, and what happens to devtools', async () => {
  const stage = await aStoreStage()
  const ana = stage.store('ana')
  const names: string[] = []
  ana.onDevtools(({ what, name }) => names.push(`${what} ${name}`))
  const state = () => ana.connection.getSnapshot().state
  expect(state()).toBe('idle')
  ana.connect()
  expect(state()).toBe('connecting')
  await stage.settle()
  expect(state()).toBe('live')
  stage.offline('ana')
  await stage.settle(0)
  expect(ana.connection.getSnapshot()).toMatchObject({ state: 'waiting', retryAt: expect.any(Number) })
  stage.online('ana')
  ana.connect()
  await stage.settle()
  expect(state()).toBe('live')
  expect(names).toEqual(
    expect.arrayContaining(['event connected', 'request get_groups', 'answer get_groups']),
  )
})
