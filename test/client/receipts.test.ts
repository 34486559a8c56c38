import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import type { Peer } from '../support/scripted-server.ts'
import { aConnectedStage } from './harness.ts'

const groupId = 'kitchen'
const ids = (...seqs: readonly number[]) => seqs.map((seq) => `${groupId}:${seq}`)

function countOf(peer: Peer): number {
  return peer.names().filter((name) => name === 'message_read' || name === 'message_delivered').length
}

// RCP-1, LIM-1
describe('receipts', () => {
  it('are sent immediately at first, and then together after 250 ms', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const all = [1, 2, 3].map((seq) => client.messageRead({ groupId, messageIds: ids(seq) }))
    all.push(client.messageRead({ groupId, messageIds: ids(3, 4) }))
    const first = await peer.next('message_read')
    expect(first.fields).toEqual({ groupId, messageIds: ids(1) })
    peer.say('ok', {}, first.ref)
    await all[0]
    clock.advance(249)
    expect(countOf(peer)).toBe(1)
    clock.advance(1)
    const second = await peer.next('message_read')
    expect(second.fields).toEqual({ groupId, messageIds: ids(2, 3, 4) })
    peer.say('ok', {}, second.ref)
    expect(await Promise.all(all)).toEqual([undefined, undefined, undefined, undefined])
  })

  it('wait for the answer to earlier ones', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const all = [1, 2, 3].map((seq) => client.messageDelivered({ messageIds: ids(seq) }))
    const first = await peer.next('message_delivered')
    clock.advance(10_000)
    expect(countOf(peer)).toBe(1)
    peer.say('ok', {}, first.ref)
    const second = await peer.next('message_delivered')
    expect(second.fields).toEqual({ messageIds: ids(2, 3) })
    peer.say('ok', {}, second.ref)
    await Promise.all(all)
  })

  it('are merged with the highest upTo', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const all = [client.messageRead({ groupId, messageIds: ids(1) })]
    for (const upTo of [7, 9, 8]) all.push(client.messageRead({ groupId, messageIds: [], upTo }))
    all.push(client.messageRead({ groupId, messageIds: ids(12) }))
    peer.say('ok', {}, (await peer.next('message_read')).ref)
    await all[0]
    clock.advance(250)
    const { ref, fields } = await peer.next('message_read')
    expect(fields).toEqual({ groupId, messageIds: ids(12), upTo: 9 })
    peer.say('ok', {}, ref)
    await Promise.all(all)
  })

  it('are sent before a later mark_unread', async () => {
    const { client, peer } = await aConnectedStage()
    const all = [1, 2].map((seq) => client.messageRead({ groupId, messageIds: ids(seq) }))
    all.push(client.markUnread({ groupId, seq: 1 }))
    const { ref } = await peer.next('mark_unread')
    expect(peer.names()).toEqual(['authenticate', 'message_read', 'message_read', 'mark_unread'])
    for (const request of peer.requests.slice(1)) peer.say('ok', {}, request.ref)
    expect(ref).toBe(peer.requests.at(-1)?.ref)
    await Promise.all(all)
  })

  it('of each group and kind are sent separately', async () => {
    const { client, peer } = await aConnectedStage()
    const all = [
      client.messageRead({ groupId, messageIds: ids(1) }),
      client.messageDelivered({ messageIds: ids(1) }),
      client.messageRead({ groupId: 'attic', messageIds: ['attic:1'] }),
    ]
    await eventually(() => expect(countOf(peer)).toBe(3))
    client.close()
    await Promise.allSettled(all)
  })

  it('are sent early if a request is full', async () => {
    const { client, peer } = await aConnectedStage()
    const seqs = Array.from({ length: 300 }, (_, i) => i + 1)
    const all = [0, 300, 600].map((from) =>
      client.messageDelivered({ messageIds: ids(...seqs.map((seq) => seq + from)) }),
    )
    for (let i = 0; i < 2; i++) peer.say('ok', {}, (await peer.next('message_delivered')).ref)
    await Promise.all(all.slice(0, 2))
    client.close()
    await expect(all[2]).rejects.toMatchObject({ code: 'closed' })
  })

  it('with invalid fields are sent alone, so that others are not affected', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const first = client.messageRead({ groupId, messageIds: ids(1) })
    const wrong = expect(client.messageRead({ groupId, messageIds: ['attic:1'] })).rejects.toMatchObject({
      code: 'bad_request',
    })
    const right = client.messageRead({ groupId, messageIds: ids(2) })
    const asked = [await peer.next('message_read'), await peer.next('message_read')] as const
    expect(asked[1].fields.messageIds).toEqual(['attic:1'])
    peer.refuse(asked[1].ref, 'bad_request')
    peer.say('ok', {}, asked[0].ref)
    await wrong
    await first
    clock.advance(250)
    peer.say('ok', {}, (await peer.next('message_read')).ref)
    await right
  })

  it('reject when the client is closed before they are sent', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const all = [1, 2].map((seq) => client.messageRead({ groupId, messageIds: ids(seq) }))
    await peer.next('message_read')
    client.close()
    for (const reading of all) await expect(reading).rejects.toMatchObject({ code: 'closed' })
    expect(clock.dueInMs).toEqual([])
  })
})

