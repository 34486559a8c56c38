import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { aMessage, type Peer } from '../support/scripted-server.ts'
import { aConnectedStage, aStage, inState, reconnect } from './harness.ts'

const groupId = 'kitchen'

function sentBy(peer: Peer): readonly string[] {
  return peer.requests.flatMap((request) =>
    request.event === 'send_message' ? [`${request.fields.groupId} ${request.fields.content}`] : [],
  )
}

describe('sendMessage', () => {
  it('creates a new tempId if none is given, and resolves with message_sent', async () => {
    const { client, peer } = await aConnectedStage()
    const tempIds: string[] = []
    for (const seq of [2, 3]) {
      const sending = client.sendMessage({ groupId, content: 'olá' })
      const request = await peer.next('send_message')
      tempIds.push(request.fields.tempId)
      peer.confirm(request, seq)
      expect(await sending).toMatchObject({ success: true, message: { seq, content: 'olá' } })
    }
    expect(new Set(tempIds).size).toBe(2)
    for (const tempId of tempIds) expect(tempId).toMatch(/^[\w-]{20}$/)
    const given = client.sendMessage({ groupId, content: 'olá', tempId: 'mine' })
    const request = await peer.next('send_message')
    expect(request.fields.tempId).toBe('mine')
    peer.confirm(request, 4)
    await given
  })

  it('rejects with a permanent error, in either event', async () => {
    const { client, peer } = await aConnectedStage()
    const first = expect(client.sendMessage({ groupId, content: '' })).rejects.toMatchObject({
      name: 'ChatError',
      code: 'bad_request',
    })
    const { ref, fields } = await peer.next('send_message')
    const error = { code: 'bad_request', message: 'content of a text may not be empty' }
    peer.say('message_error', { tempId: fields.tempId, error, timestamp: 0 }, ref)
    await first
    const second = expect(client.sendMessage({ groupId, content: 'x' })).rejects.toMatchObject({
      code: 'not_a_member',
    })
    peer.refuse((await peer.next('send_message')).ref, 'not_a_member')
    await second
    expect(client.unsent).toBe(0)
  })

  it('delivers the sender’s message once, in the order of the group', async () => {
    const { client, peer, shown } = await aConnectedStage([[groupId, 1]])
    const sending = client.sendMessage({ groupId, content: 'olá' })
    const request = await peer.next('send_message')
    peer.say('new_message', { message: aMessage(groupId, 2) })
    peer.say('new_message', {
      message: aMessage(groupId, 3, { senderId: 'ana', tempId: request.fields.tempId }),
    })
    peer.confirm(request, 3)
    await sending
    expect(shown).toEqual(['kitchen:2', 'kitchen:3'])
  })

  it('before the first connection is sent once connected', async () => {
    const { client, server } = await aStage()
    const sending = client.sendMessage({ groupId, content: 'early' })
    client.connect().catch(() => {})
    const peer = await server.accept()
    await peer.greet()
    peer.confirm(await peer.next('send_message'), 2)
    expect((await sending).message.content).toBe('early')
  })

  it('rejects the 1,001st without an answer, and accepts one again when there is room', async () => {
    const { client, peer } = await aConnectedStage()
    const all = Array.from({ length: 1_000 }, (_, i) => client.sendMessage({ groupId, content: `${i}` }))
    expect(client.unsent).toBe(1_000)
    await expect(client.sendMessage({ groupId, content: 'one more' })).rejects.toMatchObject({
      name: 'ChatError',
      code: 'overloaded',
    })
    peer.confirm(await peer.next('send_message'), 2)
    await all[0]
    const after = client.sendMessage({ groupId, content: 'room' })
    client.close()
    await Promise.allSettled([...all, after])
  })
})

