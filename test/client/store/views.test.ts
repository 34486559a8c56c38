import { expect, it } from 'vitest'
import type { ChatStore } from '../../../client/store/chat-store.ts'
import type { Session } from '../../../engine/hub/session.ts'
import { eventually } from '../../support/conditions.ts'
import { aStoreStage, messagesOf, type StoreStage, shown } from './harness.ts'

/** Ana's store, Bruno's session, and their group `team`. */
async function aTeam(): Promise<{ stage: StoreStage; ana: ChatStore; bruno: Session }> {
  const stage = await aStoreStage()
  const bruno = await stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  await bruno.createGroup({ kind: 'group', groupId: 'team', name: 'Team', members: ['ana'] })
  const ana = await stage.liveStore('ana')
  return { stage, ana, bruno }
}

/** The group on show, and the item of a message that its user has sent there. */
async function aSentMessage(stage: StoreStage, store: ChatStore) {
  const group = store.group('team')
  group.messages.subscribe(() => {})
  group.send({ content: 'one' })
  await stage.settle()
  const [item] = messagesOf(group.messages.getSnapshot().items)
  return { group, item }
}

async function posts(bruno: Session, count: number, groupId = 'team'): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    await bruno.sendMessage({ groupId, content: `m${number}`, tempId: `${groupId}${number}` })
  }
}

const contents = (store: ChatStore, groupId = 'team') =>
  messagesOf(store.group(groupId).messages.getSnapshot().items).map(({ content }) => content)

it('returns the same snapshot until something in it changes, and unchanged messages as they are', async () => {
  const { stage, ana, bruno } = await aTeam()
  await posts(bruno, 3)
  const group = ana.group('team')
  group.messages.subscribe(() => {})
  await stage.settle()
  const before = group.messages.getSnapshot()
  expect(group.messages.getSnapshot()).toBe(before)
  expect(ana.group('team')).toBe(group)
  await bruno.editMessage({ messageId: messagesOf(before.items)[1]?.messageId ?? '', content: 'edited' })
  await stage.settle()
  const after = group.messages.getSnapshot()
  expect(after.items).toHaveLength(before.items.length)
  expect(after.items.map((item, at) => item === before.items[at])).toEqual(
    before.items.map((item) => !(item.kind === 'message' && item.content === 'm2')),
  )
})

it('calls a listener once for all changes of a turn', async () => {
  const { stage, ana } = await aTeam()
  const group = ana.group('team')
  let calls = 0
  group.messages.subscribe(() => {
    calls += 1
  })
  await stage.settle()
  calls = 0
  stage.offline('ana')
  for (let i = 0; i < 10; i += 1) group.send({ content: `s${i}` })
  await Promise.resolve()
  expect(calls).toBe(1)
  expect(shown(group.messages.getSnapshot())).toHaveLength(10)
})

it('pages in both directions after a jump to a seq, and to a time', async () => {
  const { stage, ana, bruno } = await aTeam()
  const times: number[] = []
  for (let number = 1; number <= 300; number += 1) {
    await bruno.sendMessage({ groupId: 'team', content: `m${number}`, tempId: `t${number}` })
    times.push(stage.engine.clock.now())
    if (number % 50 === 0) await stage.settle(60_000)
  }
  const group = ana.group('team')
  group.messages.subscribe(() => {})
  await stage.settle()
  expect(contents(ana)).toHaveLength(50)
  await group.jumpTo({ time: times[100] ?? 0 })
  let view = group.messages.getSnapshot()
  expect(view.items.find(({ key }) => key === view.target?.key)).toMatchObject({ content: 'm101' })
  expect(view).toMatchObject({ hasOlder: true, hasNewer: true, loading: null })
  await group.loadOlder()
  await group.loadNewer()
  expect(contents(ana)[0]).toBe('m2')
  expect(contents(ana).at(-1)).toBe('m201')
  await bruno.sendMessage({ groupId: 'team', content: 'new', tempId: 'new' })
  await stage.settle()
  expect(contents(ana)).not.toContain('new')
  while (group.messages.getSnapshot().hasNewer) await group.loadNewer()
  while (group.messages.getSnapshot().hasOlder) await group.loadOlder()
  view = group.messages.getSnapshot()
  expect(contents(ana)).toEqual([...times.map((_, at) => `m${at + 1}`), 'new'])
})

