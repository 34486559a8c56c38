import { readdirSync, readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { databasePath } from '../../../engine/storage/sqlite/database.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aStore } from '../../support/store.ts'

const joining = (seq: number): LogEntry => ({
  type: 'event',
  groupId: 'g',
  seq,
  code: events.user_joined_group.code,
  at: 0,
  frame: encodeEvent('user_joined_group', 0, { userId: 'ana', userName: 'Ana', groupId: 'g', seq }),
})
const post = (seq: number, createdAt: number) => aPostEntry(seq, { createdAt })
const lease = (ceiling: number): LogEntry => ({ type: 'lease', groupId: 'g', ceiling })

type Store = ReturnType<typeof aStore>

const standings = ({ reader }: Store) => reader.run({ read: 'summaries', userId: 'ana', limit: 9 }).standings
const order = ({ reader }: Store) =>
  reader.run({ read: 'summaries', userId: 'ana', limit: 9 }).groups.map(({ group }) => group.groupId)

// INP-2
describe('the positions of a user’s groups', () => {
  it('are the newest event of any kind, and whether a lease is above it', () => {
    const store = aStore()
    const { writer } = store
    writer.commit([lease(1_024), aGroupEntry('g'), aMemberEntry('g', 'ana'), joining(1)])
    expect(standings(store)).toEqual([['g', 1, 1, 1]])
    writer.commit([post(2, 50), post(3, 60), joining(4)])
    expect(standings(store)).toEqual([['g', 1, 4, 1]])
    writer.commit([lease(4)])
    expect(standings(store)).toEqual([['g', 1, 4, 0]])
    const [summary] = store.reader.run({ read: 'summaries', userId: 'ana', limit: 9 }).groups
    expect(summary).toMatchObject({ lastSeq: 4, group: { lastSeq: 4 }, unread: 0 })
  })

  it('come with summaries in the order of the newest posts, or of the creation if there is none', () => {
    const store = aStore()
    const { writer } = store
    writer.commit([aGroupEntry('g', { createdAt: 10 }), aMemberEntry('g', 'ana'), joining(1)])
    writer.commit([aGroupEntry('h', { createdAt: 20 }), aMemberEntry('h', 'ana')])
    expect(order(store)).toEqual(['h', 'g'])
    writer.commit([post(2, 30), joining(3)])
    expect(order(store)).toEqual(['g', 'h'])
    writer.commit([aGroupEntry('h', { createdAt: 20, name: 'New' }), joining(4)])
    expect(order(store)).toEqual(['g', 'h'])
  })

  it('do not include a transaction that was rolled back', () => {
    const store = aStore()
    const { writer } = store
    writer.commit([aGroupEntry('g'), aMemberEntry('g', 'ana'), joining(1)])
    expect(() => writer.commit([post(2, 30), post(2, 30)])).toThrow()
    writer.commit([aGroupEntry('h'), aMemberEntry('h', 'ana')])
    expect(standings(store)).toEqual([
      ['g', 1, 1, 0],
      ['h', 1, 0, 0],
    ])
  })

  it('are known for the groups of an earlier version', () => {
    const dataDir = temporaryFolder()
    const db = new Database(databasePath(dataDir))
    const folder = new URL('../../../engine/storage/schema/', import.meta.url)
    const before = readdirSync(folder)
      .sort()
      .filter((name) => name < '009')
    for (const name of before) db.exec(readFileSync(new URL(name, folder), 'utf8'))
    db.pragma(`user_version = ${before.length}`)
    db.exec(`
      INSERT INTO users (user_key, user_id) VALUES (1, 'ana');
      INSERT INTO groups (group_key, group_id, kind, visibility, created_by, created_at)
        VALUES (1, 'quiet', 'group', 'private', 1, 35), (2, 'posts', 'group', 'private', 1, 5),
          (3, 'crashed', 'group', 'private', 1, 7);
      INSERT INTO members (group_key, user_key, role, joined_seq, joined_at, posts_before)
        VALUES (1, 1, 'admin', 1, 0, 0), (2, 1, 'admin', 1, 0, 0), (3, 1, 'member', 4, 0, 0);
      INSERT INTO messages (group_key, seq, sender_key, type, content, created_at)
        VALUES (2, 2, 1, 'text', 'x', 30), (2, 3, 1, 'text', 'x', 40);
      INSERT INTO events (group_key, seq, code, at, frame) VALUES (1, 1, 71, 0, x''), (2, 1, 71, 0, x''),
        (3, 4, 71, 0, x''), (2, 5, 71, 0, x'');
      INSERT INTO leases VALUES ('posts', 5), ('crashed', 1028);
      DELETE FROM chores;`)
    db.close()
    const store = aStore(dataDir)
    expect(order(store)).toEqual(['posts', 'quiet', 'crashed'])
    expect([...standings(store)].sort()).toEqual([
      ['crashed', 4, 4, 1],
      ['posts', 1, 5, 0],
      ['quiet', 1, 1, 0],
    ])
  })
})
