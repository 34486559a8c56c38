import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { SearchPlace } from '../../../engine/stored/search-cursor.ts'
import { aChange, aSearch, erased } from '../../support/search.ts'
import { aGroupEntry, aMemberEntry, aPostEntry } from '../../support/store.ts'

/** A group of Bruno and the given users, with one post. */
function aGroup(groupId: string, createdAt: number, content: string, ...members: string[]): LogEntry[] {
  return [
    aGroupEntry(groupId),
    ...['bruno', ...members].map((userId) => aMemberEntry(groupId, userId)),
    aPostEntry(2, { groupId, messageId: `${groupId}:2`, senderId: 'bruno', createdAt, content }),
  ]
}

describe('a search', () => {
  it('returns the newest hits of all groups first', () => {
    const { write, catchUp, found } = aSearch()
    write(...aGroup('a', 30, 'bread a', 'ana'), ...aGroup('b', 10, 'bread b', 'ana'))
    write(aPostEntry(2, { createdAt: 20, content: 'bread g' }))
    catchUp()
    expect(found('bread')).toEqual(['bread a', 'bread g', 'bread b'])
  })

  it('returns hits only from groups of the user', () => {
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

  it('returns the same hits to a user in too many groups to name in the query', () => {
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

  it('returns pages, and reports whether more follow', () => {
    const { write, catchUp, search } = aSearch()
    write(...Array.from({ length: 25 }, (_, i) => aPostEntry(i + 2, { content: 'bread' })))
    catchUp()
    const seqs = (page: ReturnType<typeof search>) => page?.hits.map((hit) => hit.message.seq)
    const first = search('bread', { limit: 10 })
    expect([seqs(first), first?.next]).toEqual([
      [26, 25, 24, 23, 22, 21, 20, 19, 18, 17],
      [17, 'g', 17],
    ])
    const last = search('bread', { limit: 15, from: first?.next })
    expect([seqs(last)?.length, last?.next]).toEqual([15, undefined])
    expect(search('bread')?.hits).toHaveLength(20)
  })

  it('ends a page before it is too large for a response', () => {
    const { write, catchUp, search } = aSearch()
    const content = `bread ${'x'.repeat(30_000)}`
    write(...Array.from({ length: 30 }, (_, i) => aPostEntry(i + 2, { content })))
    catchUp()
    const page = search('bread', { limit: 30 })
    expect(page?.hits.length).toBeLessThan(10)
    expect(page?.next).toBeDefined()
  })

  it('indexes more messages of one millisecond than there are numbers for it', () => {
    const { write, catchUp, search } = aSearch()
    write(...Array.from({ length: 2_100 }, (_, i) => aPostEntry(i + 2, { content: 'bread', createdAt: 7 })))
    catchUp()
    let found = 0
    for (let i = 0; i < 3; i++) found += search('bread', { limit: 100 })?.hits.length ?? 0
    expect(found).toBe(300)
    expect(search('bread', { before: 7 })?.hits).toEqual([])
  })

  it('lists each of many hits of one millisecond once, for any page size and order of indexing', () => {
    // PAG-1
    const { write, catchUp, search, index } = aSearch()
    write(...['a', 'b'].flatMap((groupId) => [aGroupEntry(groupId), aMemberEntry(groupId, 'ana')]))
    const post = (groupId: string, seq: number, createdAt: number) =>
      aPostEntry(seq, { groupId, messageId: `${groupId}:${seq}`, content: 'bread', createdAt })
    for (let seq = 2; seq < 60; seq++) {
      write(...['b', 'g', 'a'].map((groupId) => post(groupId, seq, 7 + (seq >> 5))))
      if (seq % 9 === 0) catchUp()
    }
    catchUp()
    const all = (limit: number) => {
      const seen: string[] = []
      let from: SearchPlace | undefined
      do {
        const page = search('bread', { limit, from })
        seen.push(...(page?.hits.map(({ message }) => message.messageId) ?? []))
        from = page?.next
      } while (from)
      return seen
    }
    const whole = all(100)
    expect(new Set(whole).size).toBe(174)
    for (const limit of [1, 7, 58]) expect(all(limit)).toEqual(whole)
    const first = search('bread', { limit: 50 })
    // The cursor of a page is also valid for an index that was built in another order.
    index.put(whole.map((id) => documentOf(id, '')))
    index.put(whole.map((id) => documentOf(id, 'bread')))
    index.commit([])
    const rest = search('bread', { limit: 100, from: first?.next })?.hits.map(
      ({ message }) => message.messageId,
    )
    expect(rest).toEqual(whole.slice(50, 150))

    function documentOf(messageId: string, text: string) {
      const [groupId = '', seq = ''] = messageId.split(':')
      const group = ['g', 'a', 'b'].indexOf(groupId) + 1
      return { group, seq: Number(seq), sender: 1, createdAt: 7 + (Number(seq) >> 5), text }
    }
  })

  it('never finds an erased text, even if the index lags', () => {
    const { writer, write, catchUp, found } = aSearch()
    write(...[2, 3, 4, 5].map((seq) => aPostEntry(seq, { content: `bread ${seq}` })))
    catchUp()
    writer.commit([
      ...aChange('message_edited', 6, 2, { content: 'butter' }),
      ...aChange('message_deleted', 7, 3, { ...erased, deletedAt: 7 }),
      ...aChange('message_recalled', 8, 4, { ...erased, recalledAt: 8 }),
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

  it('does not match the internal tokens of the index', () => {
    const { write, catchUp, found } = aSearch()
    write(aPostEntry(2, { content: 'bread' }))
    catchUp()
    expect(found('\ue000g1')).toEqual([])
    expect(found('\ue000g1*')).toEqual([])
  })
})
