/**
 * SLW-1, PAG-1: no answer is larger than 256 KiB in either encoding, and its pages list each item once.
 */
import { describe, expect, it } from 'vitest'
import type { Session } from '../../engine/hub/session.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import type { EventFields, EventName } from '../../protocol/events.ts'
import { eventToJson } from '../../protocol/json-codec.ts'
import { limits } from '../../protocol/limits.ts'
import { modes } from '../support/engines.ts'
import { text } from '../support/sessions.ts'

/** The most expensive `content` in JSON: each one-byte character is escaped to two. */
const heavy = '"'.repeat(limits.contentBytes)

function expectToFit<N extends EventName>(name: N, fields: EventFields<N>): void {
  const frame = encodeEvent(name, 1, fields)
  expect(frame.length).toBeLessThanOrEqual(limits.answerBytes)
  expect(Buffer.byteLength(eventToJson(frame))).toBeLessThanOrEqual(limits.answerBytes)
}

/** All pages of a list. Each page must fit. `between` runs after each page. */
async function pages<Page extends { readonly cursor?: string | undefined }>(
  get: (cursor: string | undefined) => Promise<Page>,
  between: () => Promise<unknown> = async () => {},
): Promise<readonly Page[]> {
  const all: Page[] = []
  let cursor: string | undefined
  do {
    const page = await get(cursor)
    all.push(page)
    await between()
    cursor = page.cursor
  } while (cursor !== undefined && all.length < 100)
  return all
}

/** Groups of the session whose newest messages are large, in this order. */
async function heavyGroups(session: Session, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, i) => `group-${String(i).padStart(2, '0')}`)
  for (const groupId of ids) {
    await session.createGroup({ kind: 'group', groupId })
    await session.sendMessage(text(groupId, heavy))
  }
  return ids
}

