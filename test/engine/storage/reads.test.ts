import { describe, expect, it } from 'vitest'
import type { Reader } from '../../../engine/storage/sqlite/reader.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import { RECENT_EVENTS, REMEMBERED_TEMP_IDS } from '../../../engine/stored/stored-group.ts'
import type { ListingCursor } from '../../../engine/stored/stored-user.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { aMember } from '../../support/groups.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aStore, aUserEntry } from '../../support/store.ts'

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const gapEntry = (seq: number, from: number, to: number): LogEntry => ({
  type: 'event',
  groupId: 'g',
  seq,
  code: events.gap.code,
  at: 0,
  frame: encodeEvent('gap', 0, { groupId: 'g', seq, from, to }),
})

describe('a page of messages', () => {
  /** Posts 2 to 4, a gap 8 for 5 to 7, posts 9 to 11, a gap 14 for 12 and 13, and a joining 15. */
  function aReader(): Reader {
    const { writer, reader } = aStore()
    writer.commit([
      aGroupEntry('g'),
      ...numbers(2, 4).map((seq) => aPostEntry(seq)),
      gapEntry(8, 5, 7),
      ...numbers(9, 11).map((seq) => aPostEntry(seq)),
      gapEntry(14, 12, 13),
      { type: 'event', groupId: 'g', seq: 15, code: 71, at: 0, frame: Buffer.of(0) },
    ])
    return reader
  }
  const page = (reader: Reader, after: number, before: number, limit: number, newest: boolean) => {
    const { messages, gaps } = reader.run({ read: 'messages', groupId: 'g', after, before, limit, newest })
    return [messages.map(({ seq }) => seq), gaps]
  }
  const first = { seq: 8, from: 5, to: 7 }
  const second = { seq: 14, from: 12, to: 13 }

  it('contains the first or the newest messages of its range, ascending, between exclusive bounds', () => {
    const reader = aReader()
    expect(page(reader, 2, 11, 10, false)).toEqual([[3, 4, 9, 10], [first]])
    expect(page(reader, 0, 99, 2, false)).toEqual([[2, 3], []])
    expect(page(reader, 0, 99, 2, true)).toEqual([[10, 11], [second]])
    expect(page(reader, 4, 9, 10, true)).toEqual([[], [first]])
    expect(page(reader, 20, 30, 10, true)).toEqual([[], []])
  })

  it('leaves the gaps beyond its edge to the next page; the last page has those up to the end', () => {
    const reader = aReader()
    expect(page(reader, 0, 99, 3, false)).toEqual([[2, 3, 4], []])
    expect(page(reader, 4, 99, 3, false)).toEqual([[9, 10, 11], [first]])
    expect(page(reader, 11, 99, 3, false)).toEqual([[], [second]])
    expect(page(reader, 0, 99, 3, true)).toEqual([[9, 10, 11], [second]])
    expect(page(reader, 0, 9, 3, true)).toEqual([[2, 3, 4], [first]])
    expect(page(reader, 0, 99, 4, true)).toEqual([
      [4, 9, 10, 11],
      [first, second],
    ])
  })

  it('is empty for a group that does not exist', () => {
    const { reader } = aStore()
    expect(page(reader, 0, 99, 3, true)).toEqual([[], []])
    const nobody = { groupId: 'g', after: 0, upTo: 9 }
    expect(reader.run({ read: 'events', limit: 9, ...nobody })).toEqual([])
    expect(reader.run({ read: 'count', cap: 9, ...nobody })).toBe(0)
    expect(reader.run({ read: 'message', groupId: 'g', seq: 1 })).toBeNull()
  })
})

describe('reads that are answered together', () => {
  it('see the same state of the file, and later reads the newest', () => {
    const { writer, reader } = aStore()
    writer.commit([aGroupEntry('g'), aPostEntry(2)])
    const count = () => reader.run({ read: 'count', groupId: 'g', after: 0, upTo: 9, cap: 9 })
    reader.together(() => {
      expect(count()).toBe(1)
      writer.commit([aPostEntry(3)])
      expect(count()).toBe(1)
    })
    expect(count()).toBe(2)
  })
})

