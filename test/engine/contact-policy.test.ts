/**
 * PRV-2: in a direct chat between users who share no group, nothing of the approached user is shown
 * until they accept it or send something in it. The policy decides whether the chat is delivered,
 * waits, or is refused.
 */
import { describe, expect, it } from 'vitest'
import type { Engine, EngineOptions } from '../../engine/engine.ts'
import type { Session } from '../../engine/hub/session.ts'
import { limits } from '../../protocol/limits.ts'
import { eventually } from '../support/conditions.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'

const noContact = refusal('no_contact', 'members')
const policies = ['open', 'request', 'shared'] as const

const openChat = (from: Session, to: string) => from.createGroup({ kind: 'direct', members: [to] })

/** What a session receives that shows Bruno's activity. */
function eventsAboutBruno(session: Session): readonly string[] {
  const brunosEvents: string[] = []
  session.on(
    'contact_status_changed',
    ({ userId, status }) => userId === 'bruno' && brunosEvents.push(status),
  )
  session.on('user_typing', ({ userId }) => userId === 'bruno' && brunosEvents.push('types'))
  session.on(
    'message_delivered',
    ({ deliveredTo }) => deliveredTo === 'bruno' && brunosEvents.push('delivered'),
  )
  session.on(
    'message_read',
    ({ readBy, messageIds }) => readBy === 'bruno' && brunosEvents.push(`read ${messageIds}`),
  )
  session.on('signal', ({ fromUserId }) => fromUserId === 'bruno' && brunosEvents.push('signal'))
  return brunosEvents
}

const two = async (engine: Engine) =>
  [
    await engine.connect({ userId: 'ana', name: 'Ana', picture: 'https://x/ana.png' }),
    await engine.connect({ userId: 'bruno', name: 'Bruno', picture: 'https://x/bruno.png' }),
  ] as const

/** Bruno in the answers to Ana's requests. */
async function seenByAna(ana: Session, groupId: string): Promise<readonly string[]> {
  const { users } = await ana.getOnlineUsers({ groupId })
  const listed = users.map(({ userId, status }) => `${userId} ${status}`)
  const [contact] = (await ana.getContacts({})).users
  const [found] = (await ana.searchUsers({ query: 'bruno' })).users
  return [...listed, ...[contact, found].map((one) => `${one?.name} ${one?.status} ${one?.lastSeenAt}`)]
}

