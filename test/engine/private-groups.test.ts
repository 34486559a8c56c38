/**
 * IDN-7: to others a private group or direct chat does not exist. Every request of the table that
 * contains a group, a message or a file is refused exactly as for an id that was never assigned.
 */
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import type { MethodRequest } from '../../protocol/methods.ts'
import { requests } from '../../protocol/requests.ts'
import { modes } from '../support/engines.ts'
import { text } from '../support/sessions.ts'

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47])

/** A request for the group, its second event and its file. */
const asks = (groupId: string): { readonly [N in string]: object } => {
  const messageId = `${groupId}:2`
  const old = { groupId, userId: 'bruno' }
  return {
    join_group: { groupId },
    leave_group: { groupId },
    add_member: { ...old, userId: 'eva' },
    remove_member: old,
    send_message: { groupId, content: 'olá', tempId: 'mine' },
    get_history: { groupId },
    edit_message: { messageId, content: 'x' },
    delete_message: { messageId },
    recall_message: { messageId },
    react: { messageId, emoji: '👍' },
    unreact: { messageId, emoji: '👍' },
    pin_message: { messageId },
    unpin_message: { messageId },
    update_group: { groupId, name: 'x' },
    ban_member: old,
    set_role: { ...old, role: 'admin' },
    mute_group: { groupId },
    invite_member: { ...old, userId: 'eva' },
    decline_invitation: { groupId },
    mute_member: old,
    mark_unread: { groupId, seq: 1 },
    typing_start: { groupId },
    typing_stop: { groupId },
    get_online_users: { groupId },
    message_delivered: { messageIds: [messageId] },
    message_read: { messageIds: [messageId], groupId },
    get_receipts: { messageId },
    signal: { groupId, kind: 'call', payload: '' },
    search: { query: 'secret', groupId },
    upload_file: { groupId, fileName: 'a.png', file: png, fileSize: png.length },
    upload_begin: { groupId, fileName: 'a.png', fileSize: 4 },
    get_file: { fileId: `${groupId}:f0123456789abcdef` },
    get_members: { groupId },
    get_pins: { groupId },
  }
}

/** The answers of a user to each request. */
async function answers(engine: Engine, userId: string, groupId: string) {
  const answers: Record<string, unknown> = {}
  for (const [name, fields] of Object.entries(asks(groupId))) {
    answers[name] = await engine
      .request({ userId, name: userId }, name as MethodRequest, fields as never)
      .then(
        () => 'answered',
        ({ code, message, field, retryAfterMs }) => ({ code, message, field, retryAfterMs }),
      )
  }
  return answers
}

it('the list contains every request that names a group', () => {
  const named = Object.entries(requests)
    .filter(([name]) => name !== 'create_group' && name !== 'resume')
    .filter(([, { fields }]) => Object.keys(fields).some((field) => /^(group|message|file)Ids?$/.test(field)))
    .map(([name]) => name)
  expect(Object.keys(asks('g')).sort()).toEqual(named.sort())
})

describe.each(modes)('a private group, $mode', ({ start }) => {
  it('does not exist for strangers, former members and banned users', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
    const bruno = await engine.connect({ userId: 'bruno', name: 'Bruno' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno', 'leo', 'max'] })
    await ana.sendMessage(text(groupId, 'a secret'))
    await ana.banMember({ groupId, userId: 'max' })
    await ana.removeMember({ groupId, userId: 'leo' })
    const direct = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
    await bruno.sendMessage(text(direct.groupId, 'a secret'))

    const none = await answers(engine, 'eva', 'none')
    for (const [name, answers] of Object.entries(none)) {
      expect([name, answers]).toMatchObject([name, { code: 'not_found' }])
    }
    for (const [userId, id] of [
      ['eva', groupId],
      ['leo', groupId],
      ['max', groupId],
      ['eva', direct.groupId],
    ] as const) {
      expect([userId, await answers(engine, userId, id)]).toEqual([userId, none])
    }
  })

  it('exists for invited users only to accept or decline', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
    const eva = await engine.connect({ userId: 'eva', name: 'Eva' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await ana.inviteMember({ groupId, userId: 'eva' })
    const { decline_invitation, join_group, ...others } = await answers(engine, 'leo', 'none')
    expect([decline_invitation, join_group]).toMatchObject([{ code: 'not_found' }, { code: 'not_found' }])
    for (const name of Object.keys(others) as MethodRequest[]) {
      const asked = engine.request({ userId: 'eva' }, name, asks(groupId)[name] as never)
      await expect(asked).rejects.toMatchObject(others[name] as object)
    }
    await eva.joinGroup({ groupId })
    await eva.sendMessage(text(groupId, 'here I am'))
  })
})

describe.each(modes)('a user’s own messages, $mode', ({ start }) => {
  it('may be deleted and recalled by them after they left or were banned; nothing else is permitted', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
    const bruno = await engine.connect({ userId: 'bruno', name: 'Bruno' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const [first, second, third] = [
      (await bruno.sendMessage(text(groupId, 'my address'))).message,
      (await bruno.sendMessage(text(groupId, 'my number'))).message,
      (await ana.sendMessage(text(groupId, 'hers'))).message,
    ]
    await bruno.leaveGroup({ groupId })
    await bruno.deleteMessage({ messageId: first.messageId })
    await ana.banMember({ groupId, userId: 'bruno' })
    await bruno.recallMessage({ messageId: second.messageId })
    for (const messageId of [third.messageId, `${groupId}:99`]) {
      await expect(bruno.deleteMessage({ messageId })).rejects.toMatchObject({
        code: 'not_found',
        field: 'groupId',
      })
      await expect(bruno.recallMessage({ messageId })).rejects.toMatchObject({
        code: 'not_found',
        field: 'groupId',
      })
    }
    const editing = bruno.editMessage({ messageId: first.messageId, content: 'x' })
    await expect(editing).rejects.toMatchObject({ code: 'not_found', field: 'groupId' })
    const { messages } = await ana.getHistory({ groupId })
    expect(messages.map(({ content }) => content)).toEqual(['', '', 'hers'])
  })
})
