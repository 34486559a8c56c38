import { describe, expect, it } from 'vitest'
import { ForeignIndexError } from '../../../engine/search/indexer.ts'
import { aChange, anIndex, aSearch, gone } from '../../support/search.ts'
import { aFile, aFileEntry, aGroupEntry, aMemberEntry, aPostEntry } from '../../support/store.ts'

describe('the indexer', () => {
  it('finds what there is, and then what comes', () => {
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

  it('says how far behind it is', () => {
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
    write(...aChange('message_deleted', 6, 3, { ...gone, deletedAt: 6, deletedBy: 'ana' }))
    write(...aChange('message_recalled', 7, 4, { ...gone, recalledAt: 7 }))
    catchUp()
    expect(found('bread')).toEqual([])
    expect(found('butter')).toEqual(['butter'])
    expect(indexer.stats().documents).toBe(1)
  })

  it('takes a post that was edited before it was indexed as it is now', () => {
    const { write, catchUp, found } = aSearch()
    write(aPostEntry(2, { content: 'bread' }), ...aChange('message_edited', 3, 2, { content: 'butter' }))
    catchUp()
    expect([found('bread'), found('butter')]).toEqual([[], ['butter']])
  })

  it('finds a file by its name, and no longer when its message is gone', () => {
    const { write, catchUp, search, found } = aSearch()
    const file = aFile({ fileName: 'Orçamento 2026.pdf' })
    write(aFileEntry(file), aPostEntry(2, { content: '', type: 'file', file }))
    catchUp()
    expect(search('orcamento')?.hits[0]?.snippet).toBe('<mark>Orçamento</mark> 2026.pdf')
    write(...aChange('message_deleted', 3, 2, { ...gone, deletedAt: 3 }))
    catchUp()
    expect(found('orcamento')).toEqual([])
  })

  it('goes through long logs and many groups in small steps', () => {
    const { writer, indexer, search, catchUp } = aSearch()
    const groups = Array.from({ length: 600 }, (_, i) => `g${i}`)
    writer.commit([
      ...Array.from({ length: 1_000 }, (_, i) => aPostEntry(i + 2, { content: 'bread' })),
      ...groups.flatMap((groupId) => [
        aGroupEntry(groupId),
        aMemberEntry(groupId, 'ana'),
        aPostEntry(2, { groupId, messageId: `${groupId}:2`, createdAt: 5_000, content: 'bread' }),
      ]),
    ])
    let documents = 0
    while (indexer.step() !== 'nothing') {
      const { indexed } = indexer
      expect(indexed - documents).toBeLessThan(1_000)
      documents = indexed
    }
    expect(documents).toBe(1_600)
    catchUp()
    expect(search('bread', { limit: 100 })?.hits).toHaveLength(100)
  })

  it('takes what is new before it goes on with an old log', () => {
    const { writer, write, indexer, found } = aSearch()
    writer.commit([
      aGroupEntry('old'),
      ...Array.from({ length: 2_000 }, (_, i) =>
        aPostEntry(i + 2, { groupId: 'old', messageId: `old:${i + 2}`, content: 'crumbs' }),
      ),
    ])
    for (let i = 0; i < 3; i++) indexer.step()
    expect(indexer.stats().lag).toBeGreaterThan(1_000)
    write(aPostEntry(2, { content: 'bread' }))
    indexer.step()
    expect(found('bread')).toEqual(['bread'])
  })

  it('goes on where it was, after a stop at any step', () => {
    const { writer, dataDir, indexer, close } = aSearch()
    writer.commit(Array.from({ length: 1_000 }, (_, i) => aPostEntry(i + 2, { content: 'bread' })))
    for (let i = 0; i < 3; i++) indexer.step()
    const before = indexer.indexed
    expect(before).toBeGreaterThan(0)
    close()
    const again = anIndex(dataDir)
    again.catchUp()
    expect(again.indexer.indexed).toBe(1_000 - before)
    expect(again.index.documents).toBe(1_000)
  })

  it('finds out that an index is ahead of the log, or of another one', () => {
    const { write, catchUp, index } = aSearch()
    write(aPostEntry(2))
    catchUp()
    index.apply([], [{ group: 1, groupId: 'g', seq: 99 }])
    expect(() => write(aPostEntry(3))).toThrow(ForeignIndexError)

    const other = aSearch()
    other.index.apply([], [{ group: 1, groupId: 'kitchen', seq: 1 }])
    other.writer.commit([aPostEntry(2)])
    expect(other.catchUp).toThrow(ForeignIndexError)
  })

  it('looks at all groups where there was too much news to name', () => {
    const { writer, indexer, catchUp, found } = aSearch()
    catchUp()
    writer.commit([aPostEntry(2, { content: 'bread' })])
    indexer.changed({ groups: [], all: true })
    catchUp()
    expect(found('bread')).toEqual(['bread'])
  })
})
