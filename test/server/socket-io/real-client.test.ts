/**
 * The real `socket.io-client` 4 with every event of the apps, field by field, over WebSocket, long polling
 * and the upgrade, on both transports of the server (SIO-1).
 */
import { describe, expect, it } from 'vitest'
import type { Server, ServerOptions } from '../../../server/server.ts'
import { transports } from '../../support/transports.ts'
import { startServer } from '../operation/server.ts'
import { type Client, connect, groupOf, type Payload } from './clients.ts'
import { isoTime, someNumber, someText } from './transcript.ts'

const ways = [
  ['WebSocket', ['websocket']],
  ['long polling', ['polling']],
  ['the upgrade', ['polling', 'websocket']],
] as const
const cases = transports.flatMap(({ name }) => ways.map(([way, list]) => [name, way, [...list]] as const))

const error = (code: string, fields: Payload = {}) => ({
  error: someText,
  message: someText,
  code,
  ...fields,
})

function messageOf(seq: number, by: string, fields: Payload): Payload {
  const messageId = `kitchen:${seq}`
  return {
    id: messageId,
    messageId,
    groupId: 'kitchen',
    seq,
    senderId: by,
    senderName: by,
    sender: { id: by, name: by },
    type: 'text',
    createdAt: isoTime,
    timestamp: isoTime,
    ...fields,
  }
}

