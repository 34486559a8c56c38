import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { leaveGroup } from '../../../engine/actors/group/leaving.ts'
import { newReceipts, receiptsOfFormer } from '../../../engine/actors/group/member-receipts.ts'
import { type Ranges, unpackRanges } from '../../../engine/actors/group/ranges.ts'
import { getReceipts } from '../../../engine/actors/group/receipt-lists.ts'
import { tellReceipts } from '../../../engine/actors/group/receipt-reports.ts'
import { messageDelivered, messageRead } from '../../../engine/actors/group/receipts.ts'
import { RecentEvents } from '../../../engine/actors/group/recent-events.ts'
import { markUnread } from '../../../engine/actors/group/unread-mark.ts'
import { limits } from '../../../protocol/limits.ts'
import { aGroup, aMember, aPost, brief, by, given, only } from '../../support/groups.ts'

const MINUTE_MS = 60_000

/** Ana, Bruno and Clara; Ana's posts 2, 3, 5, Bruno's 4, an event 6, Ana's post 7. */
function aChat(): GroupState {
  const group = aGroup({ ana: 'admin', bruno: 'member', clara: 'member' })
  for (const seq of [2, 3, 4, 5, 7]) post(group, seq, seq === 4 ? 'bruno' : 'ana')
  group.recent.push({ seq: 8, code: 71, frame: Buffer.of(0) }, 0, 0)
  group.lastSeq = 8
  return group
}

function post(group: GroupState, seq: number, senderId: string): void {
  group.recent.push({ seq, message: { ...aPost(seq), senderId, createdAt: seq } }, 0, 0)
  group.lastSeq = seq
}

const ids = (...seqs: readonly number[]) => ({ messageIds: seqs.map((seq) => `g:${seq}`) })
const read = (group: GroupState, userId: string, seqs: readonly number[], now = 100) =>
  messageRead(group, by(userId), { ...ids(...seqs), groupId: 'g' }, now)
const deliver = (group: GroupState, userId: string, seqs: readonly number[], now = 100) =>
  messageDelivered(group, by(userId), ids(...seqs), now)
const short = (ranges: Ranges) => ranges.map(({ from, to }) => `${from}-${to}`).join(' ')

/** The events sent and their receivers, as short texts. */
function sent(effects: Effects): readonly string[] {
  return effects.map((effect) => {
    if (effect.type !== 'send_user') throw new Error(effect.type)
    const { name, fields } = effect.event
    if (name !== 'message_delivered' && name !== 'message_read') throw new Error(name)
    const whose = 'readBy' in fields ? fields.readBy : fields.deliveredTo
    const except = effect.exceptSession === undefined ? '' : ` except ${effect.exceptSession}`
    return `${effect.userId}${except}: ${name} ${whose} ${fields.messageIds.join(' ')} at ${fields.timestamp}`
  })
}

