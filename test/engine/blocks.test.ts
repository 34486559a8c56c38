/**
 * PRV-1: if one of two users has blocked the other, they have no contact in either direction, and both
 * get the same refusals.
 */
import { describe, expect, it } from 'vitest'
import type { Session } from '../../engine/hub/session.ts'
import { requests } from '../../protocol/requests.ts'
import { eventually } from '../support/conditions.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'

const outcome = (asked: Promise<unknown>) =>
  asked.then(
    () => 'done',
    ({ code, message, field }) => ({ code, message, field }),
  )

/** What a session receives about a user that a block hides. */
function eventsAbout(session: Session, of: string): readonly string[] {
  const received: string[] = []
  session.on('contact_status_changed', ({ userId, status }) => userId === of && received.push(status))
  session.on('user_typing', ({ userId }) => userId === of && received.push('types'))
  session.on('user_stopped_typing', ({ userId }) => userId === of && received.push('stopped'))
  session.on('signal', ({ fromUserId, payload }) => fromUserId === of && received.push(payload))
  session.on('group_invited', ({ by }) => by === of && received.push('invited'))
  return received
}

describe.each(modes)('a block, $mode', ({ start }) => {
  it('ends contact in both directions, with the same refusals, until it is lifted', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir, presenceGraceMs: 10 })
    const [ana, bruno, clara] = [
      await engine.connect({ userId: 'ana', name: 'Ana' }),
      await engine.connect({ userId: 'bruno', name: 'Bruno' }),
      await engine.connect({ userId: 'clara', name: 'Clara' }),
    ]
    const direct = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
    const { groupId } = await clara.createGroup({ kind: 'group', members: ['ana', 'bruno'] })
    const hers = await ana.createGroup({ kind: 'group' })
    const his = await bruno.createGroup({ kind: 'group' })
    const old = (await bruno.sendMessage(text(direct.groupId, 'hello'))).message
    const last = (await bruno.sendMessage(text(direct.groupId, 'still there'))).message
    const ready = [ana, bruno, clara].map((session) => collect(session, 'new_message'))
    await clara.sendMessage(text(groupId, 'all are here'))
    await eventually(() => expect(ready.map(({ length }) => length > 0)).toEqual([true, true, true]))
    await ana.blockUser({ userId: 'bruno' })
    await ana.blockUser({ userId: 'bruno' })

    const tries = (from: Session, to: string, own: string) => [
      outcome(from.createGroup({ kind: 'direct', members: [to] })),
      outcome(from.createGroup({ kind: 'group', members: ['clara', to] })),
      outcome(from.sendMessage(text(direct.groupId, 'x'))),
      outcome(from.react({ messageId: last.messageId, emoji: '👍' })),
      outcome(from.typingStart({ groupId: direct.groupId })),
      outcome(from.addMember({ groupId: own, userId: to })),
      outcome(from.inviteMember({ groupId: own, userId: to })),
      outcome(from.signal({ groupId, toUserId: to, kind: 'k', payload: 'p' })),
      outcome(from.signal({ groupId: direct.groupId, kind: 'k', payload: 'p' })),
    ]
    const refused = await Promise.all(tries(bruno, 'ana', his.groupId))
    for (const refusal of refused) expect(refusal).toMatchObject({ code: 'no_contact' })
    expect(await Promise.all(tries(ana, 'bruno', hers.groupId))).toEqual(refused)
    // The sender may delete their messages.
    await bruno.deleteMessage({ messageId: old.messageId })

    // In the group that they share.
    const [anaReceives, brunoReceives, claraReceives] = [
      eventsAbout(ana, 'bruno'),
      eventsAbout(bruno, 'ana'),
      eventsAbout(clara, 'ana'),
    ]
    for (const session of [ana, bruno]) {
      await session.typingStart({ groupId })
      await session.typingStop({ groupId })
      await session.signal({ groupId, kind: 'k', payload: 'to all' })
      await session.updateStatus({ status: 'busy' })
    }
    await eventually(() => expect([...claraReceives].sort()).toEqual(['busy', 'stopped', 'to all', 'types']))
    for (const [session, other] of [
      [ana, 'bruno'],
      [bruno, 'ana'],
    ] as const) {
      const { users, total } = await session.getOnlineUsers({ groupId })
      expect([users.map(({ userId }) => userId), total]).toEqual([[session.userId, 'clara'], 2])
      const [found] = (await session.searchUsers({ query: other })).users
      const [contact] = (await session.getContacts({})).users
      for (const user of [found, contact]) {
        expect([user?.userId, user?.status, user?.lastSeenAt]).toEqual([other, 'offline', undefined])
      }
    }
    const posts = [collect(ana, 'new_message'), collect(bruno, 'new_message')]
    await clara.sendMessage(text(groupId, 'both see this'))
    await eventually(() => expect(posts.map(({ length }) => length)).toEqual([1, 1]))
    expect([anaReceives, brunoReceives]).toEqual([[], []])

    await ana.unblockUser({ userId: 'bruno' })
    await ana.unblockUser({ userId: 'bruno' })
    expect(await Promise.all(tries(bruno, 'ana', his.groupId))).toEqual(refused.map(() => 'done'))
    await ana.typingStart({ groupId })
    await ana.typingStop({ groupId })
    await eventually(() => expect(brunoReceives).toContain('types'))
    await bruno.typingStop({ groupId: direct.groupId })
  })

  it('remains in effect after a restart, and while the blocker is disconnected', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const ana = await first.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
    await ana.blockUser({ userId: 'bruno' })
    await ana.blockUser({ userId: 'carlos' })
    await first.close()

    const engine = await start({ dataDir })
    const bruno = await engine.connect({ userId: 'bruno' })
    await expect(bruno.sendMessage(text(groupId, 'x'))).rejects.toMatchObject(refusal('no_contact'))
    await expect(bruno.createGroup({ kind: 'direct', members: ['ana'] })).rejects.toMatchObject(
      refusal('no_contact', 'members'),
    )
    const carlos = await engine.connect({ userId: 'carlos' })
    await expect(carlos.createGroup({ kind: 'direct', members: ['ana'] })).rejects.toMatchObject(
      refusal('no_contact', 'members'),
    )
    await engine.request({ userId: 'ana' }, 'unblock_user', { userId: 'bruno' })
    await bruno.sendMessage(text(groupId, 'thank you'))
  })
})