it('counts unread messages and mentions as the server does, over edits, deletions and reads', async () => {
  const { stage, ana, bruno } = await aTeam()
  await posts(bruno, 3)
  await bruno.sendMessage({ groupId: 'team', content: 'hi', tempId: 'hi', mentions: ['ana'] })
  await stage.settle()
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 4, mentions: 1 })
  const group = ana.group('team')
  const stop = group.messages.subscribe(() => {})
  await stage.settle()
  const [first, second, , last] = messagesOf(group.messages.getSnapshot().items)
  expect(group.messages.getSnapshot().firstUnreadSeq).toBe(first?.seq)
  await bruno.deleteMessage({ messageId: second?.messageId ?? '' })
  await bruno.editMessage({ messageId: last?.messageId ?? '', content: 'no', mentions: [] })
  await stage.settle()
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 3, mentions: 0 })
  group.markRead(first?.seq)
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 2 })
  await group.markUnread(first?.seq ?? 0)
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 3 })
  const phone = await stage.engine.connect({ userId: 'ana' })
  await phone.messageRead({ groupId: 'team', messageIds: [], upTo: last?.seq ?? 0 })
  await stage.settle()
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 0 })
  const { groups } = await phone.getGroups({})
  expect(groups[0]).toMatchObject({ unread: 0, mentions: 0 })
  stop()
})

it('shows typing, presence, new names, renamed groups, members and pins', async () => {
  const { stage, ana, bruno } = await aTeam()
  const directId = await ana.direct('bruno')
  await stage.settle()
  const info = () => ana.group('team').info.getSnapshot()
  expect(ana.group(directId).info.getSnapshot()).toMatchObject({
    kind: 'direct',
    title: 'Bruno',
    presence: 'online',
  })
  const group = ana.group('team')
  group.members.subscribe(() => {})
  group.pins.subscribe(() => {})
  await bruno.typingStart({ groupId: 'team' })
  await stage.settle()
  expect(info()?.typing).toEqual([expect.objectContaining({ userId: 'bruno' })])
  await posts(bruno, 1)
  await stage.settle()
  expect(info()?.typing).toEqual([])
  await bruno.updateStatus({ status: 'busy' })
  await bruno.updateGroup({ groupId: 'team', name: 'Crew', topic: 'Work' })
  await bruno.pinMessage({ messageId: info()?.lastMessage?.messageId ?? '' })
  await bruno.setRole({ groupId: 'team', userId: 'ana', role: 'moderator' })
  await stage.settle()
  expect(info()).toMatchObject({ title: 'Crew', topic: 'Work', memberCount: 2 })
  expect(ana.group(directId).info.getSnapshot()).toMatchObject({ presence: 'busy' })
  expect(group.members.getSnapshot()).toMatchObject({ isComplete: true, role: 'moderator', onlineTotal: 2 })
  expect(group.pins.getSnapshot().pins.map(({ content }) => content)).toEqual(['m1'])
  await bruno.addMember({ groupId: 'team', userId: 'carla' })
  await stage.engine.connect({ userId: 'bruno', name: 'Bruno Lima' })
  await stage.settle()
  expect(group.members.getSnapshot().members.map(({ userId }) => userId)).toEqual(['ana', 'bruno', 'carla'])
  expect(ana.group(directId).info.getSnapshot()?.title).toBe('Bruno Lima')
  await bruno.removeMember({ groupId: 'team', userId: 'ana' })
  await stage.settle()
  expect(info()).toBeNull()
  expect(ana.groups.getSnapshot().groups.map(({ groupId }) => groupId)).toEqual([directId])
})

it('quotes the message that a reply answers, also outside of the window', async () => {
  const { stage, ana, bruno } = await aTeam()
  await posts(bruno, 80)
  const { messages } = await bruno.getHistory({ groupId: 'team', after: 0, limit: 1 })
  const replyToId = messages[0]?.messageId ?? ''
  await bruno.sendMessage({ groupId: 'team', content: 'yes', tempId: 'yes', replyToId })
  const group = ana.group('team')
  group.messages.subscribe(() => {})
  await stage.settle()
  group.messages.getSnapshot()
  await stage.settle()
  const reply = () => messagesOf(group.messages.getSnapshot().items).at(-1)
  expect(reply()?.replyTo).toMatchObject({ content: 'm1', isDeleted: false })
  await bruno.deleteMessage({ messageId: replyToId })
  await stage.settle()
  expect(reply()?.replyTo).toMatchObject({ content: '', isDeleted: true })
})

