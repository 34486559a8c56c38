import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { LogEntry } from '../../../engine/storage/log.ts'
import { databasePath, openWriter } from '../../../engine/storage/sqlite/database.ts'
import { Writer } from '../../../engine/storage/sqlite/writer.ts'
import { temporaryFolder } from '../../support/engines.ts'
import {
  aFile,
  aFileEntry,
  aGroupEntry,
  aMemberEntry,
  aPostEntry,
  aStore,
  aUserEntry,
} from '../../support/store.ts'

const group = aGroupEntry('g', { name: 'G' })
const post = (seq: number, senderId: string, mentions?: readonly string[]) =>
  aPostEntry(seq, { senderId, senderName: senderId, mentions })

describe('the store', () => {
  it('gives a message back as it was, with every field', () => {
    const { writer, reader } = aStore()
    const full = post(2, 'ana', ['bruno', 'ção'])
    const message = {
      ...full.message,
      type: 'file',
      replyToId: 'g:1',
      file: aFile({ width: 3, height: 4, durationMs: 5 }),
      content: 'olá 👋',
    } as const
    writer.commit([group, aUserEntry('ana', 'Ana'), aFileEntry(message.file), { ...full, message }])
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
      do: fc.constantFrom('post', 'post', 'post', 'post', 'join', 'leave', 'settle', 'commit', 'restart'),
      user: fc.constantFrom(...users),
      mentions: fc.uniqueArray(fc.constantFrom(...users)),
      times: fc.constantFrom(1, 1, 2, 300),
    })
    const restarted: Writer[] = []
    onTestFinished(() => {
      for (const writer of restarted) writer.close()
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 25, size: 'max' }), (actions) => {
        const { reader, dataDir, writer: first } = aStore()
        let writer = first
        const posts: { readonly seq: number; readonly by: string; readonly mentions: readonly string[] }[] =
          []
        const joined = new Map<string, number>([['ana', 1]])
        let seq = 1
        let batch: LogEntry[] = [group, aMemberEntry('g', 'ana')]
        const commit = () => {
          writer.commit(batch)
          batch = []
        }
        for (const { do: what, user, mentions, times } of actions) {
          if (what === 'commit') commit()
          // A crash: what was not counted is not counted at its end either.
          else if (what === 'restart') {
            commit()
            writer = new Writer(openWriter(dataDir, 'process'))
            restarted.push(writer)
          } else if (what === 'settle') {
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
            batch.push(aMemberEntry('g', user, { joinedSeq: seq }))
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

describe('the counters', () => {
  it('follow when many posts are not counted, so that readers count few themselves', () => {
    const { writer, dataDir } = aStore()
    const db = new Database(databasePath(dataDir), { readonly: true })
    onTestFinished(() => {
      db.close()
    })
    const counted = () => db.prepare('SELECT posts, counted_seq FROM groups').raw().get()
    const posts = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => post(from + i, 'ana'))
    writer.commit([group, ...posts(2, 255)])
    expect(counted()).toEqual([0, 0])
    writer.commit(posts(257, 1))
    expect(counted()).toEqual([256, 257])
    writer.commit(posts(258, 1))
    writer.settle()
    expect(counted()).toEqual([257, 258])
  })
})

describe('the schema', () => {
  it('is made in a fresh file, with its number, and left as it is when the file is opened again', () => {
    const { dataDir, writer } = aStore()
    const db = new Database(databasePath(dataDir), { readonly: true })
    onTestFinished(() => {
      db.close()
    })
    const schema = () => [
      db.pragma('user_version', { simple: true }),
      db.prepare('SELECT sql FROM sqlite_schema').pluck().all(),
    ]
    const made = schema()
    expect(made[0]).toBeGreaterThanOrEqual(1)
    writer.commit([group])
    const { reader } = aStore(dataDir)
    expect(reader.run({ read: 'group', groupId: 'g' }).group).toMatchObject({ name: 'G' })
    expect(schema()).toEqual(made)
  })

  it('of a newer version is refused, and nothing of the file changed', () => {
    const dataDir = temporaryFolder()
    const db = new Database(databasePath(dataDir))
    onTestFinished(() => {
      db.close()
    })
    db.pragma('user_version = 99')
    expect(() => openWriter(dataDir, 'process')).toThrow(/schema 99.*use a newer version/)
    expect(db.pragma('user_version', { simple: true })).toBe(99)
    expect(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()).toBe(0)
  })
})
