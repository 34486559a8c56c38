import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { aGroup, aMessage, type Peer } from '../support/scripted-server.ts'
import { aConnectedStage, inState, reconnect } from './harness.ts'

function post(peer: Peer, groupId: string, ...seqs: readonly number[]): void {
  for (const seq of seqs) peer.say('new_message', { message: aMessage(groupId, seq) })
}

/** Says something that has no order, and waits until the client has received it: all before was received too. */
async function settled(peer: Peer, received: (listener: () => void) => () => void): Promise<void> {
  const done = new Promise<void>((resolve) => {
    const off = received(() => {
      off()
      resolve()
    })
  })
  peer.say('token_expiring', { expiresAt: 1 })
  await done
}

describe('after a reconnect', () => {
  it('missed events arrive first, then the live ones, each once and in order', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    post(stage.peer, 'kitchen', 11, 12)
    await eventually(() => expect(stage.shown).toHaveLength(2))

    const peer = await reconnect(stage, stage.peer, [['kitchen', 15]])
    const { ref, fields } = await peer.next('resume')
    expect(fields.groups).toEqual([['kitchen', 12]])
    post(peer, 'kitchen', 16, 13, 17, 14, 20, 15)
    await eventually(() => expect(stage.shown).toContain('kitchen:15'))
    expect(stage.shown).toEqual(['kitchen:11', 'kitchen:12', 'kitchen:13', 'kitchen:14', 'kitchen:15'])

    peer.say('resumed', { groups: [['kitchen', 15, true]] }, ref)
    post(peer, 'kitchen', 21)
    await eventually(() => expect(stage.shown).toContain('kitchen:21'))
    expect(stage.shown.slice(5)).toEqual(['kitchen:16', 'kitchen:17', 'kitchen:20', 'kitchen:21'])
  })

  it('events that were delivered before are not delivered again', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    post(stage.peer, 'kitchen', 11, 12)
    await eventually(() => expect(stage.shown).toHaveLength(2))
    const peer = await reconnect(stage, stage.peer, [['kitchen', 10]])
    post(peer, 'kitchen', 11, 12, 13)
    const { ref } = await peer.next('resume')
    peer.say('resumed', { groups: [['kitchen', 10, true]] }, ref)
    await eventually(() => expect(stage.shown).toEqual(['kitchen:11', 'kitchen:12', 'kitchen:13']))
  })

  it('groups do not wait for each other', async () => {
    const stage = await aConnectedStage([['kitchen', 1]])
    const greeted: unknown[] = []
    stage.client.on('connected', ({ groups }) => greeted.push(groups.map(({ group }) => group.groupId)))
    post(stage.peer, 'attic', 5)
    await eventually(() => expect(stage.shown).toEqual(['attic:5']))
    const peer = await reconnect(stage, stage.peer, [
      ['kitchen', 1],
      ['attic', 6],
    ])
    await peer.next('resume')
    post(peer, 'kitchen', 2)
    post(peer, 'attic', 6)
    await eventually(() => expect(stage.shown).toEqual(['attic:5', 'attic:6']))
    expect(greeted).toEqual([['kitchen', 'attic']])
  })

  it('groups are resumed 200 at a time, one resume after the other', async () => {
    const groups = Array.from({ length: 200 }, (_, i) => [`g${i}`, 1] as const)
    const stage = await aConnectedStage(groups)
    // More than `connected` lists: known from its first event.
    post(stage.peer, 'rare', 7)
    await eventually(() => expect(stage.shown).toEqual(['rare:7']))
    const peer = await reconnect(stage, stage.peer, groups)
    const first = await peer.next('resume')
    expect(first.fields.groups).toEqual(groups)
    await settled(peer, (listener) => stage.client.on('token_expiring', listener))
    expect(peer.names()).toEqual(['authenticate', 'resume'])
    peer.say('resumed', { groups: groups.map(([groupId]) => [groupId, 1, true]) }, first.ref)
    const second = await peer.next('resume')
    expect(second.fields.groups).toEqual([['rare', 7]])
    // Its baseline is not known: which of these was missed is clear at the end only.
    post(peer, 'rare', 10, 8, 11, 9)
    peer.say('resumed', { groups: [['rare', 9, true]] }, second.ref)
    await eventually(() => expect(stage.shown).toEqual([7, 8, 9, 10, 11].map((seq) => `rare:${seq}`)))
  })

  it('a group that get_groups listed is caught up from there', async () => {
    const stage = await aConnectedStage()
    const listing = stage.client.getGroups({})
    const { ref } = await stage.peer.next('get_groups')
    stage.peer.say('groups', { groups: [{ group: aGroup('rare', 7), unread: 0, mentions: 0 }] }, ref)
    await listing
    const peer = await reconnect(stage, stage.peer)
    expect((await peer.next('resume')).fields.groups).toEqual([['rare', 7]])
  })

  it('the application is notified of too many missed events, and live events follow', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    const peer = await reconnect(stage, stage.peer, [['kitchen', 90_000]])
    const { ref } = await peer.next('resume')
    post(peer, 'kitchen', 90_001)
    peer.say('resumed', { groups: [['kitchen', 90_000, false]] }, ref)
    await eventually(() => expect(stage.shown).toEqual(['missed kitchen 11-90000', 'kitchen:90001']))
  })

  it('a group that the user is no longer in is removed, and the application is notified', async () => {
    const stage = await aConnectedStage([
      ['kitchen', 10],
      ['attic', 3],
    ])
    const peer = await reconnect(stage, stage.peer, [['kitchen', 10]])
    const { ref, fields } = await peer.next('resume')
    expect(fields.groups).toEqual([
      ['kitchen', 10],
      ['attic', 3],
    ])
    peer.say('resumed', { groups: [['kitchen', 10, true]] }, ref)
    await eventually(() => expect(stage.shown).toEqual(['lost attic']))
    const third = await reconnect(stage, peer, [['kitchen', 10]])
    expect((await third.next('resume')).fields.groups).toEqual([['kitchen', 10]])
  })

  it('a user who was removed and added again during it receives the group from there', async () => {
    const stage = await aConnectedStage([['attic', 3]])
    const peer = await reconnect(stage, stage.peer, [['attic', 3]])
    const { ref } = await peer.next('resume')
    peer.say('user_left_group', { userId: 'ana', userName: 'Ana', groupId: 'attic', seq: 4 })
    peer.say('user_joined_group', { userId: 'ana', userName: 'Ana', groupId: 'attic', seq: 6 })
    post(peer, 'attic', 7)
    peer.say('resumed', { groups: [] }, ref)
    await eventually(() => expect(stage.shown).toEqual(['lost attic', 'ana joined attic:6', 'attic:7']))
  })

  it('a resume with a retryable error is sent again, while live events wait', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    const peer = await reconnect(stage, stage.peer, [['kitchen', 11]])
    const first = await peer.next('resume')
    post(peer, 'kitchen', 12)
    peer.refuse(first.ref, 'overloaded', 700)
    await eventually(() => expect(stage.clock.dueInMs).toContain(700))
    stage.clock.advance(700)
    const second = await peer.next('resume')
    post(peer, 'kitchen', 11)
    peer.say('resumed', { groups: [['kitchen', 11, true]] }, second.ref)
    await eventually(() => expect(stage.shown).toEqual(['kitchen:11', 'kitchen:12']))
  })

  it('a resume without progress for 15 s ends the connection', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    const peer = await reconnect(stage, stage.peer, [['kitchen', 12]])
    await peer.next('resume')
    stage.clock.advance(14_000)
    post(peer, 'kitchen', 11)
    await eventually(() => expect(stage.shown).toEqual(['kitchen:11']))
    stage.clock.advance(14_000)
    expect(stage.client.state.state).toBe('connected')
    stage.clock.advance(2_000)
    expect((await inState(stage.client, 'reconnecting')).reason).toEqual({ cause: 'silence' })
  })

  it('too many live events end the connection; the next one replays them all', async () => {
    const stage = await aConnectedStage([['kitchen', 0]])
    const peer = await reconnect(stage, stage.peer, [['kitchen', 1]])
    await peer.next('resume')
    const many = Array.from({ length: 10_001 }, (_, i) => i + 2)
    post(peer, 'kitchen', 1, ...many)
    const { reason, delayMs } = await inState(stage.client, 'reconnecting')
    expect(reason).toEqual({ cause: 'overflow' })
    stage.clock.advance(delayMs)
    const third = await stage.server.accept()
    await third.greet([['kitchen', 10_002]])
    const { ref, fields } = await third.next('resume')
    expect(fields.groups).toEqual([['kitchen', 1]])
    post(third, 'kitchen', ...many)
    third.say('resumed', { groups: [['kitchen', 10_002, true]] }, ref)
    await eventually(() => expect(stage.shown).toHaveLength(10_002))
    expect(stage.shown).toEqual([1, ...many].map((seq) => `kitchen:${seq}`))
  })
})