it('orders groups by activity, and lists invitations and search hits', async () => {
  const { stage, ana, bruno } = await aTeam()
  await stage.settle(1_000)
  const other = await ana.createGroup({ name: 'Other', members: ['bruno'] })
  await stage.settle(1_000)
  const order = () => ana.groups.getSnapshot().groups.map(({ groupId }) => groupId)
  expect(order()).toEqual([other, 'team'])
  await posts(bruno, 1)
  await stage.settle(2_000)
  expect(order()).toEqual(['team', other])
  ana.invitations.subscribe(() => {})
  const { groupId } = await bruno.createGroup({ kind: 'group', name: 'Secret', members: [] })
  await bruno.inviteMember({ groupId, userId: 'ana' })
  await stage.settle()
  expect(ana.invitations.getSnapshot().invitations).toHaveLength(1)
  await ana.join(groupId)
  expect(ana.invitations.getSnapshot().invitations).toHaveLength(0)
  expect(order()).toContain(groupId)
  // The index is written in real time.
  await eventually(async () => {
    await ana.find({ text: 'm1' })
    expect(ana.search.getSnapshot()).toMatchObject({ state: 'done', hits: [{ message: { content: 'm1' } }] })
  })
  await ana.find(null)
  expect(ana.search.getSnapshot()).toMatchObject({ state: 'idle', hits: [] })
})

it('shows who has read a message, and how many', async () => {
  const { stage, ana, bruno } = await aTeam()
  const { group, item } = await aSentMessage(stage, ana)
  await bruno.messageRead({ groupId: 'team', messageIds: [], upTo: item?.seq ?? 0 })
  await stage.settle()
  expect(messagesOf(group.messages.getSnapshot().items)[0]).toMatchObject({ state: 'read', readBy: 1 })
  expect(await group.receipts(item?.messageId ?? '')).toMatchObject({ read: [{ user: { name: 'Bruno' } }] })
})

it('shows who has read a message while the user had no connection', async () => {
  const { stage, ana, bruno } = await aTeam()
  const { group, item } = await aSentMessage(stage, ana)
  expect(item).toMatchObject({ readBy: 0 })
  stage.offline('ana')
  await stage.settle(0)
  await bruno.messageRead({ groupId: 'team', messageIds: [], upTo: item?.seq ?? 0 })
  stage.online('ana')
  await stage.settle(31_000)
  await eventually(() =>
    expect(messagesOf(group.messages.getSnapshot().items)[0]).toMatchObject({ state: 'read', readBy: 1 }),
  )
})

// UNR-1
it('moves the read mark at once, also where the window was never loaded', async () => {
  const { stage, ana, bruno } = await aTeam()
  await posts(bruno, 5)
  await stage.settle()
  const group = ana.group('team')
  const last = group.info.getSnapshot()?.lastMessage?.seq ?? 0
  group.markRead(last - 3)
  expect(group.info.getSnapshot()).toMatchObject({ readSeq: last - 3 })
  await stage.settle()
  expect(group.info.getSnapshot()).toMatchObject({ readSeq: last - 3, unread: 3 })
})

// UNR-1
it('counts messages that were missed after what was read without a connection', async () => {
  const { stage, ana, bruno } = await aTeam()
  await posts(bruno, 3)
  await stage.settle()
  ana.group('team').messages.subscribe(() => {})
  await stage.settle()
  stage.offline('ana')
  await stage.settle(0)
  for (const tempId of ['a', 'b']) await bruno.sendMessage({ groupId: 'team', content: tempId, tempId })
  ana.group('team').markRead()
  expect(ana.groups.getSnapshot()).toMatchObject({ unread: 0 })
  stage.online('ana')
  await stage.settle(31_000)
  await eventually(() => expect(ana.groups.getSnapshot()).toMatchObject({ unread: 2 }))
})