describe('message_delivered and message_read', () => {
  it('write one entry, answer when it is committed, and set an alarm', () => {
    const group = aChat()
    const effects = read(group, 'clara', [2, 3])
    expect(brief(effects)).toEqual(['append receipts', 'answer_committed ok', 'wake_group'])
    const { entry } = only(effects, 'append')
    if (entry.type !== 'receipts') throw new Error(entry.type)
    expect(entry).toMatchObject({ groupId: 'g', userId: 'clara', readSeq: 3 })
    expect(short(unpackRanges(entry.read))).toBe('2-3')
    expect(short(unpackRanges(entry.delivered))).toBe('2-3')
    expect(only(effects, 'wake_group')).toMatchObject({ what: 'receipts', afterMs: 50 })
  })

  it('write nothing if nothing is new', () => {
    const group = aChat()
    read(group, 'clara', [2, 3])
    expect(brief(read(group, 'clara', [3, 2, 2], 900))).toEqual(['answer_committed ok'])
    expect(brief(deliver(group, 'clara', [3], 900))).toEqual(['answer_committed ok'])
    expect(group.receipts.get('clara')?.read).toEqual([{ from: 2, to: 3, at: 100 }])
  })

  it('give no receipt for own posts, posts before the join, and events that are not posts', () => {
    const group = aChat()
    group.members.set('dora', aMember('dora', { joinedSeq: 6 }))
    deliver(group, 'dora', [2, 3, 4, 5, 7, 8])
    expect(short(group.receipts.get('dora')?.delivered ?? [])).toBe('7-7')
    expect(brief(deliver(group, 'bruno', [4, 8]))).toEqual(['answer_committed ok'])
  })

  it('extend a range over own posts and other events, not over a post of another user', () => {
    const group = aChat()
    for (const seq of [3, 5, 7]) read(group, 'bruno', [seq])
    expect(short(group.receipts.get('bruno')?.read ?? [])).toBe('3-7')
    for (const seq of [3, 5, 7]) read(group, 'clara', [seq])
    expect(short(group.receipts.get('clara')?.read ?? [])).toBe('3-3 5-7')
  })

  it('move the read mark to the newest number given, also to an own post, never back', () => {
    const group = aChat()
    expect(brief(read(group, 'bruno', [4]))).toContain('append receipts')
    expect(group.receipts.get('bruno')?.readSeq).toBe(4)
    read(group, 'bruno', [2])
    expect(group.receipts.get('bruno')?.readSeq).toBe(4)
    deliver(group, 'bruno', [7])
    expect(group.receipts.get('bruno')?.readSeq).toBe(4)
  })

  it.each<[string, (group: GroupState) => Effects, object]>([
    ['a user who is not a member', (group) => deliver(group, 'zoe', [2]), { code: 'not_found' }],
    ['a user who is not a member and reads', (group) => read(group, 'zoe', [99]), { code: 'not_found' }],
    [
      'a number that was not given out',
      (group) => deliver(group, 'clara', [2, 9]),
      { code: 'not_found', field: 'messageIds' },
    ],
    [
      'messages of two groups',
      (group) => messageDelivered(group, by('clara'), { messageIds: ['g:2', 'h:3'] }, 0),
      { code: 'bad_request', field: 'messageIds' },
    ],
    [
      'another group than the messages are of',
      (group) => messageRead(group, by('clara'), { ...ids(2), groupId: 'h' }, 0),
      { code: 'bad_request', field: 'groupId' },
    ],
  ])('refuse %s, and change nothing', (_, act, expected) => {
    const group = aChat()
    expect(() => act(group)).toThrow(expect.objectContaining(expected))
    expect(group.receipts.size).toBe(0)
    expect(group.receiptNews.empty).toBe(true)
  })
})

describe('receipts for posts that are not in memory', () => {
  /** Numbers below 100 are in the log only. */
  function anOldChat(): GroupState {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    const newer = [100, 101].map((seq) => ({ seq, message: { ...aPost(seq), senderId: 'ana' } }))
    const old = { ...group, recent: new RecentEvents(newer, false), lastSeq: 101 }
    return old
  }

  it('wait until the log returns their senders and what is between them', () => {
    const group = anOldChat()
    const asked = read(group, 'bruno', [50, 52, 57, 100])
    expect(only(asked, 'read').query).toEqual({
      read: 'posts',
      groupId: 'g',
      userId: 'bruno',
      seqs: [50, 52, 57],
    })
    const effects = given(
      asked,
      [
        { seq: 50, senderId: 'ana', previous: 49, next: 52 },
        { seq: 52, senderId: 'ana', previous: 50, next: 55 },
        { seq: 57, senderId: 'ana', previous: 55, next: null },
      ],
      200,
    )
    expect(brief(effects)).toEqual(['append receipts', 'answer_committed ok', 'wake_group'])
    expect(short(group.receipts.get('bruno')?.read ?? [])).toBe('50-52 57-100')
    expect(sent(tellReceipts(group))).toEqual([
      'ana: message_read bruno g:50 g:52 g:57 g:100 at 200',
      'bruno except 3: message_read bruno g:50 g:52 g:57 g:100 at 200',
    ])
  })

  it('do not extend over posts that left memory in the meantime', () => {
    const group = anOldChat()
    for (const seq of [102, 103]) post(group, seq, 'ana')
    const asked = read(group, 'bruno', [99, 103])
    const newest = { seq: 103, message: { ...aPost(103), senderId: 'ana' } }
    Object.assign(group, { recent: new RecentEvents([newest], false) })
    given(asked, [{ seq: 99, senderId: 'ana', previous: 98, next: 100 }])
    expect(short(group.receipts.get('bruno')?.read ?? [])).toBe('99-99 103-103')
  })

  it('are refused if the member has left in the meantime', () => {
    const group = anOldChat()
    const asked = read(group, 'bruno', [50])
    group.members.delete('bruno')
    expect(() => given(asked, [])).toThrow(expect.objectContaining({ code: 'not_found' }))
  })

  it('are not read if they are known', () => {
    const group = anOldChat()
    given(read(group, 'bruno', [50]), [{ seq: 50, senderId: 'ana', previous: null, next: null }])
    expect(brief(read(group, 'bruno', [50, 101]))).not.toContain('read')
  })
})

