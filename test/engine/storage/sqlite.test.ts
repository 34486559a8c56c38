import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { databasePath, openWriter } from '../../../engine/storage/sqlite/database.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { aFile, aFileEntry, aGroupEntry, aPostEntry, aStore, aUserEntry } from '../../support/store.ts'

const group = aGroupEntry('g', { name: 'G' })
const post = (seq: number, senderId: string, mentions?: readonly string[]) =>
  aPostEntry(seq, { senderId, senderName: senderId, mentions })

describe('the store', () => {
  it('returns a message unchanged, with every field', () => {
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

  it('stores a lease before the group exists', () => {
    const { writer, reader } = aStore()
    writer.commit([{ type: 'lease', groupId: 'g', ceiling: 1_024 }])
    expect(reader.run({ read: 'group', groupId: 'g' })).toMatchObject({
      group: null,
      lastSeq: 0,
      ceiling: 1_024,
    })
  })

  it('commits all of a batch or none of it', () => {
    const { writer, reader } = aStore()
    expect(() => writer.commit([group, post(2, 'ana'), post(2, 'bruno')])).toThrow()
    expect(reader.run({ read: 'group', groupId: 'g' }).group).toBeNull()
    // The keys assigned in it were dropped with it.
    writer.commit([group, post(2, 'bruno')])
    expect(reader.run({ read: 'message', groupId: 'g', seq: 2 })).toMatchObject({ senderId: 'bruno' })
  })
})

describe('the schema', () => {
  it('is created in a new file, with its version, and unchanged when the file is opened again', () => {
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

  it('of a newer version is refused, and the file is not changed', () => {
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
