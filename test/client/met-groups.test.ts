import { describe, expect, it } from 'vitest'
import type { Request } from '../../protocol/requests.ts'
import { eventually } from '../support/conditions.ts'
import { aGroup, aMessage, type Peer, type Standing } from '../support/scripted-server.ts'
import { aConnectedStage, reconnect } from './harness.ts'

function post(peer: Peer, groupId: string, ...seqs: readonly number[]): void {
  for (const seq of seqs) peer.say('new_message', { message: aMessage(groupId, seq) })
}

function list(
  peer: Peer,
  { ref }: Request<'get_groups'>,
  groups: readonly Standing[],
  cursor?: string,
): void {
  const listings = groups.map(([groupId, seq]) => ({ group: aGroup(groupId, seq), unread: 0, mentions: 0 }))
  peer.say('groups', { groups: listings, cursor }, ref)
}

/** As many groups as `connected` has room for. */
const many = Array.from({ length: 200 }, (_, i) => [`g${i}`, 1] as const)

async function resumeMany(peer: Peer): Promise<void> {
  const { ref, fields } = await peer.next('resume')
  peer.say('resumed', { groups: fields.groups.map(([groupId, seq]) => [groupId, seq, true]) }, ref)
}

// CUP-2
describe('a group that the user joined while the client was disconnected', () => {
  it('is resumed from the user’s join, and its live events follow', async () => {
    const stage = await aConnectedStage([['kitchen', 4]])
    const peer = await reconnect(stage, stage.peer, [
      ['kitchen', 4],
      ['direct', 3],
    ])
    const { ref, fields } = await peer.next('resume')
    expect(fields.groups).toEqual([
      ['kitchen', 4],
      ['direct', 0],
    ])
    post(peer, 'direct', 4, 2, 3)
    await eventually(() => expect(stage.shown).toEqual(['direct:2', 'direct:3']))
    peer.say(
      'resumed',
      {
        groups: [
          ['kitchen', 4, true],
          ['direct', 3, true],
        ],
      },
      ref,
    )
    await eventually(() => expect(stage.shown).toEqual(['direct:2', 'direct:3', 'direct:4']))
    const third = await reconnect(stage, peer, [
      ['kitchen', 4],
      ['direct', 4],
    ])
    expect((await third.next('resume')).fields.groups).toEqual([
      ['kitchen', 4],
      ['direct', 4],
    ])
  })

  it('beyond those that connected lists is found by get_groups', async () => {
    const stage = await aConnectedStage(many)
    list(stage.peer, await stage.peer.next('get_groups'), [['quiet', 9]])
    const peer = await reconnect(stage, stage.peer, many)
    expect((await peer.next('resume')).fields.groups).toHaveLength(200)
    peer.say(
      'resumed',
      { groups: [...many.map(([id, seq]) => [id, seq, true] as const)] },
      peer.requests.at(-1)?.ref,
    )
    // Known since the first connection.
    const second = await peer.next('resume')
    expect(second.fields.groups).toEqual([['quiet', 9]])
    peer.say('resumed', { groups: [['quiet', 9, true]] }, second.ref)
    list(peer, await peer.next('get_groups'), [...many, ['quiet', 9]], 'next')
    const page = await peer.next('get_groups')
    expect(page.fields).toEqual({ cursor: 'next', limit: 200 })
    list(peer, page, [['new', 5]])
    const third = await peer.next('resume')
    expect(third.fields.groups).toEqual([['new', 0]])
    post(peer, 'new', 5, 6)
    peer.say('resumed', { groups: [['new', 5, true]] }, third.ref)
    await eventually(() => expect(stage.shown).toEqual(['new:5', 'new:6']))
  })

  it('is resumed when an event arrives before the list names it', async () => {
    const stage = await aConnectedStage(many)
    list(stage.peer, await stage.peer.next('get_groups'), [])
    const peer = await reconnect(stage, stage.peer, many)
    post(peer, 'new', 7)
    peer.say('user_joined_group', { userId: 'ana', userName: 'Ana', groupId: 'later', seq: 4 })
    await eventually(() => expect(stage.shown).toEqual(['ana joined later:4']))
    await resumeMany(peer)
    const { ref, fields } = await peer.next('resume')
    expect(fields.groups).toEqual([['new', 0]])
    post(peer, 'new', 5, 6)
    peer.say('resumed', { groups: [['new', 6, true]] }, ref)
    await eventually(() => expect(stage.shown.slice(1)).toEqual(['new:5', 'new:6', 'new:7']))
  })

  it('and left again is not reported as lost', async () => {
    const stage = await aConnectedStage([['kitchen', 1]])
    const peer = await reconnect(stage, stage.peer, [
      ['kitchen', 1],
      ['attic', 2],
    ])
    const { ref } = await peer.next('resume')
    peer.say('resumed', { groups: [['kitchen', 1, true]] }, ref)
    post(peer, 'kitchen', 2)
    await eventually(() => expect(stage.shown).toEqual(['kitchen:2']))
  })

  it('is listed again after a retryable error', async () => {
    const stage = await aConnectedStage(many)
    const { ref } = await stage.peer.next('get_groups')
    stage.peer.refuse(ref, 'rate_limited', 900)
    await eventually(() => expect(stage.clock.dueInMs).toContain(900))
    stage.clock.advance(900)
    list(stage.peer, await stage.peer.next('get_groups'), [['quiet', 9]])
    const peer = await reconnect(stage, stage.peer, many)
    await resumeMany(peer)
    expect((await peer.next('resume')).fields.groups).toEqual([['quiet', 9]])
  })
})

describe('a resume', () => {
  it('that is larger than the server accepts is sent in parts', async () => {
    const groups = Array.from({ length: 100 }, (_, i) => [`${i}`.padStart(20, 'g'), 1] as const)
    const stage = await aConnectedStage(groups)
    stage.server.maxMessageBytes = 1_024
    const peer = await reconnect(stage, stage.peer, groups)
    const asked = []
    while (asked.length < 100) {
      const { ref, fields } = await peer.next('resume')
      asked.push(...fields.groups)
      peer.say('resumed', { groups: fields.groups.map(([id, seq]) => [id, seq, true]) }, ref)
    }
    expect(asked).toEqual(groups)
  })

  it('that fails permanently reports its events as missed', async () => {
    const stage = await aConnectedStage([['kitchen', 4]])
    const peer = await reconnect(stage, stage.peer, [['kitchen', 9]])
    peer.refuse((await peer.next('resume')).ref, 'bad_request')
    post(peer, 'kitchen', 10)
    await eventually(() => expect(stage.shown).toEqual(['missed kitchen 5-9', 'kitchen:10']))
  })
})