describe('a group', () => {
  it('that the user leaves is removed after that event', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    stage.peer.say('user_left_group', { userId: 'ana', userName: 'Ana', groupId: 'kitchen', seq: 11 })
    await eventually(() => expect(stage.shown).toEqual(['ana left kitchen:11']))
    const peer = await reconnect(stage, stage.peer)
    await settled(peer, (listener) => stage.client.on('token_expiring', listener))
    expect(peer.names()).toEqual(['authenticate'])
  })

  it('that another user leaves continues', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    stage.peer.say('user_left_group', { userId: 'bruno', userName: 'B', groupId: 'kitchen', seq: 11 })
    post(stage.peer, 'kitchen', 11, 12)
    await eventually(() => expect(stage.shown).toEqual(['bruno left kitchen:11', 'kitchen:12']))
  })

  it('that is created arrives with its first event, and is resumed from there', async () => {
    const stage = await aConnectedStage()
    const begun: string[] = []
    stage.client.on('group_created', ({ groupId }) => begun.push(groupId))
    stage.peer.say('group_created', { group: aGroup('new', 1), groupId: 'new', seq: 1, by: 'bruno', at: 0 })
    await eventually(() => expect(begun).toEqual(['new']))
    const peer = await reconnect(stage, stage.peer, [['new', 1]])
    expect((await peer.next('resume')).fields.groups).toEqual([['new', 1]])
  })
})

