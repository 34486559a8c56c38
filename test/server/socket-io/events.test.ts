/**
 * The seed's 13 client events and 14 server events, field by field, with the real client over WebSocket,
 * beside clients of the binary protocol (SIO-1).
 */
import { describe, expect, it } from 'vitest'
import type { Server } from '../../../server/server.ts'
import { connect as connectBinary, startServer } from '../operation/server.ts'
import { type Client, connect, groupOf } from './clients.ts'

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

async function start(options = {}): Promise<{ server: Server; ana: Client; ben: Client }> {
  const server = await startServer({ presenceGraceMs: 0, ...options })
  const ana = await connect(server, 'ana')
  const ben = await connect(server, 'ben')
  await groupOf(ana, 'kitchen', ['ben'])
  await ben.next('group_created')
  return { server, ana, ben }
}

const message = { groupId: 'kitchen', content: 'olá', type: 'TEXT', replyToId: null, tempId: 't1' }
const sent = {
  id: 'kitchen:2',
  messageId: 'kitchen:2',
  groupId: 'kitchen',
  seq: 2,
  senderId: 'ana',
  senderName: 'ana',
  sender: { id: 'ana', name: 'ana' },
  type: 'text',
  content: 'olá',
  createdAt: expect.stringMatching(ISO),
  timestamp: expect.stringMatching(ISO),
  tempId: 't1',
}

describe('messages', () => {
  it('send_message is answered with message_sent, and members receive new_message in both forms', async () => {
    const { server, ana, ben } = await start()
    const binary = await connectBinary(server, 'ben')
    ana.emit('send_message', message)
    expect(await ana.next('message_sent')).toEqual({ tempId: 't1', success: true, message: sent })
    expect(await ben.next('new_message')).toEqual({ ...sent, message: sent })
    const { fields } = await binary.next('new_message')
    expect(fields.message).toMatchObject({ seq: 2, senderId: 'ana', content: 'olá' })
  })

  it('the sending session gets no new_message, other devices of the user do', async () => {
    const { server, ana, ben } = await start()
    const tablet = await connect(server, 'ana')
    expect(await ana.ask('send_message', message)).toEqual({ tempId: 't1', success: true, message: sent })
    await tablet.next('new_message')
    await ana.settled()
    expect(ana.names).not.toContain('new_message')
    ben.emit('send_message', { groupId: 'kitchen', content: 'hi' })
    expect(await ana.next('new_message')).toMatchObject({ senderId: 'ben', seq: 3 })
  })

  it('the same with FANOUT=committed', async () => {
    const { ana, ben } = await start({ fanout: 'committed' })
    await ana.ask('send_message', message)
    await ben.next('new_message')
    await ana.settled()
    expect(ana.names).not.toContain('new_message')
  })

  it.each([
    ['nested', { message: sent }],
    ['flat', sent],
  ] as const)('SOCKET_IO_MESSAGE=%s', async (socketIoMessage, expected) => {
    const { ana, ben } = await start({ socketIoMessage })
    ana.emit('send_message', message)
    expect(await ben.next('new_message')).toEqual(expected)
  })

  it('SOCKET_IO_TIMES=ms leaves times as numbers', async () => {
    const { ana, ben } = await start({ socketIoTimes: 'ms' })
    ana.emit('send_message', message)
    expect((await ben.next('new_message'))['createdAt']).toEqual(expect.any(Number))
  })

  it('message_error has its text under error, with the code beside it', async () => {
    const { ana } = await start()
    const answer = await ana.ask('send_message', { groupId: 'nowhere', content: 'x', tempId: 't9' })
    const error = { error: expect.any(String), message: expect.any(String), code: 'not_found' }
    expect(answer).toMatchObject({ success: false, ...error })
    expect(await ana.next('message_error')).toMatchObject({
      tempId: 't9',
      ...error,
      timestamp: expect.stringMatching(ISO),
    })
  })

  it('one tempId makes one message, also when the client repeats it', async () => {
    const { ana } = await start()
    const first = await ana.ask('send_message', message)
    expect(await ana.ask('send_message', message)).toEqual(first)
  })

  it('edit, delete and recall reach the members', async () => {
    const { ana, ben } = await start()
    await ana.ask('send_message', message)
    await ana.ask('send_message', { ...message, tempId: 't2' })
    const messageId = 'kitchen:2'
    expect(await ana.ask('edit_message', { messageId, content: 'oi' })).toEqual({ success: true })
    expect(await ben.next('message_edited')).toMatchObject({
      messageId,
      groupId: 'kitchen',
      content: 'oi',
      editedAt: expect.stringMatching(ISO),
    })
    expect(await ana.ask('recall_message', { messageId })).toEqual({ success: true })
    expect(await ben.next('message_recalled')).toMatchObject({ messageId, recalledBy: 'ana' })
    expect(await ana.ask('delete_message', { messageId: 'kitchen:3' })).toEqual({ success: true })
    expect(await ben.next('message_deleted')).toMatchObject({
      messageId: 'kitchen:3',
      deletedBy: 'ana',
      deletedAt: expect.stringMatching(ISO),
    })
  })

  it('message_delivered and message_read come once per message id', async () => {
    const { ana, ben } = await start()
    for (const tempId of ['a', 'b']) await ana.ask('send_message', { ...message, tempId })
    await ben.ask('message_delivered', ['kitchen:2', 'kitchen:3'])
    const one = { groupId: 'kitchen', deliveredTo: 'ben', timestamp: expect.stringMatching(ISO) }
    expect(await ana.next('message_delivered')).toEqual({ messageId: 'kitchen:2', ...one })
    expect(await ana.next('message_delivered')).toEqual({ messageId: 'kitchen:3', ...one })
    // `messageId` for `messageIds`, the group from the message id.
    expect(await ben.ask('message_read', { messageId: 'kitchen:3' })).toEqual({ success: true })
    expect(await ana.next('message_read')).toMatchObject({ messageId: 'kitchen:3', readBy: 'ben' })
  })
})

