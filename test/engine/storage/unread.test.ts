import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { databasePath, openWriter } from '../../../engine/storage/sqlite/database.ts'
import { UnreadCounters } from '../../../engine/storage/sqlite/unread.ts'
import { Writer } from '../../../engine/storage/sqlite/writer.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { Message } from '../../../protocol/records.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aStore } from '../../support/store.ts'

const group = aGroupEntry('g')
const post = (seq: number, senderId: string, mentions?: readonly string[]) =>
  aPostEntry(seq, { senderId, senderName: senderId, mentions })
const posts = (from: number, count: number, senderId = 'ana') =>
  Array.from({ length: count }, (_, i) => post(from + i, senderId))

function readEntry(userId: string, readSeq: number): LogEntry {
  const nothing = new Uint8Array(0)
  return { type: 'receipts', groupId: 'g', userId, delivered: nothing, read: nothing, readSeq }
}

function removalEntry(message: Message, how: 'deletedAt' | 'recalledAt'): LogEntry {
  return { type: 'change', message: { ...message, content: '', mentions: undefined, [how]: 9 } }
}

const users = ['ana', 'bruno', 'clara'] as const

/** A random operation on a group of three. `where` selects a post or a number. */
const step = fc.record({
  do: fc.oneof(
    { weight: 6, arbitrary: fc.constant('post' as const) },
    { weight: 6, arbitrary: fc.constant('read' as const) },
    { weight: 3, arbitrary: fc.constant('mark unread' as const) },
    { weight: 8, arbitrary: fc.constantFrom('delete', 'recall', 'edit', 'commit', 'settle', 'restart') },
    { weight: 3, arbitrary: fc.constantFrom('join', 'join', 'join', 'leave', 'skip', 'skip') },
  ),
  user: fc.constantFrom(...users),
  mentions: fc.subarray([...users]),
  times: fc.constantFrom(1, 2, 3, 20, 260),
  where: fc.double({ min: 0, max: 1, noNaN: true }),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** The group as a plain list of posts, and the log entries that bring storage to the same state. */
class Model {
  readonly posts: Message[] = []
  readonly joined = new Map<string, number>(users.map((userId) => [userId, 1]))
  /** The number from which each member counts: their join, or their read mark. */
  readonly marks = new Map<string, number>(users.map((userId) => [userId, 1]))
  readonly readSeqs = new Map<string, number>()
  seq = 1
  batch: LogEntry[] = [group, ...users.map((userId) => aMemberEntry('g', userId))]

  take({ do: what, user, mentions, times, where }: Step): void {
    const isMember = this.marks.has(user)
    const target = this.posts[Math.floor(where * (this.posts.length - 1))]
    if (what === 'skip') this.seq += 3_000
    else if (what === 'post' && isMember) {
      for (let i = 0; i < times; i++) {
        this.seq += 1
        const entry = post(this.seq, user, mentions.length > 0 ? mentions : undefined)
        this.posts.push(entry.message)
        this.batch.push(entry)
      }
    } else if (what === 'read' && isMember) {
      // A part of what is unread; sometimes all of it, or what was read before.
      const mark = this.marks.get(user) ?? 0
      const unread = this.posts.filter(({ seq }) => seq > mark)
      const some = unread[Math.floor(where * 0.6 * unread.length)]?.seq ?? 1
      const read = where > 0.9 ? this.seq : some
      this.#mark(user, Math.max(read, this.readSeqs.get(user) ?? 0))
    } else if (what === 'mark unread' && isMember) {
      this.#mark(user, Math.floor(where * (this.marks.get(user) ?? 0)))
    } else if (what === 'join' && !isMember) {
      this.seq += 1
      this.marks.set(user, this.seq)
      this.joined.set(user, this.seq)
      this.batch.push(aMemberEntry('g', user, { joinedSeq: this.seq }))
    } else if (what === 'leave' && isMember) {
      this.seq += 1
      this.marks.delete(user)
      this.readSeqs.delete(user)
      this.batch.push({ type: 'member_left', groupId: 'g', userId: user })
    } else if (target && (what === 'delete' || what === 'recall')) {
      const entry = removalEntry(target, what === 'delete' ? 'deletedAt' : 'recalledAt')
      this.posts[this.posts.indexOf(target)] = (entry as { message: Message }).message
      this.batch.push(entry)
    } else if (
      target &&
      what === 'edit' &&
      target.deletedAt === undefined &&
      target.recalledAt === undefined
    ) {
      const edited = { ...target, content: 'x', mentions: times > 2 ? target.mentions : mentions }
      this.posts[this.posts.indexOf(target)] = edited
      this.batch.push({ type: 'change', message: edited })
    }
  }

  #mark(user: string, readSeq: number): void {
    this.readSeqs.set(user, readSeq)
    this.marks.set(user, Math.max(readSeq, this.joined.get(user) ?? 0))
    this.batch.push(readEntry(user, readSeq))
  }

  expected(userId: string) {
    const unread = this.posts.filter(
      ({ seq, senderId, deletedAt, recalledAt }) =>
        seq > (this.marks.get(userId) ?? 0) &&
        senderId !== userId &&
        deletedAt === undefined &&
        recalledAt === undefined,
    )
    return {
      unread: unread.length,
      mentions: unread.filter(({ mentions }) => mentions?.includes(userId)).length,
      readSeq: this.readSeqs.get(userId) ?? 0,
    }
  }
}

describe('unread counts and mentions', () => {
  // UNR-1
  it('equal a plain count of all posts after any operations, at any point', () => {
    const restarted: Writer[] = []
    onTestFinished(() => {
      for (const writer of restarted) writer.close()
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
        const { reader, dataDir, writer: first } = aStore()
        const model = new Model()
        let writer = first
        const check = () => {
          writer.commit(model.batch.splice(0))
          for (const userId of model.marks.keys()) {
            const [summary] = reader.run({ read: 'summaries', userId, limit: 10 }).groups
            expect(summary, userId).toMatchObject(model.expected(userId))
          }
        }
        for (const one of steps) {
          model.take(one)
          if (one.do === 'commit' || one.do === 'settle' || one.do === 'restart') check()
          if (one.do === 'settle') writer.settle()
          // A crash: what was not counted is not counted at its end either.
          if (one.do === 'restart') {
            writer = new Writer(openWriter(dataDir, 'process'))
            restarted.push(writer)
          }
        }
        check()
        writer.settle()
        check()
      }),
      { seed: 11, numRuns: 60 },
    )
  })

  it('continue from what an older version has counted', () => {
    const dataDir = temporaryFolder()
    const db = new Database(databasePath(dataDir))
    db.exec(readFileSync(new URL('../../../engine/storage/schema/001-initial.sql', import.meta.url), 'utf8'))
    db.pragma('user_version = 1')
    // Ana's posts 2 and 3, then Bruno's 4, her posts 5 and 6; counted up to 5.
    db.exec(`
      INSERT INTO users (user_key, user_id) VALUES (1, 'ana'), (2, 'bruno');
      INSERT INTO groups (group_key, group_id, kind, visibility, created_by, created_at, posts, counted_seq)
        VALUES (1, 'g', 'group', 'private', 1, 0, 3, 5);
      INSERT INTO members (group_key, user_key, role, joined_seq, joined_at, posts_before, own_posts)
        VALUES (1, 1, 'admin', 1, 0, 0, 3), (1, 2, 'member', 4, 0, 2, 0);`)
    const add = db.prepare('INSERT INTO messages VALUES (1, ?, 1, ?, ?, 0, NULL, NULL, NULL, NULL)')
    for (const seq of [2, 3, 5, 6]) add.run(seq, 'text', 'x')
    db.close()
    const { writer, reader } = aStore(dataDir)
    const of = (userId: string) => reader.run({ read: 'summaries', userId, limit: 1 }).groups[0]
    expect(of('bruno')).toMatchObject({ unread: 2, readSeq: 0 })
    writer.commit([removalEntry(post(3, 'ana').message, 'deletedAt'), readEntry('bruno', 5)])
    expect(of('bruno')).toMatchObject({ unread: 1, readSeq: 5 })
    writer.commit([post(7, 'ana')])
    writer.settle()
    expect(of('bruno')).toMatchObject({ unread: 2 })
    expect(of('ana')).toMatchObject({ unread: 0 })
  })

  it('are correct after a commit that failed and is retried', () => {
    const { writer, reader } = aStore()
    writer.commit([group, aMemberEntry('g', 'ana'), aMemberEntry('g', 'bruno'), ...posts(2, 200)])
    const batch = [...posts(202, 100), readEntry('bruno', 250)]
    expect(() => writer.commit([...batch, post(2, 'ana')])).toThrow()
    writer.commit(batch)
    writer.settle()
    expect(reader.run({ read: 'summaries', userId: 'bruno', limit: 1 }).groups[0]).toMatchObject({
      unread: 51,
      readSeq: 250,
    })
  })

  it('are correct for marks in the middle of many unread posts, near the beginning and near the end', () => {
    const { writer, reader } = aStore()
    writer.commit([group, aMemberEntry('g', 'ana'), aMemberEntry('g', 'bruno'), aMemberEntry('g', 'clara')])
    const seqs = [10, 20, 6_000, 6_001, 30_000, 30_001]
    writer.commit(seqs.map((seq, i) => post(seq, i % 2 === 0 ? 'ana' : 'bruno', ['ana', 'bruno', 'clara'])))
    for (const readSeq of [15, 6_000, 20_000, 29_000]) {
      writer.commit([readEntry('bruno', readSeq), readEntry('clara', readSeq)])
      writer.settle()
      const above = seqs.filter((seq) => seq > readSeq)
      const of = (userId: string) => reader.run({ read: 'summaries', userId, limit: 1 }).groups[0]
      expect(of('clara')).toMatchObject({ unread: above.length, mentions: above.length })
      const byAna = above.filter((seq) => seqs.indexOf(seq) % 2 === 0).length
      expect(of('bruno')).toMatchObject({ unread: byAna, mentions: byAna })
    }
    // What was counted until then can be removed again.
    writer.commit([removalEntry(post(30_000, 'ana', ['bruno']).message, 'deletedAt')])
    expect(reader.run({ read: 'summaries', userId: 'bruno', limit: 1 }).groups[0]).toMatchObject({
      unread: 0,
      mentions: 0,
    })
  })
})