describe('the initial state of a group’s actor', () => {
  it('is the group with its members in the order of joining, with their current names', () => {
    const { writer, reader } = aStore()
    const info = {
      ...aGroupEntry('g').group,
      name: 'Cozinha',
      topic: 'receitas',
      avatarUrl: 'https://a/b.png',
      kind: 'direct',
      visibility: 'open',
    } as const
    writer.commit([
      { type: 'group', group: info },
      aMemberEntry('g', 'clara', { joinedSeq: 5, role: 'moderator', joinedAt: 50 }),
      aMemberEntry('g', 'bruno', { joinedSeq: 3 }),
      aUserEntry('clara', 'Clara'),
      { type: 'lease', groupId: 'g', ceiling: 1_024 },
    ])
    // A changed role changes nothing else.
    writer.commit([aMemberEntry('g', 'clara', { joinedSeq: 99, role: 'admin', joinedAt: 99 })])
    expect(reader.run({ read: 'group', groupId: 'g' })).toEqual({
      group: info,
      members: [
        aMember('bruno', { name: 'bruno', joinedSeq: 3 }),
        aMember('clara', { role: 'admin', joinedSeq: 5, joinedAt: 50 }),
      ],
      receipts: [],
      banned: [],
      invited: [],
      awaited: null,
      former: [],
      blockers: [],
      pins: [],
      lastSeq: 0,
      ceiling: 1_024,
      recent: [],
      tempIds: [],
    })
  })

  it('contains the promised number of newest events and keys, oldest first', () => {
    const { writer, reader } = aStore()
    // Ten of them are not posts.
    const last = REMEMBERED_TEMP_IDS + 10 + 5
    writer.commit([
      aGroupEntry('g'),
      ...numbers(1, last).map((seq) => (seq % 100 === 0 ? gapEntry(seq, seq, seq) : aPostEntry(seq))),
    ])
    const { lastSeq, recent, tempIds } = reader.run({ read: 'group', groupId: 'g' })
    expect(lastSeq).toBe(last)
    expect(recent.map(({ seq }) => seq)).toEqual(numbers(last - RECENT_EVENTS + 1, last))
    expect(tempIds.length).toBe(REMEMBERED_TEMP_IDS)
    expect(tempIds.at(-1)).toEqual(['ana', `t${last}`, last])
    expect(tempIds[0]).toEqual(['ana', 't6', 6])
  })

  it('contains the newest lease', () => {
    const { writer, reader } = aStore()
    writer.commit([{ type: 'lease', groupId: 'g', ceiling: 1_024 }])
    writer.commit([{ type: 'lease', groupId: 'g', ceiling: 7 }])
    expect(reader.run({ read: 'group', groupId: 'g' }).ceiling).toBe(7)
  })
})

describe('the initial state of a user’s actor', () => {
  it('is the name, the picture and the groups with the event that made the user a member', () => {
    const { writer, reader } = aStore()
    expect(reader.run({ read: 'user', userId: 'ana' })).toBeNull()
    writer.commit([
      aUserEntry('ana', 'Ana'),
      aGroupEntry('g'),
      aGroupEntry('h'),
      aMemberEntry('g', 'ana', { joinedSeq: 4 }),
      aMemberEntry('h', 'ana', { joinedSeq: 9 }),
      { type: 'member_left', groupId: 'g', userId: 'ana' },
      { type: 'user', userId: 'ana', name: 'Ana M.', picture: 'p' },
    ])
    expect(reader.run({ read: 'user', userId: 'ana' })).toEqual({
      name: 'Ana M.',
      large: [],
      picture: 'p',
      status: 'online',
      lastSeenAt: undefined,
      groups: [['h', 9]],
      approached: [],
      blocked: [],
      isBlocked: false,
    })
  })

  // INP-2
  it('counts the groups and invitations of possible newcomers, as they change', () => {
    const { writer, reader } = aStore()
    const counts = () => {
      const found = reader.run({ read: 'newcomers', userId: 'ana', userIds: ['ana', 'bruno', 'eva'] })
      return [found.groupCounts, found.invitationCounts]
    }
    const of = { groupId: 'g', userId: 'ana' }
    writer.commit([aGroupEntry('g'), aGroupEntry('h'), aMemberEntry('g', 'ana'), aMemberEntry('h', 'ana')])
    writer.commit([{ type: 'invite', groupId: 'g', userId: 'bruno', by: 'ana', at: 1 }])
    expect(counts()).toEqual([
      [2, 0, 0],
      [0, 1, 0],
    ])
    writer.commit([{ type: 'invite', groupId: 'g', userId: 'bruno', by: 'ana', at: 1 }])
    writer.commit([aMemberEntry('h', 'ana', { role: 'admin' }), { type: 'member_left', ...of }])
    writer.commit([{ type: 'uninvite', groupId: 'g', userId: 'bruno' }])
    expect(counts()).toEqual([
      [1, 0, 0],
      [0, 0, 0],
    ])
  })

  it('names users in the requested order, by their id if no name is known', () => {
    const { writer, reader } = aStore()
    writer.commit([aUserEntry('ana', 'Ana'), aUserEntry('bruno', '')])
    const userIds = ['eva', 'ana', 'bruno', 'ana']
    expect(reader.run({ read: 'profiles', userIds }).map(({ name }) => name)).toEqual([
      'eva',
      'Ana',
      'bruno',
      'Ana',
    ])
  })
})

