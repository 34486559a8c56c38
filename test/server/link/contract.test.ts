import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { refusal, text } from '../../support/sessions.ts'
import { startInline, TestFront, ways } from './harness.ts'

describe.each(ways)('an engine $way', ({ reach }) => {
  async function aGroup(...others: string[]) {
    const real = await startInline({ presenceGraceMs: 0 })
    const front = new TestFront(await reach(real))
    const ana = await front.open('ana')
    await ana.request('create_group', { kind: 'group', groupId: 'team', members: others })
    return { real, front, ana }
  }

  it('opens sessions, answers requests and publishes once to each member', async () => {
    const { front, ana } = await aGroup('bruno')
    const bruno = await front.open('bruno')
    const sent = await ana.request('send_message', text('team', 'Hello'))
    const { message } = await bruno.next('new_message')
    expect([sent.event, message.content]).toEqual(['message_sent', 'Hello'])
    await bruno.request('ping', {})
    expect(bruno.of('new_message').length).toBe(1)
  })

  it('answers an invalid request with its ref, and counts malformed ones', async () => {
    const { ana } = await aGroup()
    await expect(ana.request('join_group', { groupId: 'nowhere' })).rejects.toMatchObject(
      refusal('not_found'),
    )
    await expect(ana.request('get_history', { groupId: 'team', limit: 'x' as never })).rejects.toMatchObject(
      refusal('bad_request', 'limit'),
    )
    await ana.request('ping', {})
    expect(ana.malformed).toBe(1)
  })

  it('refuses an identity that the engine would refuse', async () => {
    const { front } = await aGroup()
    await expect(front.open('')).rejects.toMatchObject(refusal('bad_request', 'userId'))
  })

  it('does not send an ephemeral event to the session that caused it', async () => {
    const { front, ana } = await aGroup('bruno')
    const bruno = await front.open('bruno')
    await ana.request('typing_start', { groupId: 'team' })
    await bruno.next('user_typing')
    await ana.request('ping', {})
    expect(ana.of('user_typing')).toEqual([])
  })

  it('reports presence of a session that opens and closes', async () => {
    const { front, ana } = await aGroup('bruno')
    const bruno = await front.open('bruno')
    await ana.next(
      'contact_status_changed',
      ({ userId, status }) => userId === 'bruno' && status === 'online',
    )
    bruno.leave()
    await ana.next(
      'contact_status_changed',
      ({ userId, status }) => userId === 'bruno' && status === 'offline',
    )
  })

  it('unsubscribes a member who is removed, after the event that says so', async () => {
    const { front, ana } = await aGroup('bruno')
    const bruno = await front.open('bruno')
    await bruno.request('ping', {})
    await ana.request('remove_member', { groupId: 'team', userId: 'bruno' })
    await bruno.next('user_left_group')
    await ana.request('send_message', text('team', 'Among us'))
    await bruno.request('ping', {})
    expect([bruno.of('new_message'), [...bruno.topics]]).toEqual([[], []])
  })

  it('waits for a slow reader before it sends more missed events', async () => {
    const { front, ana } = await aGroup('bruno')
    for (let i = 0; i < 250; i++) await ana.request('send_message', text('team', `${i}`))
    const bruno = await front.open('bruno')
    bruno.reads = false
    const resumed = bruno.request('resume', { groups: [['team', 0]] })
    await bruno.next('new_message')
    await bruno.request('ping', {})
    expect(bruno.of('new_message').length).toBeLessThan(250)
    bruno.drain()
    bruno.reads = true
    await resumed
    expect(bruno.of('new_message').map(({ message }) => message.content)).toEqual(
      Array.from({ length: 250 }, (_, i) => `${i}`),
    )
  })

  it('applies a newer token of a session', async () => {
    const { front, ana } = await aGroup('bruno')
    await front.open('bruno')
    front.engine.gateway.renew(ana.session, { userId: 'ana', name: 'Ana Maria' })
    const { name } = await ana.next('user_updated', ({ userId }) => userId === 'ana')
    expect(name).toBe('Ana Maria')
  })

  it('answers requests without a session, of the service and of users', async () => {
    const { front } = await aGroup()
    const ana = { userId: 'ana' }
    const sent = await front.engine.request(ana, 'send_message', text('team', 'From HTTP'), 'user')
    const { messages } = await front.engine.request(ana, 'get_history', { groupId: 'team' })
    expect(messages.map(({ messageId }) => messageId)).toEqual([sent.message.messageId])
    await expect(
      front.engine.request({ userId: 'eva' }, 'get_history', { groupId: 'team' }),
    ).rejects.toMatchObject(refusal('not_found'))
  })

  it('stores and reads files in chunks', async () => {
    const { front } = await aGroup()
    const { files } = front.engine
    const content = Buffer.alloc(700_000, 'abc')
    const sha256 = createHash('sha256').update(content).digest('hex')
    const ana = { userId: 'ana' }
    const begun = await front.engine.request(ana, 'upload_begin', {
      fileName: 'a.txt',
      fileSize: content.length,
      groupId: 'team',
      sha256,
    })
    const writer = await files.write('ana', begun.uploadId)
    await writer.write(content.subarray(0, 600_000))
    await writer.write(content.subarray(600_000))
    expect([writer.received, writer.size]).toEqual([700_000, 700_000])
    await writer.close()
    await front.engine.request(ana, 'upload_end', { uploadId: begun.uploadId })
    expect(await files.progress('ana', begun.uploadId)).toMatchObject({ received: 700_000 })

    const reader = await files.read('ana', sha256)
    expect(files.streams).toBe(1)
    const read = Buffer.alloc(content.length)
    for (let at = 0; at < read.length; ) at += await reader.read(read.subarray(at), at)
    expect(read.equals(content)).toBe(true)
    await reader.close()
    expect(files.streams).toBe(0)
    await expect(files.read('ana', '0'.repeat(64))).rejects.toMatchObject(refusal('not_found'))
    await expect(files.write('ana', 'nothing')).rejects.toMatchObject(refusal('not_found'))
  })

  it('reports health, statistics and details', async () => {
    const { front, ana } = await aGroup()
    expect(front.engine.health()).toEqual({ ready: true })
    expect(await front.engine.stats()).toMatchObject({ sessions: 1, hooks: { requests: 0 } })
    expect(await front.engine.details()).toMatchObject({ threads: [] })
    ana.leave()
    await expect.poll(async () => (await front.engine.stats()).sessions).toBe(0)
  })
})