describe('receipt events for senders and other devices', () => {
  // RCP-1
  it('are sent together, to each sender those of their posts, to the reader’s other devices all', () => {
    const group = aChat()
    deliver(group, 'clara', [2, 3, 4], 100)
    read(group, 'clara', [2], 110)
    expect(brief(read(group, 'clara', [4, 5], 120))).not.toContain('wake_group')
    expect(sent(tellReceipts(group))).toEqual([
      'ana: message_delivered clara g:2 g:3 at 100',
      'ana: message_read clara g:2 g:5 at 120',
      'bruno: message_delivered clara g:4 at 100',
      'bruno: message_read clara g:4 at 120',
      'clara except 3: message_read clara g:2 g:4 g:5 at 120',
    ])
    expect(tellReceipts(group)).toEqual([])
  })

  it('are not sent to a sender who has left', () => {
    const group = aChat()
    read(group, 'clara', [2])
    group.members.delete('ana')
    expect(sent(tellReceipts(group))).toEqual(['clara except 3: message_read clara g:2 at 100'])
  })

  it('are sent to the reader’s own devices only in a large group', () => {
    const group = aChat()
    for (let i = 0; i < limits.largeGroup; i++) group.members.set(`u${i}`, aMember(`u${i}`))
    deliver(group, 'clara', [2])
    read(group, 'clara', [2, 3])
    expect(sent(tellReceipts(group))).toEqual(['clara except 3: message_read clara g:2 g:3 at 100'])
  })

  it('name up to the maximum number of messages in one event', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    const many = Array.from({ length: limits.receiptMessages + 1 }, (_, i) => i + 2)
    for (const seq of many) post(group, seq, 'ana')
    deliver(group, 'bruno', many.slice(0, 400))
    deliver(group, 'bruno', many.slice(400))
    const sizes = tellReceipts(group).map((effect) =>
      effect.type === 'send_user' && effect.event.name === 'message_delivered'
        ? effect.event.fields.messageIds.length
        : 0,
    )
    expect(sizes).toEqual([limits.receiptMessages, 1])
  })
})

