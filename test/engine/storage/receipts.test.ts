import { describe, expect, it } from 'vitest'
import { loadedReceipts, receiptsEntry } from '../../../engine/actors/group/member-receipts.ts'
import { addReceipts, type Range } from '../../../engine/actors/group/ranges.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import { limits } from '../../../protocol/limits.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aStore } from '../../support/store.ts'

const members = ['ana', 'bruno', 'clara'].map((userId) => aMemberEntry('g', userId))

/** One range for each number. */
function ranges(...seqs: readonly number[]): Range[] {
  const made: Range[] = []
  addReceipts(made, seqs, 1_700_000_000_000, () => false)
  return made
}

describe('receipts in the store', () => {
  const given = { delivered: ranges(2, 3, 9), read: ranges(2), readSeq: 2 }

  it('are returned unchanged, for each member', () => {
    const { writer, reader } = aStore()
    writer.commit([aGroupEntry('g'), ...members, receiptsEntry('g', 'bruno', given)])
    const { receipts } = reader.run({ read: 'group', groupId: 'g' })
    expect(loadedReceipts(receipts)).toEqual(new Map([['bruno', given]]))
  })

  it('are replaced by newer ones, and the read mark moves back if messages are marked unread', () => {
    const { writer, reader } = aStore()
    const more = { delivered: ranges(2, 3, 9), read: ranges(2, 9), readSeq: 9 }
    writer.commit([aGroupEntry('g'), ...members, receiptsEntry('g', 'bruno', given)])
    writer.commit([receiptsEntry('g', 'bruno', more), receiptsEntry('g', 'bruno', { ...more, readSeq: 4 })])
    const { receipts } = reader.run({ read: 'group', groupId: 'g' })
    expect(loadedReceipts(receipts)).toEqual(new Map([['bruno', { ...more, readSeq: 4 }]]))
  })

  // RCP-1
  it('outlive the membership without its mark, are restored on a rejoin, and stay when the member changes', () => {
    const { writer, reader } = aStore()
    const changed: LogEntry = aMemberEntry('g', 'bruno', { role: 'moderator' })
    writer.commit([aGroupEntry('g'), ...members, receiptsEntry('g', 'bruno', given), changed])
    expect(reader.run({ read: 'group', groupId: 'g' }).receipts).toHaveLength(1)
    const left: LogEntry = { type: 'member_left', groupId: 'g', userId: 'bruno' }
    const former = new Map([['bruno', { ...given, readSeq: 0 }]])
    const stored = () => loadedReceipts(reader.run({ read: 'group', groupId: 'g' }).receipts)
    writer.commit([left])
    expect(stored()).toEqual(former)
    writer.commit([aMemberEntry('g', 'bruno', { joinedSeq: 40 }), changed])
    expect(stored()).toEqual(former)
    writer.commit([left])
    expect(stored()).toEqual(former)
  })

  it('are stored for as many former members as a group may have members', () => {
    const { writer, reader } = aStore()
    const count = limits.membersPerGroup + 3
    const crowd = Array.from({ length: count }, (_, i) => `u${i}`).flatMap((userId): LogEntry[] => [
      aMemberEntry('g', userId),
      receiptsEntry('g', userId, given),
      { type: 'member_left', groupId: 'g', userId },
    ])
    writer.commit([aGroupEntry('g'), ...crowd])
    const { receipts } = reader.run({ read: 'group', groupId: 'g' })
    expect([receipts.length, receipts[0]?.userId, receipts.at(-1)?.userId]).toEqual([
      limits.membersPerGroup,
      'u3',
      `u${count - 1}`,
    ])
  })
})

describe('posts by their numbers', () => {
  it('are found without a scan of all own posts between them', () => {
    const { writer, reader } = aStore()
    const senderOf = (seq: number) => (seq === 100 ? 'ana' : 'bruno')
    const posts = Array.from({ length: 200 }, (_, i) => aPostEntry(i + 2, { senderId: senderOf(i + 2) }))
    writer.commit([aGroupEntry('g'), ...posts])
    // INP-2: own posts are not returned, and at most 64 of them are visited.
    expect(reader.run({ read: 'posts', groupId: 'g', userId: 'bruno', seqs: [2, 99, 100, 201] })).toEqual([
      { seq: 100, senderId: 'ana', previous: 36, next: 164 },
    ])
  })

  it('have their senders, and the posts of others next to them', () => {
    const { writer, reader } = aStore()
    const by = (seq: number, senderId: string) => aPostEntry(seq, { senderId })
    writer.commit([aGroupEntry('g'), ...members, by(2, 'ana'), by(4, 'bruno'), by(6, 'ana'), by(9, 'clara')])
    const posts = (seqs: readonly number[]) =>
      reader.run({ read: 'posts', groupId: 'g', userId: 'bruno', seqs })
    expect(posts([2, 3, 4, 6, 9, 11])).toEqual([
      { seq: 2, senderId: 'ana', previous: null, next: 6 },
      { seq: 6, senderId: 'ana', previous: 2, next: 9 },
      { seq: 9, senderId: 'clara', previous: 6, next: null },
    ])
    expect(reader.run({ read: 'posts', groupId: 'h', userId: 'bruno', seqs: [2] })).toEqual([])
  })
})