describe.each(modes)('with the contact policy, $mode:', ({ start }) => {
  const acceptances: Record<
    string,
    (bruno: Session, groupId: string, messageId: string) => Promise<unknown>
  > = {
    join_group: (bruno, groupId) => bruno.joinGroup({ groupId }),
    'a message': (bruno, groupId) => bruno.sendMessage(text(groupId, 'hello')),
    'a reaction': (bruno, _, messageId) => bruno.react({ messageId, emoji: '👍' }),
    'opening it as well': (bruno) => openChat(bruno, 'ana'),
  }

  it.each(Object.entries(acceptances))(
    'open delivers at once, and hides the other until %s',
    async (_, accept) => {
      const engine = await start({ presenceGraceMs: 10 })
      const [ana, bruno] = await two(engine)
      const received = collect(bruno, 'new_message')
      const brunosEvents = eventsAboutBruno(ana)
      const { groupId } = await openChat(ana, 'bruno')
      const { messageId } = (await ana.sendMessage(text(groupId, 'you do not know me'))).message
      await eventually(() => expect(received.length).toBe(1))

      const phone = await engine.connect({ userId: 'bruno' })
      await bruno.typingStart({ groupId })
      await bruno.typingStop({ groupId })
      await bruno.messageDelivered({ messageIds: [messageId] })
      await bruno.messageRead({ messageIds: [messageId], groupId })
      await bruno.messageRead({ messageIds: [], groupId, upTo: 2 })
      await bruno.updateStatus({ status: 'busy' })
      for (const [from, toUserId] of [
        [ana, 'bruno'],
        [ana, undefined],
        [bruno, 'ana'],
      ] as const) {
        await expect(from.signal({ groupId, toUserId, kind: 'offer', payload: 'x' })).rejects.toMatchObject({
          code: 'no_contact',
        })
      }
      await phone.close()
      const hidden = ['ana online', 'Bruno offline undefined', 'Bruno offline undefined']
      await eventually(async () => expect(await seenByAna(ana, groupId)).toEqual(hidden))
      expect(await ana.getReceipts({ messageId })).toMatchObject({ delivered: [], read: [], readCount: 0 })
      expect((await bruno.getGroups({})).groups).toMatchObject([{ unread: 0, readSeq: 2 }])
      // The user who opened the chat is visible.
      expect((await bruno.getOnlineUsers({ groupId })).users).toMatchObject([
        { userId: 'ana' },
        { userId: 'bruno' },
      ])

      await accept(bruno, groupId, messageId)
      const second = (await ana.sendMessage(text(groupId, 'nice to meet you'))).message.messageId
      await eventually(() => expect(received.at(-1)?.message.messageId).toBe(second))
      await bruno.updateStatus({ status: 'away' })
      await bruno.typingStart({ groupId })
      await bruno.messageDelivered({ messageIds: [second] })
      await bruno.messageRead({ messageIds: [second], groupId })
      await ana.signal({ groupId, toUserId: 'bruno', kind: 'offer', payload: 'x' })
      await bruno.signal({ groupId, kind: 'answer', payload: 'x' })
      const after = ['away', 'busy', 'delivered', `read ${second}`, 'signal', 'types']
      await eventually(() => expect([...brunosEvents].sort()).toEqual(after))
      expect(await seenByAna(ana, groupId)).toEqual([
        'ana online',
        'bruno away',
        'Bruno away undefined',
        'Bruno away undefined',
      ])
    },
  )

  it('open hides the approached user, also after restarts, until they send something', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const { groupId } = await openChat(await first.connect({ userId: 'ana' }), 'bruno')
    await first.close()

    const second = await start({ dataDir })
    const [ana, bruno] = await two(second)
    const brunosEvents = eventsAboutBruno(ana)
    await bruno.updateStatus({ status: 'busy' })
    await bruno.typingStart({ groupId })
    const hidden = ['ana online', 'Bruno offline undefined', 'Bruno offline undefined']
    await eventually(async () => expect(await seenByAna(ana, groupId)).toEqual(hidden))
    expect(brunosEvents).toEqual([])
    await bruno.sendMessage(text(groupId, 'hello'))
    await second.close()

    const third = await start({ dataDir })
    const [again] = await two(third)
    const seen = ['ana online', 'bruno busy', 'Bruno busy undefined', 'Bruno busy undefined']
    await eventually(async () => expect(await seenByAna(again, groupId)).toEqual(seen))
  })

  it('request holds the chat back until it is accepted; its messages are unread then', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir, contactPolicy: 'request' })
    const [before, away] = await two(first)
    const invited = collect(away, 'group_invited')
    const none = [collect(away, 'group_created'), collect(away, 'new_message')]
    const made = await openChat(before, 'bruno')
    const { groupId } = made
    const pair = [
      { userId: 'ana', name: 'Ana', picture: 'https://x/ana.png' },
      { userId: 'bruno', name: 'Bruno', picture: 'https://x/bruno.png' },
    ]
    expect(made).toMatchObject({ kind: 'direct', memberCount: 1, members: pair })
    const sent = await before.sendMessage(text(groupId, 'you do not know me'))
    await eventually(() => expect(invited).toMatchObject([{ groupId, by: 'ana', group: { members: pair } }]))
    expect(none).toEqual([[], []])
    expect((await away.getGroups({})).groups).toEqual([])
    for (const asked of [
      away.getHistory({ groupId }),
      away.getMembers({ groupId }),
      away.getOnlineUsers({ groupId }),
      away.sendMessage(text(groupId, 'x')),
    ]) {
      await expect(asked).rejects.toMatchObject(refusal('not_found'))
    }
    await expect(before.signal({ groupId, kind: 'k', payload: 'x' })).rejects.toMatchObject(
      refusal('no_contact'),
    )
    expect((await before.getOnlineUsers({ groupId })).users).toMatchObject([{ userId: 'ana' }])
    expect((await before.getContacts({})).users).toEqual([])
    expect((await before.searchUsers({ query: 'bruno' })).users).toEqual([])
    await first.close()

    const engine = await start({ dataDir, contactPolicy: 'request' })
    const [ana, bruno] = await two(engine)
    expect(ana.connected.groups).toMatchObject([{ group: { groupId, members: pair, memberCount: 1 } }])
    expect(bruno.connected.groups).toEqual([])
    expect((await bruno.getInvitations({})).invitations).toMatchObject([
      { by: 'ana', group: { groupId, members: pair } },
    ])
    await openChat(ana, 'bruno')
    await ana.sendMessage({ ...text(groupId, 'and @bruno'), mentions: ['bruno'] })
    const [created, posts] = [collect(bruno, 'group_created'), collect(bruno, 'new_message')]
    const joined = collect(ana, 'user_joined_group')
    await bruno.joinGroup({ groupId })
    await bruno.joinGroup({ groupId })
    await eventually(() =>
      expect(posts.map(({ message }) => message.content)).toEqual(['you do not know me', 'and @bruno']),
    )
    expect(created.length).toBe(1)
    await eventually(() => expect(joined).toMatchObject([{ userId: 'bruno', groupId }]))
    expect((await bruno.getInvitations({})).invitations).toEqual([])
    expect((await bruno.getGroups({})).groups).toMatchObject([
      { group: { memberCount: 2, members: pair }, unread: 2 },
    ])
    expect((await ana.getMembers({ groupId })).members.map(({ role }) => role)).toEqual(['admin', 'admin'])

    const receipts = collect(ana, 'message_read')
    await bruno.messageRead({ messageIds: [], groupId, upTo: sent.message.seq })
    await eventually(() =>
      expect(receipts).toMatchObject([{ readBy: 'bruno', messageIds: [sent.message.messageId] }]),
    )
    expect((await bruno.getGroups({})).groups).toMatchObject([{ unread: 1 }])
    const later = await engine.connect({ userId: 'bruno' })
    expect(later.connected.groups).toMatchObject([{ unread: 1 }])
  })

  it('request lets the approached user decline without notice, and open the chat later', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir, contactPolicy: 'request' })
    const [ana, bruno] = await two(first)
    const { groupId } = await openChat(ana, 'bruno')
    const before = (await ana.getGroups({})).groups
    await bruno.declineInvitation({ groupId })
    expect((await ana.getGroups({})).groups).toEqual(before)
    const asked = collect(bruno, 'group_invited')
    expect((await openChat(ana, 'bruno')).groupId).toBe(groupId)
    await ana.sendMessage(text(groupId, 'please'))
    await expect(bruno.joinGroup({ groupId })).rejects.toMatchObject(refusal('not_found'))
    expect((await bruno.getInvitations({})).invitations).toEqual([])
    expect(asked).toEqual([])
    await first.close()

    const engine = await start({ dataDir, contactPolicy: 'request' })
    const [again, other] = await two(engine)
    expect((await openChat(again, 'bruno')).members?.map(({ userId }) => userId)).toEqual(['ana', 'bruno'])
    expect((await other.getInvitations({})).invitations).toEqual([])
    const posts = collect(other, 'new_message')
    expect(await openChat(other, 'ana')).toMatchObject({ groupId, memberCount: 2 })
    await eventually(() => expect(posts.map(({ message }) => message.content)).toEqual(['please']))
    await other.sendMessage(text(groupId, 'well'))
  })

  it('request keeps a block between the two in effect, also after a restart', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir, contactPolicy: 'request' })
    const [ana, bruno] = await two(first)
    const { groupId } = await openChat(ana, 'bruno')
    await bruno.blockUser({ userId: 'ana' })
    await expect(ana.sendMessage(text(groupId, 'x'))).rejects.toMatchObject(refusal('no_contact'))
    await bruno.declineInvitation({ groupId })
    await first.close()

    const engine = await start({ dataDir, contactPolicy: 'request' })
    const [again, other] = await two(engine)
    await expect(again.sendMessage(text(groupId, 'x'))).rejects.toMatchObject(refusal('no_contact'))
    await expect(openChat(again, 'bruno')).rejects.toMatchObject(noContact)
    await other.unblockUser({ userId: 'ana' })
    await again.sendMessage(text(groupId, 'x'))
    await again.blockUser({ userId: 'bruno' })
    await expect(openChat(other, 'ana')).rejects.toMatchObject(noContact)
  })

  it.each(policies)(
    '%s delivers at once, and hides nobody, where the two share a group',
    async (contactPolicy) => {
      const engine = await start({ contactPolicy })
      const [ana, bruno] = await two(engine)
      const clara = await engine.connect({ userId: 'clara' })
      await clara.createGroup({ kind: 'group', members: ['ana', 'bruno'] })
      const created = collect(bruno, 'group_created')
      const { groupId } = await openChat(ana, 'bruno')
      await eventually(() => expect(created.map(({ group }) => group.groupId)).toContain(groupId))
      expect((await ana.getOnlineUsers({ groupId })).users.map(({ userId }) => userId)).toEqual([
        'ana',
        'bruno',
      ])
      // A direct chat does not count as a shared group.
      await openChat(clara, 'dora')
        .then(({ memberCount }) => expect(memberCount).toBe(contactPolicy === 'request' ? 1 : 2))
        .catch((error) => expect([contactPolicy, error.code]).toEqual(['shared', 'no_contact']))
    },
  )

  it('shared refuses new chats between users who share no group; existing ones remain', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const { groupId } = await openChat(await first.connect({ userId: 'ana' }), 'bruno')
    await first.close()

    const engine = await start({ dataDir, contactPolicy: 'shared' })
    const [ana] = await two(engine)
    expect((await openChat(ana, 'bruno')).groupId).toBe(groupId)
    for (const to of ['clara', 'nobody']) await expect(openChat(ana, to)).rejects.toMatchObject(noContact)
    const clara = await engine.connect({ userId: 'clara' })
    const shared = await ana.createGroup({ kind: 'group', members: ['clara'] })
    await openChat(ana, 'clara')
    // They no longer share a group.
    await ana.createGroup({ kind: 'group', groupId: 'other', members: ['dora'] })
    await ana.removeMember({ groupId: 'other', userId: 'dora' })
    await expect(openChat(ana, 'dora')).rejects.toMatchObject(noContact)
    await clara.leaveGroup({ groupId: shared.groupId })
  })

  it('closed lets only the service open direct chats', async () => {
    const engine = await start({ contactPolicy: 'closed' })
    const [ana, bruno] = await two(engine)
    await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await expect(openChat(ana, 'bruno')).rejects.toMatchObject(noContact)
    const fields = { kind: 'direct', members: ['bruno'] } as const
    await expect(engine.request({ userId: 'ana' }, 'create_group', fields, 'user')).rejects.toMatchObject(
      noContact,
    )
    const { group } = await engine.request({ userId: 'ana' }, 'create_group', fields)
    expect((await openChat(bruno, 'ana')).groupId).toBe(group.groupId)
    const strangers = await engine.request({ userId: 'ana' }, 'create_group', {
      kind: 'direct',
      members: ['eva'],
    })
    await engine.connect({ userId: 'eva' })
    const { users } = await ana.getOnlineUsers({ groupId: strangers.group.groupId })
    expect(users.map(({ userId }) => userId)).toEqual(['ana'])
  })
})