describe('another user’s token', () => {
  it('makes the client drop the groups of the previous user', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    stage.peer.cut()
    stage.clock.advance((await inState(stage.client, 'reconnecting')).delayMs)
    const peer = await stage.server.accept()
    await peer.greet([['kitchen', 3]], 'clara')
    await inState(stage.client, 'connected')
    post(peer, 'kitchen', 4)
    await eventually(() => expect(stage.shown).toEqual(['kitchen:4']))
    expect(peer.names()).toEqual(['authenticate'])
  })
})

describe('an event without a seq', () => {
  it('is delivered immediately, also during a catch-up, and does not change the position of a group', async () => {
    const stage = await aConnectedStage([['kitchen', 10]])
    const received: string[] = []
    stage.client.on('user_typing', ({ userName }) => received.push(`${userName} types`))
    stage.client.on('user_stopped_typing', ({ userId }) => received.push(`${userId} stops`))
    stage.client.on('contact_status_changed', ({ userId, status }) => received.push(`${userId} is ${status}`))
    stage.client.on('signal', ({ fromUserId, kind }) => received.push(`${fromUserId} signals ${kind}`))
    const peer = await reconnect(stage, stage.peer, [['kitchen', 12]])
    const { ref, fields } = await peer.next('resume')
    expect(fields.groups).toEqual([['kitchen', 10]])
    peer.say('user_typing', { userId: 'eva', userName: 'Eva', groupId: 'kitchen' })
    post(peer, 'kitchen', 11)
    peer.say('contact_status_changed', { userId: 'eva', status: 'away', timestamp: 1 })
    peer.say('user_stopped_typing', { userId: 'eva', groupId: 'attic' })
    peer.say('signal', { fromUserId: 'eva', groupId: 'kitchen', kind: 'offer', payload: '' })
    post(peer, 'kitchen', 12)
    peer.say('resumed', { groups: [['kitchen', 12, true]] }, ref)
    await eventually(() => expect(stage.shown).toEqual(['kitchen:11', 'kitchen:12']))
    expect(received).toEqual(['Eva types', 'eva is away', 'eva stops', 'eva signals offer'])

    // A group that was only typed in is not one that is resumed.
    const third = await reconnect(stage, peer, [['kitchen', 12]])
    expect((await third.next('resume')).fields.groups).toEqual([['kitchen', 12]])
  })
})