// LIM-1
describe('calls under the rate limit', () => {
  it('wait for retryAfterMs and are sent again, one at a time', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const all = ['a', 'b', 'c'].map((id) => client.getMembers({ groupId: id }))
    const refused = [
      await peer.next('get_members'),
      await peer.next('get_members'),
      await peer.next('get_members'),
    ]
    for (const { ref } of refused) peer.refuse(ref, 'rate_limited', 600)
    await eventually(() => expect(clock.dueInMs).toContain(600))
    for (const id of ['a', 'b', 'c']) {
      clock.advance(600)
      const { ref, fields } = await peer.next('get_members')
      expect(fields.groupId).toBe(id)
      peer.say('members', { groupId: id, members: [] }, ref)
    }
    await Promise.all(all)
    expect(peer.names()).toHaveLength(7)
  })

  it('reject with rate_limited if they cannot be sent in time', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const late = client.getMembers({ groupId: 'a' })
    const waiting = client.getPins({ groupId: 'a' })
    peer.refuse((await peer.next('get_members')).ref, 'rate_limited', 15_001)
    await expect(late).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 15_001 })
    peer.refuse((await peer.next('get_pins')).ref, 'rate_limited', 14_999)
    await eventually(() => expect(clock.dueInMs).toContain(14_999))
    const held = expect(waiting).rejects.toMatchObject({ code: 'rate_limited' })
    clock.advance(14_999)
    peer.refuse((await peer.next('get_pins')).ref, 'rate_limited', 600)
    await held
  })

  it('do not delay those of another budget', async () => {
    const { client, clock, peer } = await aConnectedStage()
    const held = client.getMembers({ groupId: 'a' })
    peer.refuse((await peer.next('get_members')).ref, 'rate_limited', 9_000)
    await eventually(() => expect(clock.dueInMs).toContain(9_000))
    const pinging = client.ping({})
    peer.say('pong', { serverTime: 1 }, (await peer.next('ping')).ref)
    await pinging
    client.close()
    await expect(held).rejects.toMatchObject({ code: 'closed' })
  })

  it('are at most 32 of a budget in flight, so that few fail at once', async () => {
    const { client, peer } = await aConnectedStage()
    const all = Array.from({ length: 40 }, (_, i) => client.getMembers({ groupId: `g${i}` }))
    const { ref } = await peer.next('get_members')
    await eventually(() => expect(peer.names()).toHaveLength(33))
    peer.say('members', { groupId: 'g0', members: [] }, ref)
    await eventually(() => expect(peer.names()).toHaveLength(34))
    client.close()
    await Promise.allSettled(all)
  })
})