describe('the counters', () => {
  /** A store with Ana and Bruno, and access to its counters. */
  function aWatchedStore() {
    const { writer, dataDir } = aStore()
    const db = new Database(databasePath(dataDir), { readonly: true })
    onTestFinished(() => {
      db.close()
    })
    writer.commit([group, aMemberEntry('g', 'ana'), aMemberEntry('g', 'bruno')])
    const posted = db.prepare('SELECT posts, counted_seq FROM groups').raw()
    const mark = db
      .prepare('SELECT counted_read FROM members m JOIN users u USING (user_key) WHERE user_id = ?')
      .pluck()
    const writable = new Database(databasePath(dataDir))
    onTestFinished(() => {
      writable.close()
    })
    const keys = {
      groups: db.prepare('SELECT group_key FROM groups WHERE group_id = ?').pluck(),
      users: db.prepare('SELECT user_key FROM users WHERE user_id = ?').pluck(),
    }
    const keyOf = (table: keyof typeof keys, id: string) => keys[table].get(id) as number
    return {
      writer,
      db: { writable, keyOf },
      counted: () => posted.get(),
      markOf: (userId: string) => mark.get(userId),
    }
  }

  it('are updated when many posts are not counted, so that readers count few themselves', () => {
    const { writer, counted, markOf } = aWatchedStore()
    writer.commit(posts(2, 255))
    writer.commit([readEntry('bruno', 100)])
    expect([counted(), markOf('bruno')]).toEqual([[0, 0], 1])
    writer.commit(posts(257, 1))
    expect([counted(), markOf('bruno')]).toEqual([[256, 257], 100])
    writer.commit(posts(258, 1))
    writer.settle()
    expect(counted()).toEqual([257, 258])
  })

  it('are updated at once for a user who has read far', () => {
    const { writer, markOf } = aWatchedStore()
    writer.commit(posts(2, 5_000))
    writer.commit([readEntry('bruno', 1_025)])
    expect(markOf('bruno')).toBe(1)
    writer.commit([readEntry('bruno', 1_026)])
    expect(markOf('bruno')).toBe(1_026)
    expect(markOf('ana')).toBe(1)
  })

  // OVL-1
  it.each(['posts', 'receipts'])('are updated when too many groups have %s that are not counted', (kind) => {
    const { writer, db, counted, markOf } = aWatchedStore()
    writer.commit([...posts(2, 3), readEntry('bruno', 3)])
    const [groupKey, userKey] = [db.keyOf('groups', 'g'), db.keyOf('users', 'bruno')]
    const unread = new UnreadCounters(db.writable)
    const others = 100_000
    if (kind === 'posts') unread.posted(groupKey)
    else unread.read(groupKey, userKey)
    // Groups that do not exist are the fastest to count.
    for (let i = 1; i < others; i++) unread.posted(groupKey + i)
    expect([counted(), markOf('bruno')]).toEqual([[0, 0], 1])
    unread.posted(groupKey + others)
    expect([counted(), markOf('bruno')]).toEqual([[3, 4], 3])
  })

  it('are updated when there is nothing else to do', () => {
    const { writer, markOf } = aWatchedStore()
    writer.commit([...posts(2, 3), readEntry('bruno', 3)])
    expect(markOf('bruno')).toBe(1)
    writer.settle()
    expect(markOf('bruno')).toBe(3)
  })

  it('do not change the receipts of former members', () => {
    const { writer } = aWatchedStore()
    writer.commit([{ type: 'member_left', groupId: 'g', userId: 'bruno' }, readEntry('bruno', 3)])
    expect(() => writer.settle()).not.toThrow()
  })
})
