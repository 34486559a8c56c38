import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { aMessage, type Peer } from '../support/scripted-server.ts'
import { aConnectedStage, reconnect } from './harness.ts'

const groupId = 'kitchen'

function sentBy(peer: Peer): number {
  return peer.names().filter((name) => name === 'send_message').length
}

/** A client whose message was sent, and whose connection ended before the answer. */
async function anUnanswered(lastSeq: number) {
  const stage = await aConnectedStage([[groupId, 1]])
  const sending = stage.client.sendMessage({ groupId, content: 'olá' })
  const { fields } = await stage.peer.next('send_message')
  const own = { senderId: 'ana', tempId: fields.tempId, content: fields.content }
  const peer = await reconnect(stage, stage.peer, [[groupId, lastSeq]])
  const resume = await peer.next('resume')
  return { ...stage, sending, own, peer, resume }
}

// IDM-1, CUP-2
describe('a message that got no answer', () => {
  it('is acknowledged by the catch-up that contains it, and not sent again', async () => {
    const { client, shown, sending, own, peer, resume } = await anUnanswered(3)
    peer.say('new_message', { message: aMessage(groupId, 2, own) })
    peer.say('new_message', { message: aMessage(groupId, 3) })
    peer.say('resumed', { groups: [[groupId, 3, true]] }, resume.ref)
    expect(await sending).toEqual({
      tempId: own.tempId,
      success: true,
      message: aMessage(groupId, 2, own),
    })
    expect(client.unsent).toBe(0)
    expect(shown).toEqual(['kitchen:2', 'kitchen:3'])
    expect(sentBy(peer)).toBe(0)
  })

  it('waits for the catch-up, and so do later ones; another group’s first attempt does not', async () => {
    const { client, sending, peer, resume } = await anUnanswered(3)
    const second = client.sendMessage({ groupId, content: 'second' })
    const elsewhere = client.sendMessage({ groupId: 'attic', content: 'elsewhere' })
    const first = await peer.next('send_message')
    expect(first.fields.groupId).toBe('attic')
    peer.confirm(first, 2)
    await elsewhere
    expect(sentBy(peer)).toBe(1)
    peer.say('resumed', { groups: [[groupId, 3, true]] }, resume.ref)
    peer.confirm(await peer.next('send_message'), 4)
    peer.confirm(await peer.next('send_message'), 5)
    expect((await sending).message.seq).toBe(4)
    expect((await second).message.seq).toBe(5)
  })

  it('is sent again if it was only received live, since it may not be durable yet', async () => {
    const { sending, own, peer, resume } = await anUnanswered(3)
    peer.say('new_message', { message: aMessage(groupId, 4, own) })
    peer.say('resumed', { groups: [[groupId, 3, true]] }, resume.ref)
    peer.confirm(await peer.next('send_message'), 4)
    expect((await sending).message.seq).toBe(4)
  })

  it('is not sent again after so many events that the server may not remember its tempId', async () => {
    const { sending, own, peer, resume } = await anUnanswered(3)
    peer.say('new_message', { message: aMessage(groupId, 4, own) })
    for (let seq = 5; seq <= 600; seq++) peer.say('new_message', { message: aMessage(groupId, seq) })
    peer.say('resumed', { groups: [[groupId, 3, true]] }, resume.ref)
    expect((await sending).message).toEqual(aMessage(groupId, 4, own))
    expect(sentBy(peer)).toBe(0)
  })

  it('is searched in the history if resume did not replay it', async () => {
    const { shown, sending, own, peer, resume } = await anUnanswered(90_000)
    peer.say('resumed', { groups: [[groupId, 90_000, false]] }, resume.ref)
    const first = await peer.next('get_history')
    expect(first.fields).toEqual({ groupId, after: 1, limit: 200 })
    peer.say('history', { groupId, messages: [aMessage(groupId, 500)], hasMore: true }, first.ref)
    const second = await peer.next('get_history')
    expect(second.fields).toEqual({ groupId, after: 500, limit: 200 })
    // Of another sender, and the one.
    const messages = [aMessage(groupId, 501, { tempId: own.tempId }), aMessage(groupId, 502, own)]
    peer.say('history', { groupId, messages, hasMore: false }, second.ref)
    expect((await sending).message.seq).toBe(502)
    expect(shown).toEqual(['missed kitchen 2-90000'])
    expect(sentBy(peer)).toBe(0)
  })

  it('is searched over reconnects, and sent again if it is not found', async () => {
    const stage = await anUnanswered(90_000)
    const { client, clock, sending, own } = stage
    stage.peer.say('resumed', { groups: [[groupId, 90_000, false]] }, stage.resume.ref)
    const first = await stage.peer.next('get_history')
    stage.peer.say('history', { groupId, messages: [aMessage(groupId, 500)], hasMore: true }, first.ref)
    await stage.peer.next('get_history')
    const peer = await reconnect(stage, stage.peer, [[groupId, 90_001]])
    peer.say('resumed', { groups: [[groupId, 90_001, true]] }, (await peer.next('resume')).ref)
    const refused = await peer.next('get_history')
    expect(refused.fields.after).toBe(500)
    peer.refuse(refused.ref, 'overloaded', 700)
    await eventually(() => expect(clock.dueInMs).toContain(700))
    expect(sentBy(peer)).toBe(0)
    clock.advance(700)
    const last = await peer.next('get_history')
    peer.say('history', { groupId, messages: [], hasMore: false }, last.ref)
    const again = await peer.next('send_message')
    expect(again.fields.tempId).toBe(own.tempId)
    peer.confirm(again, 90_002)
    expect((await sending).message.seq).toBe(90_002)
    expect(client.unsent).toBe(0)
  })

  it('that the history shows as lost in a crash is sent again', async () => {
    const stage = await aConnectedStage([[groupId, 1]])
    const sending = stage.client.sendMessage({ groupId, content: 'olá' })
    const { fields } = await stage.peer.next('send_message')
    const own = { senderId: 'ana', tempId: fields.tempId }
    stage.peer.say('new_message', { message: aMessage(groupId, 2, own) })
    await eventually(() => expect(stage.shown).toEqual(['kitchen:2']))
    const peer = await reconnect(stage, stage.peer, [[groupId, 90_000]])
    peer.say('resumed', { groups: [[groupId, 90_000, false]] }, (await peer.next('resume')).ref)
    const asked = await peer.next('get_history')
    peer.say(
      'history',
      { groupId, messages: [], hasMore: false, gaps: [{ seq: 9, from: 2, to: 8 }] },
      asked.ref,
    )
    peer.confirm(await peer.next('send_message'), 90_001)
    expect((await sending).message.seq).toBe(90_001)
  })

  it('to a group that the user is no longer in is sent again immediately, and rejects', async () => {
    const { sending, peer, resume } = await anUnanswered(3)
    peer.say('resumed', { groups: [] }, resume.ref)
    peer.refuse((await peer.next('send_message')).ref, 'not_found')
    await expect(sending).rejects.toMatchObject({ code: 'not_found' })
  })
})