describe('a direct chat that was not accepted', () => {
  it('does not hide a user in a shared group, only in the chat', async () => {
    const engine = await startInline()
    const [ana, bruno] = await two(engine)
    const { groupId } = await openChat(ana, 'bruno')
    const clara = await engine.connect({ userId: 'clara' })
    const created = [collect(ana, 'group_created'), collect(bruno, 'group_created')]
    const group = await clara.createGroup({ kind: 'group', members: ['ana', 'bruno'] })
    await eventually(() =>
      expect(created.every((brunosEvents) => brunosEvents.at(-1)?.groupId === group.groupId)).toBe(true),
    )
    const brunosEvents = eventsAboutBruno(ana)
    await bruno.updateStatus({ status: 'busy' })
    await bruno.typingStart({ groupId })
    expect(await seenByAna(ana, groupId)).toEqual([
      'ana online',
      'Bruno busy undefined',
      'Bruno busy undefined',
    ])
    // PRS-3: once.
    expect(brunosEvents).toEqual(['busy'])
    await clara.removeMember({ groupId: group.groupId, userId: 'bruno' })
    await bruno.updateStatus({ status: 'away' })
    const hidden = ['ana online', 'Bruno offline undefined', 'Bruno offline undefined']
    expect(await seenByAna(ana, groupId)).toEqual(hidden)
    expect(brunosEvents).toEqual(['busy'])
  })
})