describe('get_receipts', () => {
  const receipts = (effects: Effects) => only(effects, 'answer').event.fields

  it('lists the users who received and who read it, earliest first, without its sender', () => {
    const group = aChat()
    read(group, 'clara', [2], 300)
    deliver(group, 'bruno', [2], 200)
    deliver(group, 'ana', [2], 100)
    expect(receipts(getReceipts(group, by('bruno'), { messageId: 'g:2' }, 0))).toEqual({
      messageId: 'g:2',
      delivered: [
        ['bruno', 200],
        ['clara', 300],
      ],
      read: [['clara', 300]],
      deliveredCount: 2,
      readCount: 1,
    })
  })

  it('never reports a read before the message was sent', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    post(group, 2, 'ana')
    read(group, 'bruno', [2], 10)
    group.recent.push({ seq: 3, message: { ...aPost(3), createdAt: MINUTE_MS / 2 } }, 0, 0)
    group.lastSeq = 3
    read(group, 'bruno', [3], MINUTE_MS / 2 + 1)
    expect(group.receipts.get('bruno')?.read).toHaveLength(1)
    expect(receipts(getReceipts(group, by('ana'), { messageId: 'g:3' }, 0))).toMatchObject({
      read: [['bruno', MINUTE_MS / 2]],
    })
  })

  it('omits users who joined after it was sent', () => {
    const group = aChat()
    group.members.set('dora', aMember('dora', { joinedSeq: 3 }))
    read(group, 'dora', [2, 4])
    expect(receipts(getReceipts(group, by('ana'), { messageId: 'g:2' }, 0))).toMatchObject({ readCount: 0 })
    expect(receipts(getReceipts(group, by('ana'), { messageId: 'g:4' }, 0))).toMatchObject({ readCount: 1 })
  })

  it('only counts in a large group', () => {
    const group = aChat()
    for (let i = 0; i < limits.largeGroup; i++) group.members.set(`u${i}`, aMember(`u${i}`))
    read(group, 'clara', [2])
    read(group, 'u7', [2])
    expect(receipts(getReceipts(group, by('ana'), { messageId: 'g:2' }, 0))).toMatchObject({
      delivered: [],
      read: [],
      deliveredCount: 2,
      readCount: 2,
    })
  })

  it.each<[string, string, string, string]>([
    ['no member', 'zoe', 'g:2', 'not_found'],
    ['a number not given out', 'ana', 'g:99', 'not_found'],
    ['what is no post', 'ana', 'g:8', 'not_found'],
  ])('is refused for %s', (_, userId, messageId, code) => {
    expect(() => getReceipts(aChat(), by(userId), { messageId }, 0)).toThrow(
      expect.objectContaining({ code }),
    )
  })
})

describe('message_read up to a number', () => {
  const upTo = (group: GroupState, userId: string, seq: number, named: readonly number[] = []) =>
    messageRead(group, by(userId), { ...ids(...named), groupId: 'g', upTo: seq }, 100)

  // RCP-1
  it('reads everything up to it, in one row, and notifies each sender and the other devices', () => {
    const group = aChat()
    read(group, 'clara', [3], 90)
    tellReceipts(group)
    const effects = upTo(group, 'clara', 5)
    expect(brief(effects)).toEqual(['append receipts', 'answer_committed ok', 'wake_group'])
    expect(group.receipts.get('clara')).toMatchObject({ readSeq: 5 })
    expect(short(group.receipts.get('clara')?.read ?? [])).toBe('2-2 3-5')
    const events = tellReceipts(group)
    expect(sent(events)).toEqual([
      'ana: message_read clara g:2 g:5 at 100',
      'bruno: message_read clara g:4 at 100',
      'clara except 3: message_read clara g:5 at 100',
    ])
    expect(events).toMatchObject(Array.from({ length: 3 }, () => ({ event: { fields: { upTo: 5 } } })))
    expect(brief(upTo(group, 'clara', 5))).toEqual(['answer_committed ok'])
  })

  it('includes listed messages above it, new and old', () => {
    const group = aChat()
    upTo(group, 'clara', 3, [2, 7])
    expect(short(group.receipts.get('clara')?.read ?? [])).toBe('2-3 7-7')
    expect(group.receipts.get('clara')?.readSeq).toBe(7)

    const cold = aChat()
    const recent = new RecentEvents([{ seq: 8, code: 71, frame: Buffer.of(0) }], false)
    const asked = upTo({ ...cold, recent }, 'clara', 3, [7])
    const found = [{ seq: 7, senderId: 'ana', previous: 5, next: null }]
    const older = given(asked, found)
    expect(only(older, 'read').query).toEqual({
      read: 'senders',
      groupId: 'g',
      userId: 'clara',
      after: 1,
      upTo: 3,
      limit: 1_000,
    })
    given(older, [{ seq: 2, senderId: 'ana' }])
    expect(short(cold.receipts.get('clara')?.read ?? [])).toBe('2-3 7-7')
    expect(sent(tellReceipts(cold))[0]).toBe('ana: message_read clara g:2 g:7 at 0')
  })

  it('is refused above the newest number, and without any number', () => {
    const group = aChat()
    expect(() => upTo(group, 'clara', 9)).toThrow(
      expect.objectContaining({ code: 'not_found', field: 'upTo' }),
    )
    expect(() => messageRead(group, by('clara'), { messageIds: [], groupId: 'g' }, 0)).toThrow(
      expect.objectContaining({ code: 'bad_request', field: 'messageIds' }),
    )
  })
})