describe('groups and presence', () => {
  it('typing_start and typing_stop', async () => {
    const { ana, ben } = await start()
    ana.emit('typing_start', 'kitchen')
    expect(await ben.next('user_typing')).toEqual({ userId: 'ana', userName: 'ana', groupId: 'kitchen' })
    ana.emit('typing_stop', { groupId: 'kitchen' })
    expect(await ben.next('user_stopped_typing')).toEqual({ userId: 'ana', groupId: 'kitchen' })
  })

  it('update_status and get_online_users', async () => {
    const { ana, ben } = await start()
    expect(await ana.ask('update_status', { status: 'busy' })).toEqual({ success: true })
    expect(await ben.next('contact_status_changed')).toMatchObject({
      userId: 'ana',
      status: 'busy',
      timestamp: expect.stringMatching(ISO),
    })
    ben.emit('get_online_users', { groupId: 'kitchen' })
    expect(await ben.next('online_users')).toMatchObject({ groupId: 'kitchen', total: 2 })
  })

  it('join_group and, with SOCKET_IO_LEAVE=membership, leave_group', async () => {
    const { server, ana } = await start({ socketIoLeave: 'membership' })
    await ana.ask('create_group', { kind: 'group', groupId: 'hall', visibility: 'open' })
    const cy = await connect(server, 'cy')
    expect(await cy.ask('join_group', { groupId: 'hall' })).toMatchObject({ success: true })
    expect(await ana.next('user_joined_group')).toMatchObject({ userId: 'cy', groupId: 'hall' })
    expect(await cy.ask('leave_group', 'hall')).toMatchObject({ success: true })
    expect(await ana.next('user_left_group')).toMatchObject({ userId: 'cy', groupId: 'hall' })
  })

  it('leave_group only closes a screen by default', async () => {
    const { ana, ben } = await start()
    expect(await ben.ask('leave_group', { groupId: 'kitchen' })).toEqual({ success: true })
    ana.emit('send_message', message)
    await ben.next('new_message')
  })

  it('upload_file stores the file and posts it', async () => {
    const { ana, ben } = await start()
    const file = Buffer.from('hello list')
    const given = { fileName: 'a.txt', file, fileSize: file.length, groupId: 'kitchen', tempId: 'u1' }
    const answer = await ana.ask('upload_file', given)
    expect(answer).toMatchObject({ success: true, tempId: 'u1', file: { fileName: 'a.txt', size: 10 } })
    expect(await ana.next('file_uploaded')).toMatchObject({ fileName: 'a.txt', size: 10 })
    expect(await ben.next('new_message')).toMatchObject({
      type: 'file',
      content: 'a.txt',
      file: { fileName: 'a.txt', size: 10 },
    })
  })

  it.each([
    ['base64', Buffer.from('hello list').toString('base64')],
    ['a data URL', `data:text/plain;base64,${Buffer.from('hello list').toString('base64')}`],
    ['a list of bytes', [...Buffer.from('hello list')]],
  ])('upload_file accepts %s', async (_, file) => {
    const { ana } = await start()
    const answer = await ana.ask('upload_file', { fileName: 'a.txt', file, groupId: 'kitchen' })
    expect(answer).toMatchObject({ success: true, file: { size: 10 } })
  })

  it('upload_file stores a file that is larger than a frame', async () => {
    const { ana, ben } = await start()
    const file = Buffer.alloc(1_000_000, 'x')
    expect(await ana.ask('upload_file', { fileName: 'a.txt', file, groupId: 'kitchen' })).toMatchObject({
      success: true,
      file: { size: 1_000_000 },
    })
    await ben.next('new_message')
    expect(ana.names.filter((name) => name === 'upload_progress')).toHaveLength(1)
  })

  it('upload_file refuses a list view that was sent as its whole buffer', async () => {
    const { ana } = await start()
    const given = { fileName: 'a.txt', file: Buffer.alloc(64), fileSize: 10, groupId: 'kitchen' }
    expect(await ana.ask('upload_file', given)).toMatchObject({ success: false, code: 'bad_file' })
  })
})

describe('every event with an acknowledgement', () => {
  it('gets exactly one map, also when it fails', async () => {
    const { ana } = await start()
    expect(await ana.ask('get_history', { groupId: 'kitchen' })).toMatchObject({
      success: true,
      hasMore: false,
    })
    expect(await ana.ask('no_such_event', 1)).toMatchObject({ success: false, code: 'unknown_event' })
    expect(await ana.ask('join_group')).toMatchObject({
      success: false,
      code: 'bad_request',
      field: 'groupId',
    })
    expect(await ana.ask('join_group', { groupId: '\ud800' })).toMatchObject({
      code: 'bad_request',
      message: 'groupId must be well-formed Unicode',
      field: 'groupId',
    })
    ana.emit('join_group', { groupId: 'nowhere' })
    expect(await ana.next('error')).toMatchObject({ code: 'not_found', event: 'join_group' })
  })

  it('resume sends the missed events by name, then resumed', async () => {
    const { server, ana } = await start()
    await ana.ask('send_message', message)
    const again = await connect(server, 'ben')
    again.emit('resume', { groups: [['kitchen', 1]] })
    expect(await again.next('new_message')).toMatchObject({ seq: 2 })
    expect(await again.next('resumed')).toEqual({ groups: [['kitchen', 2, true]] })
  })
})
