import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../engine/storage/log.ts'
import { aChange, aSearch, gone } from '../../support/search.ts'
import { aGroupEntry, aMemberEntry, aPostEntry } from '../../support/store.ts'

/** A group of Bruno and whom else it says, with one post. */
function aGroup(groupId: string, createdAt: number, content: string, ...members: string[]): LogEntry[] {
  return [
    aGroupEntry(groupId),
    ...['bruno', ...members].map((userId) => aMemberEntry(groupId, userId)),
    aPostEntry(2, { groupId, messageId: `${groupId}:2`, senderId: 'bruno', createdAt, content }),
  ]
}

describe('a search', () => {
  it('gives the newest first over all groups, by time', () => {
    const { write, catchUp, found } = aSearch()
    write(...aGroup('a', 30, 'bread a', 'ana'), ...aGroup('b', 10, 'bread b', 'ana'))
    write(aPostEntry(2, { createdAt: 20, content: 'bread g' }))
    catchUp()
    expect(found('bread')).toEqual(['bread a', 'bread g', 'bread b'])
  })

  it('sees the groups that one is in, and no others', () => {
    const { write, catchUp, found, search } = aSearch()
    write(...aGroup('a', 30, 'bread a'), ...aGroup('b', 10, 'bread b', 'ana'))
    catchUp()
    expect(found('bread')).toEqual(['bread b'])
    expect(found('bread', { groupId: 'b' })).toEqual(['bread b'])
    expect(found('bread', { groupId: 'g' })).toEqual([])
    expect(search('bread', { groupId: 'a' })).toBeNull()
    expect(search('bread', { groupId: 'none' })).toBeNull()
    expect(found('bread', { userId: 'nobody' })).toEqual([])
    write({ type: 'member_left', groupId: 'b', userId: 'ana' })
    expect(found('bread')).toEqual([])
    expect(search('bread', { groupId: 'b' })).toBeNull()
  })

  it('is the same for somebody in more groups than are looked up one by one', () => {
    const { write, catchUp, found } = aSearch()
    for (let i = 0; i < 100; i++) write(...aGroup(`g${i}`, i, `bread ${i}`, ...(i % 10 ? ['ana'] : [])))
    catchUp()
    expect(found('bread', { limit: 100 })).toEqual(
      Array.from({ length: 100 }, (_, i) => 99 - i)
        .filter((i) => i % 10)
        .map((i) => `bread ${i}`),
    )
  })

  it('filters by sender and by time, exclusive', () => {
    const { write, catchUp, found } = aSearch()
    write(aMemberEntry('g', 'bruno'))
    for (const seq of [2, 3, 4, 5]) {
      write(aPostEntry(seq, { content: `bread ${seq}`, senderId: seq % 2 ? 'bruno' : 'ana' }))
    }
    catchUp()
    expect(found('bread', { senderId: 'ana' })).toEqual(['bread 4', 'bread 2'])
    expect(found('bread', { senderId: 'nobody' })).toEqual([])
    expect(found('bread', { after: 3 })).toEqual(['bread 5', 'bread 4'])
    expect(found('bread', { before: 4 })).toEqual(['bread 3', 'bread 2'])
    expect(found('bread', { after: 2, before: 5, senderId: 'bruno' })).toEqual(['bread 3'])
    expect(found('bread', { after: Number.MAX_SAFE_INTEGER })).toEqual([])
    expect(found('bread', { before: Number.MAX_SAFE_INTEGER })).toHaveLength(4)
  })

  it('comes in pages, and says whether there is more', () => {
    const { write, catchUp, search } = aSearch()
    write(...Array.from({ length: 25 }, (_, i) => aPostEntry(i + 2, { content: 'bread' })))
    catchUp()
    const seqs = (page: ReturnType<typeof search>) => page?.hits.map((hit) => hit.message.seq)
    const first = search('bread', { limit: 10 })
    expect([seqs(first), first?.hasMore]).toEqual([[26, 25, 24, 23, 22, 21, 20, 19, 18, 17], true])
    const last = search('bread', { limit: 15, before: 17 })
    expect([seqs(last)?.length, last?.hasMore]).toEqual([15, false])
    expect(search('bread')?.hits).toHaveLength(20)
  })

  it('ends a page before it is too large for an answer', () => {
    const { write, catchUp, search } = aSearch()
    const content = `bread ${'x'.repeat(30_000)}`
    write(...Array.from({ length: 30 }, (_, i) => aPostEntry(i + 2, { content })))
    catchUp()
    const page = search('bread', { limit: 30 })
    expect(page?.hits.length).toBeLessThan(10)
    expect(page?.hasMore).toBe(true)
  })

  it('keeps more messages apart than a millisecond has numbers', () => {
    const { write, catchUp, search } = aSearch()
    write(...Array.from({ length: 2_100 }, (_, i) => aPostEntry(i + 2, { content: 'bread', createdAt: 7 })))
    catchUp()
    let found = 0
    for (let i = 0; i < 3; i++) found += search('bread', { limit: 100 })?.hits.length ?? 0
    expect(found).toBe(300)
    expect(search('bread', { before: 7 })?.hits).toEqual([])
  })

  it('finds nothing that is gone, however far the index is behind', () => {
    const { writer, write, catchUp, found } = aSearch()
    write(...[2, 3, 4, 5].map((seq) => aPostEntry(seq, { content: `bread ${seq}` })))
    catchUp()
    writer.commit([
      ...aChange('message_edited', 6, 2, { content: 'butter' }),
      ...aChange('message_deleted', 7, 3, { ...gone, deletedAt: 7 }),
      ...aChange('message_recalled', 8, 4, { ...gone, recalledAt: 8 }),
    ])
    expect(found('bread')).toEqual(['bread 5'])
  })

  it.each([
    ['reuniao', 'A REUNIÃO é às 9h'],
    ['reuni*', 'A REUNIÃO é às 9h'],
    ['"e as"', 'A REUNIÃO é às 9h'],
    ['9h reuniao', 'A REUNIÃO é às 9h'],
    ['京都', '東京都は大きい'],
    ['東京都', '東京都は大きい'],
    ['い', '東京都は大きい'],
    ['하세', '안녕하세요'],
    ['好', '你好'],
    ['"don\'t panic"', 'Don’t panic'],
    ['🎉', 'parabéns 🎉'],
  ])('for %s finds %s', (query, content) => {
    const { write, catchUp, found } = aSearch()
    write(aPostEntry(2, { content }), aPostEntry(3, { content: 'something else' }))
    catchUp()
    expect(found(query)).toEqual([content])
  })

  it('cannot be asked by the marks that the index keeps for itself', () => {
    const { write, catchUp, found } = aSearch()
    write(aPostEntry(2, { content: 'bread' }))
    catchUp()
    expect(found('\ue000g1')).toEqual([])
    expect(found('\ue000g1*')).toEqual([])
  })
})
