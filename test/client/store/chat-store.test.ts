import { expect, it } from 'vitest'
import { aStoreStage, messagesOf, shown } from './harness.ts'

it('shows a message as pending, sent, delivered and read', async () => {
  const stage = await aStoreStage()
  const ana = await stage.liveStore('ana')
  const bruno = await stage.liveStore('bruno')
  const groupId = await ana.createGroup({ name: 'Team', members: ['bruno'] })
  await stage.settle()
  const group = ana.group(groupId)
  group.messages.subscribe(() => {})
  const states: string[] = []
  await stage.settle()
  stage.offline('ana')
  await stage.settle(0)
  group.send({ content: 'Hello' })
  states.push(...shown(group.messages.getSnapshot()))
  stage.online('ana')
  await stage.settle(31_000)
  states.push(...shown(group.messages.getSnapshot()))
  const other = bruno.group(groupId)
  expect(other.info.getSnapshot()).toMatchObject({
    title: 'Team',
    unread: 1,
    lastMessage: { content: 'Hello' },
  })
  await stage.settle()
  states.push(...shown(group.messages.getSnapshot()))
  other.markRead()
  expect(bruno.groups.getSnapshot()).toMatchObject({ unread: 0 })
  await stage.settle()
  states.push(...shown(group.messages.getSnapshot()))
  expect(states).toEqual(['Hello pending', 'Hello delivered', 'Hello delivered', 'Hello read'])
  expect(ana.connection.getSnapshot()).toEqual({ state: 'live' })
  expect(messagesOf(group.messages.getSnapshot().items)[0]).toMatchObject({ mine: true, readBy: 1 })
})