describe.each(cases)('server on %s, clients over %s', (transport, way, list) => {
  const options = { transports: [...list] }

  /** Ana and Ben in the group `kitchen`, whose first message has the seq 2. */
  async function start(given: ServerOptions = {}): Promise<{ server: Server; ana: Client; ben: Client }> {
    const server = await startServer({ transport, presenceGraceMs: 0, ...given })
    const ana = await connect(server, 'ana', options)
    const ben = await connect(server, 'ben', options)
    await groupOf(ana, 'kitchen', ['ben'])
    await ben.next('group_created')
    return { server, ana, ben }
  }

  it('connected', async () => {
    const { server } = await start()
    const again = await connect(server, 'ben', options)
    expect(await again.next('connected')).toEqual({
      message: someText,
      userId: 'ben',
      timestamp: isoTime,
      sessionId: someText,
      serverVersion: someText,
      limits: expect.objectContaining({ maxMessageBytes: 65_536, maxUploadBytes: someNumber, rateLimit: 0 }),
      groups: [
        {
          group: {
            groupId: 'kitchen',
            kind: 'group',
            visibility: 'private',
            createdBy: 'ana',
            createdAt: isoTime,
            memberCount: 2,
            lastSeq: 1,
          },
          lastSeq: 1,
          unread: 0,
          mentions: 0,
          readSeq: 0,
        },
      ],
    })
    await again.settled()
    if (way !== 'long polling') expect(again.socket.io.engine.transport.name).toBe('websocket')
  })

  it('send_message, new_message, message_sent, message_error', async () => {
    const { ana, ben } = await start()
    const sent = messageOf(2, 'ana', { content: 'olá', tempId: 't1' })
    const answer = { tempId: 't1', success: true, message: sent }
    const given = { groupId: 'kitchen', content: 'olá', type: 'text', tempId: 't1' }
    expect(await ana.ask('send_message', given)).toEqual(answer)
    expect(await ana.next('message_sent')).toEqual(answer)
    expect(await ben.next('new_message')).toEqual({ ...sent, message: sent })
    const reply = messageOf(3, 'ben', {
      content: 'oi @ana',
      replyToId: 'kitchen:2',
      mentions: ['ana'],
      tempId: someText,
    })
    ben.emit('send_message', {
      groupId: 'kitchen',
      content: 'oi @ana',
      replyToId: 'kitchen:2',
      mentions: ['ana'],
    })
    expect(await ana.next('new_message')).toEqual({ ...reply, message: reply })
    const refused = error('not_found', { tempId: 't2', timestamp: isoTime, field: 'groupId' })
    const fields = { groupId: 'nowhere', content: 'x', tempId: 't2' }
    expect(await ana.ask('send_message', fields)).toEqual({ ...refused, success: false })
    expect(await ana.next('message_error')).toEqual(refused)
  })

  it('edit_message, delete_message, recall_message', async () => {
    const { ana, ben } = await start()
    for (const content of ['a', 'b', 'c']) await ana.ask('send_message', { groupId: 'kitchen', content })
    const at = (seq: number, of: string) => ({ groupId: 'kitchen', seq, messageId: of })
    expect(await ana.ask('edit_message', { messageId: 'kitchen:2', content: 'A' })).toEqual({ success: true })
    expect(await ana.ask('delete_message', { messageId: 'kitchen:3' })).toEqual({ success: true })
    expect(await ana.ask('recall_message', 'kitchen:4')).toEqual({ success: true })
    for (const client of [ana, ben]) {
      const edited = { content: 'A', editedAt: isoTime, mentions: [] }
      expect(await client.next('message_edited')).toEqual({ ...at(5, 'kitchen:2'), ...edited })
      const deleted = { deletedAt: isoTime, deletedBy: 'ana' }
      expect(await client.next('message_deleted')).toEqual({ ...at(6, 'kitchen:3'), ...deleted })
      const recalled = { recalledBy: 'ana', recalledAt: isoTime }
      expect(await client.next('message_recalled')).toEqual({ ...at(7, 'kitchen:4'), ...recalled })
    }
    // Without an acknowledgement id a refusal is an event.
    ben.emit('edit_message', { messageId: 'kitchen:2', content: 'B' })
    expect(await ben.next('error')).toEqual(error('not_yours', { event: 'edit_message' }))
    const listed = (await ben.ask('get_history', { groupId: 'kitchen' }))['messages']
    expect(listed).toEqual([
      messageOf(2, 'ana', { content: 'A', tempId: someText, editedAt: isoTime }),
      messageOf(3, 'ana', { content: '', tempId: someText, deletedAt: isoTime, deletedBy: 'ana' }),
      messageOf(4, 'ana', { content: '', tempId: someText, recalledAt: isoTime }),
    ])
  })

  it('message_delivered and message_read', async () => {
    const { ana, ben } = await start()
    for (const content of ['a', 'b']) await ana.ask('send_message', { groupId: 'kitchen', content })
    const of = (messageId: string) => ({ messageId, groupId: 'kitchen', timestamp: isoTime })
    expect(await ben.ask('message_delivered', { messageIds: ['kitchen:2', 'kitchen:3'] })).toEqual({
      success: true,
    })
    expect(await ana.next('message_delivered')).toEqual({ ...of('kitchen:2'), deliveredTo: 'ben' })
    expect(await ana.next('message_delivered')).toEqual({ ...of('kitchen:3'), deliveredTo: 'ben' })
    expect(await ben.ask('message_read', { messageId: 'kitchen:2', groupId: 'kitchen' })).toEqual({
      success: true,
    })
    expect(await ana.next('message_read')).toEqual({ ...of('kitchen:2'), readBy: 'ben' })
    expect(await ben.ask('message_read', { groupId: 'kitchen', upTo: 3 })).toEqual({ success: true })
    expect(await ana.next('message_read')).toMatchObject({
      groupId: 'kitchen',
      readBy: 'ben',
      timestamp: isoTime,
      upTo: 3,
    })
    const receipts = { messageId: 'kitchen:2', deliveredCount: 1, readCount: 1 }
    const people = { delivered: [['ben', isoTime]], read: [['ben', isoTime]] }
    expect(await ana.ask('get_receipts', 'kitchen:2')).toEqual({ success: true, ...receipts, ...people })
  })

  it('typing_start, typing_stop, user_typing, user_stopped_typing', async () => {
    const { ana, ben } = await start()
    expect(await ana.ask('typing_start', { groupId: 'kitchen' })).toEqual({ success: true })
    expect(await ben.next('user_typing')).toEqual({ userId: 'ana', userName: 'ana', groupId: 'kitchen' })
    ana.emit('typing_stop', 'kitchen')
    expect(await ben.next('user_stopped_typing')).toEqual({ userId: 'ana', groupId: 'kitchen' })
    await ana.settled()
    expect(ana.names).not.toContain('user_typing')
    expect(ana.names).not.toContain('error')
  })

  it('update_status, contact_status_changed, get_online_users', async () => {
    const { ana, ben } = await start()
    expect(await ana.ask('update_status', { status: 'away' })).toEqual({ success: true })
    const changed = { userId: 'ana', timestamp: isoTime }
    expect(await ben.next('contact_status_changed')).toEqual({ ...changed, status: 'away' })
    const users = [
      { userId: 'ana', name: 'ana', status: 'away' },
      { userId: 'ben', name: 'ben', status: 'online' },
    ]
    const answer = { groupId: 'kitchen', users: expect.toSatisfy((all) => sorted(all, users)), total: 2 }
    expect(await ben.ask('get_online_users', 'kitchen')).toEqual({ success: true, ...answer })
    expect(await ben.next('online_users')).toEqual(answer)
    ana.socket.disconnect()
    expect(await ben.next('contact_status_changed')).toEqual({
      ...changed,
      status: 'offline',
      lastSeenAt: isoTime,
    })
  })

  it('join_group, leave_group, user_joined_group, user_left_group', async () => {
    const { server, ana, ben } = await start({ socketIoLeave: 'membership' })
    await ana.ask('create_group', { kind: 'group', groupId: 'hall', visibility: 'open' })
    const cy = await connect(server, 'cy', options)
    expect(await cy.ask('join_group', 'hall')).toEqual({ success: true })
    const who = { userId: 'cy', userName: 'cy', groupId: 'hall' }
    expect(await ana.next('user_joined_group')).toEqual({ ...who, seq: 2 })
    expect(await cy.ask('leave_group', { groupId: 'hall' })).toEqual({ success: true })
    expect(await ana.next('user_left_group')).toEqual({ ...who, seq: 3 })
    expect(await ben.ask('join_group', 'cellar')).toEqual({
      success: false,
      ...error('not_found', { field: 'groupId' }),
    })
  })

  it('upload_file, upload_progress, file_uploaded', async () => {
    const { ana, ben } = await start()
    const bytes = Buffer.from('hello list')
    const given = { fileName: 'a.txt', file: bytes, fileSize: 10, groupId: 'kitchen', tempId: 'u1' }
    const answer = await ana.ask('upload_file', given)
    const file = {
      fileId: expect.stringMatching(/^kitchen:/),
      url: expect.stringMatching(/^\/api\/chat\/files\/kitchen:/),
      fileName: 'a.txt',
      mimeType: 'text/plain',
      size: 10,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    }
    const posted = messageOf(2, 'ana', { type: 'file', content: 'a.txt', tempId: 'u1', file })
    expect(answer).toEqual({ success: true, tempId: 'u1', message: posted, file })
    expect(await ana.next('upload_progress')).toEqual({ uploadId: someText, received: 10, size: 10 })
    expect(await ana.next('file_uploaded')).toEqual(file)
    expect(await ana.next('message_sent')).toEqual({ success: true, tempId: 'u1', message: posted })
    expect(await ben.next('new_message')).toEqual({ ...posted, message: posted })
    expect(answer['file']).toEqual((answer['message'] as Payload)['file'])
    const refused = error('not_found', { tempId: 'u2', timestamp: isoTime, field: 'groupId' })
    expect(await ana.ask('upload_file', { ...given, groupId: 'nowhere', tempId: 'u2' })).toMatchObject({
      success: false,
      code: 'not_found',
    })
    expect(await ana.next('message_error')).toEqual(refused)
  })

  it('SOCKET_IO_TIMES=ms leaves every time as a number', async () => {
    const { ana, ben } = await start({ socketIoTimes: 'ms', socketIoMessage: 'flat' })
    await ana.ask('send_message', { groupId: 'kitchen', content: 'x' })
    await ben.next('new_message')
    const edit = { messageId: 'kitchen:2', content: 'y' }
    await ana.ask('edit_message', edit)
    await ben.ask('message_read', 'kitchen:2')
    await ana.next('message_read')
    await ana.ask('get_groups', {})
    await ana.ask('get_history', 'kitchen')
    await ana.ask('get_members', 'kitchen')
    const times = [...ana.events, ...ben.events].flatMap(([, payload]) => timesIn(payload))
    expect(times.length).toBeGreaterThan(20)
    expect(times.filter((time) => !Number.isInteger(time))).toEqual([])
  })
})

/** Whether `all` are these people, in any order. */
function sorted(all: unknown, people: readonly Payload[]): boolean {
  const byId = (a: Payload, b: Payload) => String(a['userId']).localeCompare(String(b['userId']))
  expect([...(all as Payload[])].sort(byId)).toEqual(people)
  return true
}

/** The values of all fields that contain times. */
function timesIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, part]) =>
    /^(?:at|timestamp|\w+At)$/.test(name) ? [part] : timesIn(part),
  )
}
