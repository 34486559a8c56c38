import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { LogEntry } from '../../../engine/storage/log.ts'
import { databasePath, openReader, openWriter } from '../../../engine/storage/sqlite/database.ts'
import { Reader } from '../../../engine/storage/sqlite/reader.ts'
import { Writer } from '../../../engine/storage/sqlite/writer.ts'
import type { Message } from '../../../protocol/records.ts'
import { temporaryFolder } from '../../support/engines.ts'

function aStore(dataDir = temporaryFolder()) {
  const writer = new Writer(openWriter(dataDir, 'process'))
  const reader = new Reader(openReader(dataDir))
  onTestFinished(() => {
    reader.close()
    writer.close()
  })
  return { writer, reader, dataDir }
}

const group: LogEntry = {
  type: 'group',
  group: { groupId: 'g', kind: 'group', visibility: 'open', createdBy: 'ana', createdAt: 1, name: 'G' },
}
const member = (userId: string, joinedSeq = 1): LogEntry => ({
  type: 'member',
  groupId: 'g',
  member: { userId, role: 'member', joinedSeq, joinedAt: 1 },
})
const post = (
  seq: number,
  senderId: string,
  mentions?: readonly string[],
): { readonly type: 'message'; readonly message: Message } => ({
  type: 'message',
  message: {
    messageId: `g:${seq}`,
    groupId: 'g',
    seq,
    senderId,
    senderName: senderId,
    type: 'text',
    content: `${seq}`,
    createdAt: seq,
    tempId: `t${seq}`,
    replyToId: undefined,
    fileId: undefined,
    mentions,
  },
})

describe('the store', () => {
  it('gives a message back as it was, with every field', () => {
    const { writer, reader } = aStore()
    const full = post(2, 'ana', ['bruno', 'ção'])
    const message = {
      ...full.message,
      type: 'file',
      replyToId: 'g:1',
      fileId: 'f1',
      content: 'olá 👋',
    } as const
    writer.commit([group, { type: 'user', userId: 'ana', name: 'Ana', picture: '' }, { ...full, message }])
    expect(reader.run({ read: 'message', groupId: 'g', seq: 2 })).toEqual({ ...message, senderName: 'Ana' })
    expect(reader.run({ read: 'message', groupId: 'g', seq: 3 })).toBeNull()
  })

  it('merges posts and events by seq, and counts up to a cap', () => {
    const { writer, reader } = aStore()
    const event = (seq: number): LogEntry => ({
      type: 'event',
      groupId: 'g',
      seq,
      code: 71,
      at: 1,
      frame: Buffer.of(seq),
    })
    writer.commit([group, event(1), post(2, 'ana'), event(3), event(4), post(5, 'ana')])
    const seqs = (after: number, upTo: number, limit: number) =>
      reader.run({ read: 'events', groupId: 'g', after, upTo, limit }).map(({ seq }) => seq)
    expect(seqs(0, 9, 10)).toEqual([1, 2, 3, 4, 5])
    expect(seqs(1, 4, 10)).toEqual([2, 3, 4])
    expect(seqs(0, 9, 3)).toEqual([1, 2, 3])
    const count = (cap: number) => reader.run({ read: 'count', groupId: 'g', after: 1, upTo: 9, cap })
    expect([count(10), count(2)]).toEqual([4, 2])
    expect(reader.run({ read: 'group', groupId: 'g' })).toMatchObject({ lastSeq: 5, ceiling: 0 })
  })

  it('keeps a lease before there is a group', () => {
    const { writer, reader } = aStore()
    writer.commit([{ type: 'lease', groupId: 'g', ceiling: 1_024 }])
    expect(reader.run({ read: 'group', groupId: 'g' })).toMatchObject({
      group: null,
      lastSeq: 0,
      ceiling: 1_024,
    })
  })

  it('keeps all of a batch or none of it', () => {
    const { writer, reader } = aStore()
    expect(() => writer.commit([group, post(2, 'ana'), post(2, 'bruno')])).toThrow()
    expect(reader.run({ read: 'group', groupId: 'g' }).group).toBeNull()
    // The keys made in it were forgotten with it.
    writer.commit([group, post(2, 'bruno')])
    expect(reader.run({ read: 'message', groupId: 'g', seq: 2 })).toMatchObject({ senderId: 'bruno' })
  })

  it('counts unread posts and mentions as a plain count of all posts would, at any point', () => {
    const users = ['ana', 'bruno', 'clara'] as const
    const action = fc.record({
      do: fc.constantFrom('post', 'post', 'post', 'post', 'join', 'leave', 'settle', 'commit'),
      user: fc.constantFrom(...users),
      mentions: fc.uniqueArray(fc.constantFrom(...users)),
      times: fc.constantFrom(1, 1, 2, 300),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
        const { writer, reader } = aStore()
        const posts: { readonly seq: number; readonly by: string; readonly mentions: readonly string[] }[] =
          []
        const joined = new Map<string, number>([['ana', 1]])
        let seq = 1
        let batch: LogEntry[] = [group, member('ana')]
        const commit = () => {
          writer.commit(batch)
          batch = []
        }
        for (const { do: what, user, mentions, times } of actions) {
          if (what === 'commit') commit()
          else if (what === 'settle') {
            commit()
            writer.settle()
          } else if (what === 'post' && joined.has(user)) {
            for (let i = 0; i < times; i++) {
              seq += 1
              posts.push({ seq, by: user, mentions })
              batch.push(post(seq, user, mentions.length > 0 ? mentions : undefined))
            }
          } else if (what === 'join' && !joined.has(user)) {
            seq += 1
            joined.set(user, seq)
            batch.push(member(user, seq))
          } else if (what === 'leave' && joined.delete(user)) {
            seq += 1
            batch.push({ type: 'member_left', groupId: 'g', userId: user })
          }
        }
        commit()
        for (const [userId, since] of joined) {
          const unread = posts.filter((one) => one.seq > since && one.by !== userId)
          const [summary] = reader.run({ read: 'summaries', userId, limit: 10 }).groups
          expect(summary).toMatchObject({
            unread: unread.length,
            mentions: unread.filter((one) => one.mentions.includes(userId)).length,
            group: { memberCount: joined.size },
          })
        }
      }),
      { seed: 11, numRuns: 25 },
    )
  })
})

describe('the schema', () => {
  it('is made once, and a file of a newer version is refused', () => {
    const { dataDir, writer } = aStore()
    writer.commit([group])
    const { reader } = aStore(dataDir)
    expect(reader.run({ read: 'group', groupId: 'g' }).group).toMatchObject({ name: 'G' })
    const db = new Database(databasePath(dataDir))
    db.pragma('user_version = 99')
    db.close()
    expect(() => openWriter(dataDir, 'process')).toThrow(/schema 99.*use a newer version/)
  })
})