describe('mark_unread', () => {
  const mark = (group: GroupState, seq: number) => markUnread(group, by('clara'), { groupId: 'g', seq }, 200)

  // UNR-1
  it('moves the mark back below the message, notifies the other devices, and does not change receipts', () => {
    const group = aChat()
    read(group, 'clara', [2, 3, 4, 5, 7])
    const effects = mark(group, 4)
    // Earlier reads are sent first, because devices apply the last event.
    expect(brief(effects)).toEqual([
      'append receipts',
      'send_user',
      'send_user',
      'send_user',
      'send_user',
      'answer_committed ok',
    ])
    expect(effects.at(-2)).toMatchObject({
      userId: 'clara',
      exceptSession: 3,
      event: { name: 'marked_unread', fields: { groupId: 'g', seq: 4, timestamp: 200 } },
    })
    expect(group.receipts.get('clara')).toMatchObject({ readSeq: 3 })
    expect(short(group.receipts.get('clara')?.read ?? [])).toBe('2-7')
    expect(brief(read(group, 'clara', [7], 300))[0]).toBe('append receipts')
    expect(group.receipts.get('clara')?.readSeq).toBe(7)
  })

  it('does nothing if the message was not read, and goes back at most 10,000 numbers', () => {
    const group = aChat()
    expect(brief(mark(group, 4))).toEqual(['answer_committed ok'])
    read(group, 'clara', [3])
    tellReceipts(group)
    expect(brief(mark(group, 4))).toEqual(['answer_committed ok'])
    expect(() => mark(group, 9)).toThrow(expect.objectContaining({ code: 'not_found', field: 'seq' }))
    group.lastSeq = 10_003
    expect(() => mark(group, 2)).toThrow(expect.objectContaining({ code: 'limit_reached', field: 'seq' }))
    expect(brief(mark(group, 3))[0]).toBe('append receipts')
  })
})

describe('receipts of former members', () => {
  // RCP-1
  it('stay counted, and continue when the member rejoins', () => {
    const group = aChat()
    read(group, 'clara', [2, 3])
    leaveGroup(group, by('clara'), { groupId: 'g' }, 0)
    const receipts = () => only(getReceipts(group, by('ana'), { messageId: 'g:3' }, 0), 'answer').event.fields
    expect(receipts()).toMatchObject({ readCount: 1, read: [['clara', 100]] })
    expect(group.receipts.get('clara')?.readSeq).toBe(0)
  })

  it('are stored for up to the maximum number of members, the oldest are dropped first', () => {
    const group = aGroup({ ana: 'admin' })
    for (let i = 0; i <= limits.membersPerGroup + 1; i++) {
      group.receipts.set(`u${i}`, newReceipts())
      receiptsOfFormer(group, `u${i}`)
    }
    expect(group.receipts.size).toBe(limits.membersPerGroup + 1)
    expect([group.receipts.has('u0'), group.receipts.has('u1')]).toEqual([false, true])
  })
})

describe('receipt news', () => {
  it('are sent before they exceed 20,000 numbers, whatever the clock says', () => {
    const group = aGroup({ ana: 'admin', clara: 'member' })
    // Not committed, so that everything stays in memory.
    for (let seq = 2; seq <= 5_100; seq++) group.recent.push({ seq, message: aPost(seq) }, 1, 0)
    group.lastSeq = 5_100
    const all = Array.from({ length: 5_099 }, (_, i) => i + 2)
    let sent = 0
    for (const userId of ['clara', 'dora', 'eva']) {
      group.members.set(userId, aMember(userId))
      const effects = [...read(group, userId, all)]
      sent += effects.filter(({ type }) => type === 'send_user').length
    }
    expect(sent).toBeGreaterThan(0)
    expect(group.receiptNews.full).toBe(false)
  })
})
