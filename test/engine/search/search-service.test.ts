import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SearchIndex } from '../../../engine/search/search-index.ts'
import { SearchService } from '../../../engine/search/search-service.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import { parseQuery } from '../../../engine/text/query.ts'
import { eventually } from '../../support/conditions.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aStore } from '../../support/store.ts'

/** A log with one post, and services over it, each ended before the next starts. */
function aLog() {
  const { writer, dataDir } = aStore()
  writer.commit([aGroupEntry('g'), aMemberEntry('g', 'ana'), aPostEntry(2, { content: 'bread' })])
  const logged: string[] = []
  const log = (_: object, message: string) => void logged.push(message)
  const start = () => {
    const service = new SearchService(dataDir, { info: log, warn: log, error: log })
    onTestFinished(() => service.close())
    const found = (query: string) =>
      service
        .run({ read: 'search', userId: 'ana', terms: parseQuery(query) })
        ?.hits.map(({ message }) => message.content)
    return {
      service,
      found,
      /** Waits until the search returns these hits. */
      finds: (query: string, contents: readonly string[]) =>
        eventually(() => expect(found(query)).toEqual(contents)),
      changed: (seq: number) => service.changed({ groups: [['g', seq]], all: false }, () => {}),
    }
  }
  return {
    dataDir,
    file: join(dataDir, 'search.db'),
    logged,
    start,
    commit: (e: LogEntry) => writer.commit([e]),
  }
}

describe('the search service', () => {
  it('indexes existing posts and those it is notified of', async () => {
    const { start, commit } = aLog()
    const { finds, changed, service } = start()
    await finds('bread', ['bread'])
    commit(aPostEntry(3, { content: 'bread and butter' }))
    changed(3)
    await finds('bread', ['bread and butter', 'bread'])
    expect(service.stats()).toMatchObject({ lag: 0, documents: 2 })
  })

  it('continues after a restart with its index, and adds what is missing', async () => {
    const { start, commit } = aLog()
    const first = start()
    await first.finds('bread', ['bread'])
    first.service.close()
    commit(aPostEntry(3, { content: 'bread again' }))
    const second = start()
    await second.finds('bread', ['bread again', 'bread'])
    expect(second.service.stats().indexed).toBe(1)
  })

  it('rebuilds the index if its file is missing', async () => {
    const { start, dataDir, file } = aLog()
    const first = start()
    await first.finds('bread', ['bread'])
    first.service.close()
    SearchIndex.remove(dataDir)
    expect(existsSync(file)).toBe(false)
    await start().finds('bread', ['bread'])
  })

  it.each([
    ['is no database', (file: string) => writeFileSync(file, 'garbage '.repeat(1_000))],
    ['is empty', (file: string) => writeFileSync(file, '')],
    [
      'is of another version',
      (file: string) => {
        const db = new Database(file)
        db.exec('CREATE TABLE words (a); PRAGMA user_version = 77')
        db.close()
      },
    ],
    [
      'lacks a table',
      (file: string) => {
        const db = new Database(file)
        db.exec('PRAGMA user_version = 1')
        db.close()
      },
    ],
  ])('rebuilds it if the file %s', async (_, damage) => {
    const { start, file } = aLog()
    damage(file)
    await start().finds('bread', ['bread'])
  })

  it('rebuilds the index if it is ahead of the log, as after a restored backup', async () => {
    const { start, dataDir, commit, logged } = aLog()
    const index = SearchIndex.open(dataDir)
    const stale = { group: 1, seq: 9, sender: 1, createdAt: 9, text: 'bread of another time' }
    index.put([stale])
    index.commit([{ group: 1, groupId: 'g', seq: 9 }])
    index.close()
    const { finds, changed, service } = start()
    await finds('bread', ['bread'])
    await eventually(() => expect(service.stats().documents).toBe(1))
    expect(logged).toContain('rebuilding the search index')
    commit(aPostEntry(3, { content: 'bread again' }))
    changed(3)
    await finds('again', ['bread again'])
  })

  it('rebuilds the index if pages of it are damaged', async () => {
    const { start, dataDir, file, commit } = aLog()
    for (let seq = 3; seq < 300; seq++) commit(aPostEntry(seq, { content: `bread ${seq} ${'x'.repeat(99)}` }))
    const first = start()
    await first.finds('299', [`bread 299 ${'x'.repeat(99)}`])
    first.service.close()
    // The tables exist, but the data of FTS5 is not.
    const db = new Database(file).unsafeMode()
    db.exec('UPDATE words_data SET block = zeroblob(8) WHERE id > 10')
    db.close()
    expect(existsSync(join(dataDir, 'search.db'))).toBe(true)
    const second = start()
    await eventually(() => expect(second.found('299')).toHaveLength(1))
  })
})