describe('get_blocked', () => {
  it('lists the users that the caller has blocked, in that order, a page at a time', async () => {
    const engine = await startInline()
    const ana = await engine.connect({ userId: 'ana' })
    await (await engine.connect({ userId: 'u1', name: 'Uma', picture: 'https://x/u.png' })).close()
    for (const i of [0, 1, 2, 3, 4]) await ana.blockUser({ userId: `u${i}` })
    await expect(ana.blockUser({ userId: 'ana' })).rejects.toMatchObject(refusal('bad_request', 'userId'))
    const listed: string[] = []
    let cursor: string | undefined
    do {
      const page = await ana.getBlocked({ limit: 2, cursor })
      expect(page.users.every(({ status, lastSeenAt }) => status === 'offline' && !lastSeenAt)).toBe(true)
      listed.push(...page.users.map(({ name }) => name))
      cursor = page.cursor
      // PAG-1: users that are unblocked between two pages do not hide others.
      if (listed.length === 2) await ana.unblockUser({ userId: 'u0' })
    } while (cursor !== undefined)
    expect(listed).toEqual(['u0', 'Uma', 'u2', 'u3', 'u4'])
    for (const bad of ['x', ':a', '1']) {
      await expect(ana.getBlocked({ cursor: bad })).rejects.toMatchObject(refusal('bad_request', 'cursor'))
    }
  })

  it('is a row of the table, as are block_user and unblock_user', () => {
    const { block_user, unblock_user, get_blocked } = requests
    expect([block_user.code, unblock_user.code, get_blocked.code]).toEqual([129, 130, 131])
  })
})