describe('a direct chat that waits for acceptance', () => {
  it('accepts a limited number of events until it is accepted', async () => {
    const engine = await startInline({ contactPolicy: 'request' })
    const [ana, bruno] = await two(engine)
    const { groupId } = await openChat(ana, 'bruno')
    const sent = []
    for (let i = 1; i < limits.awaitedEvents; i++) sent.push(await ana.sendMessage(text(groupId, `${i}`)))
    const [first] = sent.map(({ message }) => message.messageId)
    const messageId = first ?? ''
    for (const more of [
      ana.sendMessage(text(groupId, 'more')),
      ana.editMessage({ messageId, content: 'more' }),
      ana.react({ messageId, emoji: '👍' }),
      ana.pinMessage({ messageId }),
    ]) {
      await expect(more).rejects.toMatchObject(refusal('limit_reached'))
    }
    await ana.deleteMessage({ messageId })
    await bruno.joinGroup({ groupId })
    await ana.sendMessage(text(groupId, 'more'))
    expect((await bruno.getGroups({})).groups).toMatchObject([{ unread: limits.awaitedEvents - 1 }])
  })

  it.each(['everyone', 'Open', ''])('"%s" is not a contact policy', async (contactPolicy) => {
    const options = { contactPolicy } as unknown as Partial<EngineOptions>
    await expect(startInline(options)).rejects.toThrow(
      `contactPolicy must be one of open, request, shared, closed (got '${contactPolicy}')`,
    )
  })
})