describe('a user’s groups', () => {
  /** Seven groups of Ana and one of Bruno. Two have the same time, one has a post. */
  function aReader(): Reader {
    const { writer, reader } = aStore()
    const made = { a: 10, b: 50, c: 30, d: 30, e: 20, f: 40, quiet: 1 }
    for (const [groupId, createdAt] of Object.entries(made)) {
      writer.commit([aGroupEntry(groupId, { createdAt }), aMemberEntry(groupId, 'ana')])
    }
    writer.commit([aGroupEntry('his', { createdAt: 99 }), aMemberEntry('his', 'bruno')])
    writer.commit([aPostEntry(2, { groupId: 'a', createdAt: 60, senderId: 'bruno' })])
    return reader
  }
  const order = ['a', 'b', 'f', 'c', 'd', 'e', 'quiet']

  it('are listed with the most recently active first, in pages, each once', () => {
    const reader = aReader()
    for (const limit of [1, 2, 3, 7, 8]) {
      const pages: string[][] = []
      let cursor: ListingCursor | undefined
      do {
        const page = reader.run({ read: 'listings', userId: 'ana', cursor, limit })
        pages.push(page.groups.map(({ group }) => group.groupId))
        cursor = page.next
      } while (cursor && pages.length <= order.length)
      expect(pages.flat()).toEqual(order)
      // The last page is not empty.
      expect(pages.length).toBe(Math.ceil(order.length / limit))
    }
  })

  it('show their newest message, their unread count, and the members of direct chats only', () => {
    const { writer, reader } = aStore()
    writer.commit([
      aGroupEntry('g', { kind: 'direct' }),
      aMemberEntry('g', 'ana'),
      aMemberEntry('g', 'bruno'),
      aGroupEntry('h', { createdAt: 99 }),
      aMemberEntry('h', 'ana'),
      aPostEntry(2, { senderId: 'bruno' }),
      aPostEntry(3, { senderId: 'bruno' }),
    ])
    const { groups } = reader.run({ read: 'listings', userId: 'ana', limit: 9 })
    expect(groups).toMatchObject([
      {
        group: { groupId: 'h', memberCount: 1, lastSeq: 0, members: undefined },
        lastMessage: undefined,
        unread: 0,
      },
      {
        group: { groupId: 'g', lastSeq: 3, members: [{ userId: 'ana' }, { userId: 'bruno' }] },
        lastMessage: { messageId: 'g:3' },
        unread: 2,
      },
    ])
  })

  it('beyond the limit of summaries are listed with their position only', () => {
    const reader = aReader()
    const summaries = (limit: number) => {
      const { groups, standings } = reader.run({ read: 'summaries', userId: 'ana', limit })
      expect(standings.map(([groupId]) => groupId).sort()).toEqual([...order].sort())
      const listed = groups.map(({ group }) => group.groupId)
      return [listed, standings.filter(([groupId]) => !listed.includes(groupId))]
    }
    expect(summaries(7)).toEqual([order, []])
    expect(summaries(5)).toEqual([
      order.slice(0, 5),
      expect.arrayContaining([
        ['e', 1, 0, 0],
        ['quiet', 1, 0, 0],
      ]),
    ])
    expect(reader.run({ read: 'summaries', userId: 'nobody', limit: 9 })).toEqual({
      groups: [],
      keys: [],
      standings: [],
      large: [],
    })
  })
})
