/**
 * CONTACT_POLICY over real sockets and over HTTP. // PRV-2
 */
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { Device, jwtSecret, type Rows, startRows, wires } from './harness.ts'

/** All events about Bruno that a device has received, once everything in transit has arrived. */
async function aboutBruno(device: Device): Promise<readonly string[]> {
  await device.get('ping', {}, 'pong')
  return device.events.flatMap(({ event, fields }) => {
    const isAboutBruno = Object.values(fields).includes('bruno')
    return event !== 'user_joined_group' && event !== 'contact_status_changed' && !isAboutBruno ? [] : [event]
  })
}

const openChat = async (device: Device, to: string) => device.group({ kind: 'direct', members: [to] })

async function http(rows: Rows, userId: string, method: string, path: string, body?: object) {
  const response = await fetch(`http://127.0.0.1:${rows.server.port}/api/chat${path}`, {
    method,
    headers: { authorization: `Bearer ${await rows.tokenOf(userId)}`, 'content-type': 'application/json' },
    body: body ? JSON.stringify(body) : null,
  })
  return { status: response.status, body: await response.json() }
}

describe.each(wires)('the contact policy over $wire', ({ protocol }) => {
  it('open shows nothing of the other user, by request or event, before they answer', async () => {
    const rows = await startRows(protocol, { presenceGraceMs: 0 })
    const ana = await rows.device('ana')
    const bruno = await rows.device('bruno')
    const groupId = await openChat(ana, 'bruno')
    const messageId = await ana.post(groupId)
    await bruno.next('new_message')
    await bruno.get('typing_start', { groupId }, 'ok')
    await bruno.get('message_delivered', { messageIds: [messageId] }, 'ok')
    await bruno.get('message_read', { messageIds: [messageId], groupId }, 'ok')
    await bruno.get('update_status', { status: 'busy' }, 'ok')
    bruno.ws.close()
    await bruno.closed()
    const again = await rows.device('bruno')
    expect(await ana.refusal('signal', { groupId, toUserId: 'bruno', kind: 'k', payload: 'p' })).toBe(
      'no_contact',
    )
    const { users } = await ana.get('get_contacts', {}, 'users')
    expect(users).toMatchObject([{ userId: 'bruno', name: 'Bruno', status: 'offline' }])
    expect(users[0]?.lastSeenAt ?? null).toBeNull()
    const id = encodeURIComponent(messageId)
    expect(await http(rows, 'ana', 'GET', `/messages/${id}/receipts`)).toMatchObject({
      status: 200,
      body: { delivered: [], read: [], deliveredCount: 0, readCount: 0 },
    })
    const online = await http(rows, 'ana', 'GET', `/groups/${groupId}/online`)
    expect(online.body).toMatchObject({ users: [{ userId: 'ana' }], total: 1 })
    expect(await aboutBruno(ana)).toEqual([])

    await again.post(groupId, 'hello')
    await ana.next('contact_status_changed')
    expect((await ana.get('get_online_users', { groupId }, 'online_users')).users).toMatchObject([
      { userId: 'ana' },
      { userId: 'bruno', status: 'busy' },
    ])
  })

  it('request invites, and delivers the waiting messages after the other user has joined', async () => {
    const rows = await startRows(protocol, { contactPolicy: 'request' })
    const ana = await rows.device('ana')
    const bruno = await rows.device('bruno')
    const groupId = await openChat(ana, 'bruno')
    await ana.post(groupId, 'hello')
    expect((await bruno.next('group_invited')).fields).toMatchObject({ groupId, by: 'ana' })
    expect(await bruno.refusal('get_history', { groupId })).toBe('not_found groupId')
    expect((await http(rows, 'bruno', 'GET', '/invitations')).body).toMatchObject({
      invitations: [{ by: 'ana', group: { groupId, kind: 'direct' } }],
    })
    expect(bruno.events.some(({ event }) => event === 'new_message')).toBe(false)
    await bruno.get('join_group', { groupId }, 'ok')
    expect((await bruno.next('new_message')).fields.message).toMatchObject({ groupId, content: 'hello' })
    expect((await ana.next('user_joined_group')).fields).toMatchObject({ groupId, userId: 'bruno' })
    expect((await bruno.get('get_groups', {}, 'groups')).groups).toMatchObject([{ unread: 1 }])
  })

  it('shared and closed refuse, also over HTTP', async () => {
    for (const contactPolicy of ['shared', 'closed'] as const) {
      const rows = await startRows(protocol, { contactPolicy })
      const ana = await rows.device('ana')
      const fields = { kind: 'direct', members: ['bruno'] } as const
      expect(await ana.refusal('create_group', fields)).toBe('no_contact members')
      const refused = await http(rows, 'ana', 'POST', '/groups', fields)
      expect([refused.status, refused.body.code ?? refused.body.error?.code]).toEqual([403, 'no_contact'])
      await ana.group({ members: ['bruno'] })
      if (contactPolicy === 'shared') await openChat(ana, 'bruno')
      else expect(await ana.refusal('create_group', fields)).toBe('no_contact members')
    }
  })

  it('closed lets the service open chats over HTTP, in the name of a user', async () => {
    const rows = await startRows(protocol, { contactPolicy: 'closed' })
    const claims = (await rows.tokenOf('ana')).split('.')[1] as string
    const signed = (more: object) =>
      new SignJWT({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), ...more })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(Buffer.from(jwtSecret))
    const open = async (more: object) => {
      const response = await fetch(`http://127.0.0.1:${rows.server.port}/api/chat/groups`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await signed(more)}`, 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'direct', members: ['bruno'] }),
      })
      return response.status
    }
    expect(await open({ tertulia_service: 'true' })).toBe(403)
    expect(await open({ tertulia_service: true })).toBe(201)
    const bruno = await rows.device('bruno')
    const { groups } = await bruno.get('get_groups', {}, 'groups')
    expect(groups).toMatchObject([{ group: { kind: 'direct', createdBy: 'ana' } }])
    // On a socket such a token is that of its user.
    const device = new Device(rows.server.port, {
      token: await signed({ tertulia_service: true }),
      protocols: [protocol],
    })
    await device.next('connected')
    expect(await device.refusal('create_group', { kind: 'direct', members: ['clara'] })).toBe(
      'no_contact members',
    )
  })
})