describe('a group’s messages', () => {
  it('are sent one at a time, different groups in parallel', async () => {
    const { client, peer } = await aConnectedStage()
    const all = ['a', 'b'].map((content) => client.sendMessage({ groupId, content }))
    all.push(client.sendMessage({ groupId: 'attic', content: 'c' }))
    const first = await peer.next('send_message')
    const other = await peer.next('send_message')
    expect(sentBy(peer)).toEqual(['kitchen a', 'attic c'])
    peer.confirm(first, 2)
    peer.confirm(await peer.next('send_message'), 3)
    peer.confirm(other, 9)
    expect((await Promise.all(all)).map(({ message }) => message.seq)).toEqual([2, 3, 9])
  })

  it('are sent up to `sendWindow` at a time', async () => {
    const { client, peer } = await aConnectedStage([], { sendWindow: 2 })
    const all = ['a', 'b', 'c'].map((content) => client.sendMessage({ groupId, content }))
    const [first, second] = [await peer.next('send_message'), await peer.next('send_message')]
    expect(sentBy(peer)).toEqual(['kitchen a', 'kitchen b'])
    peer.confirm(first, 2)
    const third = await peer.next('send_message')
    peer.confirm(second, 3)
    peer.confirm(third, 4)
    await Promise.all(all)
  })

  it('stay in order if one fails for a while: the later ones wait for it', async () => {
    const { client, peer, clock } = await aConnectedStage()
    const all = ['a', 'b'].map((content) => client.sendMessage({ groupId, content }))
    const first = await peer.next('send_message')
    peer.refuse(first.ref, 'overloaded', 900)
    await eventually(() => expect(clock.dueInMs).toContain(900))
    clock.advance(899)
    const other = client.sendMessage({ groupId: 'attic', content: 'c' })
    peer.confirm(await peer.next('send_message'), 5)
    await other
    expect(sentBy(peer)).toEqual(['kitchen a', 'attic c'])
    clock.advance(1)
    const again = await peer.next('send_message')
    expect(again.fields).toEqual(first.fields)
    peer.confirm(again, 2)
    peer.confirm(await peer.next('send_message'), 3)
    await Promise.all(all)
    expect(sentBy(peer)).toEqual(['kitchen a', 'attic c', 'kitchen a', 'kitchen b'])
  })

  it('wait for the backoff if the error has no retryAfterMs', async () => {
    const { client, peer, clock } = await aConnectedStage()
    const sending = client.sendMessage({ groupId, content: 'a' })
    for (const delayMs of [500, 1_000, 2_000]) {
      peer.refuse((await peer.next('send_message')).ref, 'storage_unavailable')
      await eventually(() => expect(clock.dueInMs).toContain(delayMs))
      clock.advance(delayMs)
    }
    peer.confirm(await peer.next('send_message'), 2)
    await sending
  })

  it('reject after five `internal` errors', async () => {
    const { client, peer, clock } = await aConnectedStage()
    const sending = expect(client.sendMessage({ groupId, content: 'a' })).rejects.toMatchObject({
      code: 'internal',
    })
    for (let i = 1; i <= 5; i++) {
      peer.refuse((await peer.next('send_message')).ref, 'internal', 1)
      if (i === 5) break
      await eventually(() => expect(clock.dueInMs).toContain(1))
      clock.advance(1)
    }
    await sending
  })
})

describe('the user’s rate limit', () => {
  // LIM-1
  it('lets one message be sent per retryAfterMs, until all are sent', async () => {
    const { client, peer, clock } = await aConnectedStage()
    const all = ['a', 'b', 'c'].map((group) => client.sendMessage({ groupId: group, content: 'x' }))
    const refused = []
    for (let i = 0; i < 3; i++) refused.push(await peer.next('send_message'))
    for (const { ref } of refused) peer.refuse(ref, 'rate_limited', 600)
    await eventually(() => expect(clock.dueInMs.filter((ms) => ms === 600)).toHaveLength(1))
    clock.advance(599)
    expect(sentBy(peer)).toHaveLength(3)
    clock.advance(1)
    for (const seq of [2, 3, 4]) {
      const next = await peer.next('send_message')
      peer.confirm(next, seq)
      await eventually(() => expect(client.unsent).toBe(4 - seq))
      expect(sentBy(peer)).toHaveLength(3 + seq - 1)
      clock.advance(600)
    }
    await Promise.all(all)
    expect(sentBy(peer)).toEqual(['a x', 'b x', 'c x', 'a x', 'b x', 'c x'])
    const free = ['a', 'b'].map((group) => client.sendMessage({ groupId: group, content: 'y' }))
    for (const seq of [5, 6]) peer.confirm(await peer.next('send_message'), seq)
    await Promise.all(free)
  })

  it('affects few messages: of many groups, 32 are in flight', async () => {
    const { client, peer } = await aConnectedStage()
    const all = Array.from({ length: 40 }, (_, i) => client.sendMessage({ groupId: `g${i}`, content: 'x' }))
    const first = await peer.next('send_message')
    await eventually(() => expect(sentBy(peer)).toHaveLength(32))
    peer.confirm(first, 2)
    await eventually(() => expect(sentBy(peer)).toHaveLength(33))
    client.close()
    await Promise.allSettled(all)
  })
})

