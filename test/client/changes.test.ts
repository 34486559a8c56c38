import { describe, expect, it } from 'vitest'
import type { ChatClient } from '../../client/chat-client.ts'
import { eventually } from '../support/conditions.ts'
import { aMessage, type Peer } from '../support/scripted-server.ts'
import { aConnectedStage, reconnect } from './harness.ts'

/** What the application observes of a group's log and of its receipts, one line each. */
function observedBy(client: ChatClient): readonly string[] {
  const observed: string[] = []
  client.on('new_message', ({ message }) => observed.push(`${message.seq} posted`))
  client.on('message_edited', ({ seq, content }) => observed.push(`${seq} edited ${content}`))
  client.on('message_deleted', ({ seq, messageId }) => observed.push(`${seq} deleted ${messageId}`))
  client.on('message_recalled', ({ seq, messageId }) => observed.push(`${seq} recalled ${messageId}`))
  client.on('reaction_changed', ({ seq, emoji, added }) =>
    observed.push(`${seq} ${added ? 'added' : 'took'} ${emoji}`),
  )
  client.on('message_pinned', ({ seq, messageId }) => observed.push(`${seq} pinned ${messageId}`))
  client.on('group_updated', ({ seq, name }) => observed.push(`${seq} named ${name}`))
  client.on('role_changed', ({ seq, userId, role }) => observed.push(`${seq} ${userId} is ${role}`))
  client.on('message_read', ({ messageIds, readBy }) => observed.push(`${readBy} read ${messageIds.join()}`))
  client.on('upload_progress', ({ uploadId, received }) => observed.push(`${uploadId} at ${received}`))
  client.on('message_delivered', ({ messageIds, deliveredTo }) =>
    observed.push(`${deliveredTo} has ${messageIds.join()}`),
  )
  return observed
}

const groupId = 'kitchen'
const by = 'bruno'
const messageId = 'kitchen:11'

const post = (peer: Peer, seq: number) => peer.say('new_message', { message: aMessage(groupId, seq) })
const edit = (peer: Peer, seq: number, content: string) =>
  peer.say('message_edited', { messageId, groupId, seq, content, editedAt: 1 })
const react = (peer: Peer, seq: number, added: boolean) =>
  peer.say('reaction_changed', { messageId, groupId, seq, emoji: '👍', added, by, at: 1 })
const remove = (peer: Peer, seq: number) =>
  peer.say('message_deleted', { messageId, groupId, seq, deletedAt: 1, deletedBy: by })
const recall = (peer: Peer, seq: number) =>
  peer.say('message_recalled', { messageId: 'kitchen:12', groupId, seq, recalledBy: by, recalledAt: 1 })

describe('changes of messages', () => {
  it('arrive in the order of their group, with its messages and other durable events', async () => {
    const { client, peer } = await aConnectedStage([[groupId, 10]])
    const observed = observedBy(client)
    post(peer, 11)
    edit(peer, 12, 'better')
    react(peer, 13, true)
    peer.say('message_pinned', { messageId, groupId, seq: 14, by, at: 1 })
    peer.say('role_changed', { userId: 'eva', role: 'moderator', groupId, seq: 15, by, at: 1 })
    peer.say('group_updated', { name: 'Cellar', groupId, seq: 16, by, at: 1 })
    // What was seen before is not shown again.
    edit(peer, 12, 'better')
    remove(peer, 17)
    await eventually(() => expect(observed).toContain(`17 deleted ${messageId}`))
    expect(observed).toEqual([
      '11 posted',
      '12 edited better',
      '13 added 👍',
      `14 pinned ${messageId}`,
      '15 eva is moderator',
      '16 named Cellar',
      `17 deleted ${messageId}`,
    ])
  })

  it('that were missed arrive first, each once, and live ones wait for them', async () => {
    const stage = await aConnectedStage([[groupId, 10]])
    const observed = observedBy(stage.client)
    post(stage.peer, 11)
    edit(stage.peer, 12, 'better')
    await eventually(() => expect(observed).toHaveLength(2))

    const peer = await reconnect(stage, stage.peer, [[groupId, 15]])
    const { ref, fields } = await peer.next('resume')
    // An edit moves the place from where the next connection goes on.
    expect(fields.groups).toEqual([[groupId, 12]])
    remove(peer, 17)
    react(peer, 13, true)
    recall(peer, 16)
    react(peer, 14, false)
    edit(peer, 15, 'best')
    peer.say('resumed', { groups: [[groupId, 15, true]] }, ref)
    await eventually(() => expect(observed).toContain(`17 deleted ${messageId}`))
    expect(observed.slice(2)).toEqual([
      '13 added 👍',
      '14 took 👍',
      '15 edited best',
      '16 recalled kitchen:12',
      `17 deleted ${messageId}`,
    ])
  })
})

describe('receipts and the progress of uploads', () => {
  it('are delivered immediately, and do not change the position of a group', async () => {
    const stage = await aConnectedStage([[groupId, 10]])
    const observed = observedBy(stage.client)
    const peer = await reconnect(stage, stage.peer, [[groupId, 12]])
    const { ref } = await peer.next('resume')
    post(peer, 13)
    peer.say('message_read', { messageIds: ['kitchen:13', 'kitchen:9'], groupId, readBy: by, timestamp: 1 })
    peer.say('message_delivered', { messageIds: ['kitchen:9'], groupId, deliveredTo: by, timestamp: 1 })
    peer.say('upload_progress', { uploadId: 'u1', received: 5, size: 9 })
    post(peer, 11)
    post(peer, 12)
    peer.say('resumed', { groups: [[groupId, 12, true]] }, ref)
    await eventually(() => expect(observed).toContain('13 posted'))
    expect(observed).toEqual([
      'bruno read kitchen:13,kitchen:9',
      'bruno has kitchen:9',
      'u1 at 5',
      '11 posted',
      '12 posted',
      '13 posted',
    ])
    const third = await reconnect(stage, peer, [[groupId, 13]])
    expect((await third.next('resume')).fields.groups).toEqual([[groupId, 13]])
  })
})
