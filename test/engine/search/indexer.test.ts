import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ForeignIndexError } from '../../../engine/search/indexer.ts'
import { aChange, anIndex, aSearch, erased } from '../../support/search.ts'
import { aFile, aFileEntry, aGroupEntry, aMemberEntry, aPostEntry } from '../../support/store.ts'

/** This number of posts, from seq 2. */
const posts = (count: number, content: string, groupId = 'g') =>
  Array.from({ length: count }, (_, i) =>
    aPostEntry(i + 2, { groupId, messageId: `${groupId}:${i + 2}`, content }),
  )

describe('the indexer', () => {
  it('indexes existing posts, then new ones', () => {
    const { writer, write, catchUp, found, indexer } = aSearch()
    writer.commit([aPostEntry(2, { content: 'bread' })])
    catchUp()
    expect(found('bread')).toEqual(['bread'])
    write(aPostEntry(3, { content: 'more bread' }))
    expect(found('more')).toEqual([])
    expect(indexer.idle).toBe(false)
    catchUp()
    expect(found('bread')).toEqual(['more bread', 'bread'])
    expect(indexer.idle).toBe(true)
  })

  it('reports its lag', () => {
    const { write, catchUp, indexer, clock } = aSearch()
    catchUp()
    write(aPostEntry(2), aPostEntry(3))
    clock.ms = 70
    write(aPostEntry(4))
    expect(indexer.stats()).toEqual({ lag: 4, lagMs: 70, indexed: 0, documents: 0 })
    catchUp()
    expect(indexer.stats()).toEqual({ lag: 0, lagMs: 0, indexed: 3, documents: 3 })
  })

  it('follows edits, deletions and recalls', () => {
    const { write, catchUp, found, indexer } = aSearch()
    write(...[2, 3, 4].map((seq) => aPostEntry(seq, { content: `bread ${seq}` })))
    catchUp()
    expect(found('bread')).toHaveLength(3)
    write(...aChange('message_edited', 5, 2, { content: 'butter' }))
    write(...aChange('message_deleted', 6, 3, { ...erased, deletedAt: 6, deletedBy: 'ana' }))
    write(...aChange('message_recalled', 7, 4, { ...erased, recalledAt: 7 }))
    catchUp()
    expect(found('bread')).toEqual([])
    expect(found('butter')).toEqual(['butter'])
    expect(indexer.stats().documents).toBe(1)
  })

  it('indexes the current text of a post that was edited before', () => {
    const { write, catchUp, found } = aSearch()
    write(aPostEntry(2, { content: 'bread' }), ...aChange('message_edited', 3, 2, { content: 'butter' }))
    catchUp()
    expect([found('bread'), found('butter')]).toEqual([[], ['butter']])
  })

  it('finds a file by its name until its message is deleted', () => {
    const { write, catchUp, search, found } = aSearch()
    const file = aFile({ fileName: 'Orçamento 2026.pdf' })
    write(aFileEntry(file), aPostEntry(2, { content: '', type: 'file', file }))
    catchUp()
    expect(search('orcamento')?.hits[0]?.snippet).toBe('<mark>Orçamento</mark> 2026.pdf')
    write(...aChange('message_deleted', 3, 2, { ...erased, deletedAt: 3 }))
    catchUp()
    expect(found('orcamento')).toEqual([])
  })

  it('indexes long logs and many groups in small steps', () => {
    const { writer, indexer, search } = aSearch()
    const groups = Array.from({ length: 600 }, (_, i) => `g${i}`)
    writer.commit([
      ...posts(5_000, 'bread'),
      ...groups.flatMap((groupId) => [
        aGroupEntry(groupId),
        aMemberEntry(groupId, 'ana'),
        aPostEntry(2, { groupId, messageId: `${groupId}:2`, createdAt: 50_000, content: 'bread' }),
      ]),
    ])
    let steps = 0
    while (indexer.step() !== 'nothing') steps += 1
    expect(steps).toBeGreaterThan(5_600 / 256)
    expect(indexer.stats()).toMatchObject({ lag: 0, indexed: 5_600, documents: 5_600 })
    const page = search('bread', { limit: 100 })
    expect(new Set(page?.hits.map((hit) => hit.message.groupId)).size).toBe(100)
    expect(search('bread', { before: 50_000 })?.hits[0]?.message.seq).toBe(5_001)
  })

  it('indexes new posts before it continues with an old log', () => {
    const { writer, write, indexer, found } = aSearch()
    writer.commit([aGroupEntry('old'), ...posts(10_000, 'crumbs', 'old')])
    while (indexer.indexed === 0) indexer.step()
    write(aPostEntry(2, { content: 'bread' }))
    while (found('bread')?.length === 0) indexer.step()
    expect(indexer.stats().lag).toBeGreaterThan(1_000)
  })

  it('indexes old posts even while new ones arrive all the time', () => {
    const { writer, write, indexer, found } = aSearch()
    writer.commit([aPostEntry(2, { content: 'crumbs' }), aGroupEntry('new')])
    for (let seq = 2; found('crumbs')?.length === 0; seq++) {
      write(aPostEntry(seq, { groupId: 'new', messageId: `new:${seq}` }))
      indexer.step()
      expect(seq).toBeLessThan(100)
    }
  })

  it('continues after a stop at any step', () => {
    const { writer, dataDir, indexer, close } = aSearch()
    writer.commit(posts(10_000, 'bread'))
    while (indexer.indexed === 0) indexer.step()
    for (let i = 0; i < 3; i++) indexer.step()
    const before = indexer.indexed
    expect(before).toBeLessThan(10_000)
    close()
    const again = anIndex(dataDir)
    again.catchUp()
    expect(again.indexer.indexed).toBe(10_000 - before)
    expect(again.index.documents).toBe(10_000)
  })

  it('changes nothing in a failed step, and continues with the next', () => {
    const { writer, dataDir, indexer, index, catchUp, found } = aSearch()
    writer.commit(posts(300, 'bread'))
    const other = new Database(join(dataDir, 'search.db'), { timeout: 0 })
    onTestFinished(() => void other.close())
    other.exec('BEGIN IMMEDIATE')
    expect(catchUp).toThrow('locked')
    expect([index.documents, indexer.stats().lag]).toEqual([0, 301])
    other.exec('ROLLBACK')
    catchUp()
    expect(index.documents).toBe(300)
    expect(found('bread')).toHaveLength(20)
  })

  it('detects an index that is ahead of the log or belongs to another log', () => {
    const { write, catchUp, index } = aSearch()
    write(aPostEntry(2))
    catchUp()
    index.commit([{ group: 1, groupId: 'g', seq: 99 }])
    expect(() => write(aPostEntry(3))).toThrow(ForeignIndexError)

    const other = aSearch()
    other.index.commit([{ group: 1, groupId: 'kitchen', seq: 1 }])
    other.writer.commit([aPostEntry(2)])
    expect(other.catchUp).toThrow(ForeignIndexError)
  })

  it('scans all groups if a note lists none', () => {
    const { writer, indexer, catchUp, found } = aSearch()
    catchUp()
    writer.commit([aPostEntry(2, { content: 'bread' })])
    indexer.changed({ groups: [], all: true })
    catchUp()
    expect(found('bread')).toEqual(['bread'])
  })
})