describe('a message without an answer', () => {
  it('is sent again after a reconnect, with its tempId and in order', async () => {
    const stage = await aConnectedStage()
    const all = ['a', 'b'].map((content) => stage.client.sendMessage({ groupId, content }))
    const first = await stage.peer.next('send_message')
    const peer = await reconnect(stage, stage.peer)
    const again = await peer.next('send_message')
    expect(again.fields).toEqual(first.fields)
    peer.confirm(again, 2)
    peer.confirm(await peer.next('send_message'), 3)
    expect((await Promise.all(all)).map(({ message }) => message.content)).toEqual(['a', 'b'])
  })

  it('is sent again after 15 s, on the same connection', async () => {
    const { client, peer, clock } = await aConnectedStage()
    const sending = client.sendMessage({ groupId, content: 'a' })
    const first = await peer.next('send_message')
    clock.advance(15_000)
    const again = await peer.next('send_message')
    expect(again.fields).toEqual(first.fields)
    peer.confirm(again, 2)
    await sending
  })

  it('that was delivered and then lost in a crash is sent again, after the gap', async () => {
    const stage = await aConnectedStage([[groupId, 1]])
    const sending = stage.client.sendMessage({ groupId, content: 'a' })
    const { fields } = await stage.peer.next('send_message')
    const own = { senderId: 'ana', tempId: fields.tempId }
    stage.peer.say('new_message', { message: aMessage(groupId, 2, own) })
    await eventually(() => expect(stage.shown).toEqual(['kitchen:2']))

    const peer = await reconnect(stage, stage.peer, [[groupId, 1_025]])
    const resume = await peer.next('resume')
    expect(resume.fields.groups).toEqual([[groupId, 2]])
    peer.say('gap', { groupId, seq: 1_025, from: 2, to: 1_024 })
    peer.say('resumed', { groups: [[groupId, 1_025, true]] }, resume.ref)
    const again = await peer.next('send_message')
    peer.say('new_message', { message: aMessage(groupId, 1_026, own) })
    peer.confirm(again, 1_026)
    expect((await sending).message.seq).toBe(1_026)
    expect(stage.shown).toEqual(['kitchen:2', 'gap kitchen:1025 2-1024', 'kitchen:1026'])
    expect(sentBy(peer)).toEqual(['kitchen a'])
  })

  it('is sent again immediately if a gap on the same connection reverts it', async () => {
    const { client, peer, shown } = await aConnectedStage([[groupId, 1]])
    const sending = client.sendMessage({ groupId, content: 'a' })
    const { fields } = await peer.next('send_message')
    peer.say('new_message', { message: aMessage(groupId, 2, { senderId: 'ana', tempId: fields.tempId }) })
    peer.say('gap', { groupId, seq: 9, from: 2, to: 8 })
    const again = await peer.next('send_message')
    expect(again.fields).toEqual(fields)
    peer.confirm(again, 10)
    expect((await sending).message.seq).toBe(10)
    expect(shown).toEqual(['kitchen:2', 'gap kitchen:9 2-8'])
  })

  // GAP-1
  it.each([
    ['begins with it', 5, 8, true],
    ['ends with it', 2, 5, true],
    ['ends before it', 2, 4, false],
    ['begins after it', 6, 8, false],
  ])('is sent again where a gap contains its number: one that %s', async (_, from, to, taken) => {
    const { client, peer, clock } = await aConnectedStage([[groupId, 4]])
    const sending = client.sendMessage({ groupId, content: 'a' })
    const first = await peer.next('send_message')
    const own = { senderId: 'ana', tempId: first.fields.tempId }
    peer.say('new_message', { message: aMessage(groupId, 5, own) })
    peer.say('gap', { groupId, seq: 9, from, to })
    if (taken) {
      peer.confirm(await peer.next('send_message'), 10)
    } else {
      // Long enough for a repeated send to arrive, too short for one after no answer.
      clock.advance(1_000)
      const pinging = client.ping({})
      peer.say('pong', { serverTime: 1 }, (await peer.next('ping')).ref)
      await pinging
      peer.confirm(first, 5)
    }
    expect((await sending).message.seq).toBe(taken ? 10 : 5)
    expect(sentBy(peer)).toEqual(taken ? ['kitchen a', 'kitchen a'] : ['kitchen a'])
  })

  it('waits while a server restarts', async () => {
    const { client, peer, clock, server } = await aConnectedStage()
    const sending = client.sendMessage({ groupId, content: 'a' })
    const { ref } = await peer.next('send_message')
    peer.say('server_shutdown', { reason: 'update', reconnectInMs: 40 })
    peer.refuse(ref, 'shutting_down')
    peer.close(1001)
    clock.advance((await inState(client, 'reconnecting')).delayMs)
    const next = await server.accept()
    await next.greet()
    clock.advance(500)
    next.confirm(await next.next('send_message'), 2)
    await sending
  })
})