describe.each(modes)('lists ($mode)', ({ start }) => {
  it('get_groups ends a page when it is full, and continues by cursor', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const ids = await heavyGroups(ana, 8)
    const all = await pages(async (cursor) => {
      const page = await ana.getGroups({ cursor, limit: limits.groupsPage })
      expectToFit('groups', page)
      return page
    })
    expect(all.length).toBeGreaterThan(1)
    expect(all.flatMap(({ groups }) => groups.map(({ group }) => group.groupId)).sort()).toEqual(ids)
  })

  it('get_groups lists a group that becomes active during paging', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const ids = Array.from({ length: 9 }, (_, i) => `g${i}`)
    for (const groupId of ids) await ana.createGroup({ kind: 'group', groupId })
    const { groups: before } = await ana.getGroups({ limit: 9 })
    // The last two move to the front, before the cursor; the last one twice.
    const last = before.slice(-2).map(({ group }) => group.groupId) as [string, string]
    let page = 0
    const all = await pages(
      (cursor) => ana.getGroups({ cursor, limit: 3 }),
      async () => {
        page += 1
        if (page === 1) for (const groupId of last) await ana.sendMessage(text(groupId, 'hello'))
        if (page === 3) await ana.sendMessage(text(last[0], 'again'))
      },
    )
    const listed = all.flatMap(({ groups }) => groups.map(({ group }) => group.groupId))
    expect([...new Set(listed)].sort()).toEqual(ids)
    // Groups that did not move are listed once.
    for (const groupId of ids.filter((id) => !last.includes(id))) {
      expect(listed.filter((id) => id === groupId)).toHaveLength(1)
    }
  })

  it('get_history, get_pins and search respect the limit', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    await ana.createGroup({ kind: 'group', groupId: 'g' })
    const ids: string[] = []
    for (let i = 0; i < 8; i++) {
      const { message } = await ana.sendMessage(text('g', heavy))
      ids.push(message.messageId)
      await ana.pinMessage({ messageId: message.messageId })
    }
    const history = await ana.getHistory({ groupId: 'g', limit: limits.historyPage })
    expectToFit('history', history)
    expect(history).toMatchObject({ hasMore: true })
    const pins = await pages(async (cursor) => {
      const page = await ana.getPins({ groupId: 'g', cursor })
      expectToFit('pins', page)
      return page
    })
    expect(pins.length).toBeGreaterThan(1)
    expect(pins.flatMap(({ messages }) => messages.map(({ messageId }) => messageId))).toEqual(ids.reverse())
  })

  it('get_invitations continues by cursor', async () => {
    const engine = await start()
    const [ana, eva] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'eva' })]
    const ids = Array.from({ length: 120 }, (_, i) => `i${String(i).padStart(3, '0')}`)
    for (const groupId of ids) {
      await ana.createGroup({ kind: 'group', groupId, name: '"'.repeat(limits.nameBytes) })
      await ana.updateGroup({
        groupId,
        topic: '"'.repeat(limits.topicBytes),
        avatarUrl: '"'.repeat(limits.urlBytes),
      })
      await ana.inviteMember({ groupId, userId: 'eva' })
    }
    const all = await pages(async (cursor) => {
      const page = await eva.getInvitations({ cursor })
      expectToFit('invitations', page)
      return page
    })
    expect(all.length).toBeGreaterThan(1)
    const listed = all.flatMap(({ invitations }) => invitations.map(({ group }) => group.groupId))
    expect(listed.sort()).toEqual(ids)
    // Also the `connected` event of a user who is in all of them.
    const connected = (await engine.connect({ userId: 'ana' })).connected
    expectToFit('connected', connected)
    expect(connected).toMatchObject({ hasMore: true })
    expect((await engine.connect({ userId: 'eva' })).connected.hasMore).toBeUndefined()
  })

  it('get_online_users continues by cursor, and a group lists as many members as fit', async () => {
    const engine = await start()
    const ids = Array.from(
      { length: 300 },
      (_, i) => `${String(i).padStart(3, '0')}${'"'.repeat(limits.userIdBytes - 3)}`,
    )
    const sessions = await Promise.all(
      ids.map((userId) => engine.connect({ userId, name: '"'.repeat(limits.nameBytes) })),
    )
    const ana = sessions[0] as Session
    const group = await ana.createGroup({ kind: 'group', groupId: 'g', members: ids })
    expectToFit('group', { group })
    expect(group.memberCount).toBe(300)
    expect(group.members).toBeUndefined()
    const all = await pages(async (cursor) => {
      const page = await ana.getOnlineUsers({ groupId: 'g', cursor })
      expectToFit('online_users', page)
      expect(page.total).toBe(300)
      return page
    })
    expect(all.length).toBeGreaterThan(1)
    expect(all.flatMap(({ users }) => users.map(({ userId }) => userId)).sort()).toEqual(ids)
  })

  it('search_users, get_blocked and get_contacts continue by cursor', async () => {
    const engine = await start()
    const ids = Array.from(
      { length: 130 },
      (_, i) => `${String(i).padStart(3, '0')}${'"'.repeat(limits.userIdBytes - 3)}`,
    )
    const ana = await engine.connect({ userId: 'ana' })
    await ana.createGroup({ kind: 'group', groupId: 'g', members: ids })
    for (const userId of ids) {
      const name = `ann${'"'.repeat(limits.nameBytes - 3)}`
      await engine.request({ userId, name, picture: '"'.repeat(limits.urlBytes) }, 'get_groups', { limit: 1 })
      await ana.createGroup({ kind: 'direct', members: [userId] })
      await ana.blockUser({ userId })
    }
    const lists: readonly ((cursor: string | undefined) => Promise<EventFields<'users'>>)[] = [
      (cursor) => ana.searchUsers({ query: 'ann', limit: limits.usersPage, cursor }),
      (cursor) => ana.getBlocked({ limit: limits.usersPage, cursor }),
      (cursor) => ana.getContacts({ limit: limits.usersPage, cursor }),
    ]
    for (const list of lists) {
      const all = await pages(async (cursor) => {
        const page = await list(cursor)
        expectToFit('users', page)
        return page
      })
      expect(all.length).toBeGreaterThan(2)
      const listed = all.flatMap(({ users }) => users.map(({ userId }) => userId))
      expect(listed.sort()).toEqual(ids)
    }
  })

  it('get_receipts lists as many users as fit, and counts all', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const ids = Array.from(
      { length: limits.largeGroup - 1 },
      (_, i) => `${String(i).padStart(3, '0')}${'"'.repeat(limits.userIdBytes - 3)}`,
    )
    await ana.createGroup({ kind: 'group', groupId: 'g', members: ids })
    const { messageId } = (await ana.sendMessage(text('g', 'hello'))).message
    for (const userId of ids) {
      await engine.request({ userId }, 'message_read', { groupId: 'g', messageIds: [messageId] })
    }
    const receipts = await ana.getReceipts({ messageId })
    expectToFit('receipts', receipts)
    expect(receipts).toMatchObject({ deliveredCount: ids.length, readCount: ids.length })
    for (const list of [receipts.delivered, receipts.read]) expect(list.length).toBeGreaterThan(100)
  })
})
