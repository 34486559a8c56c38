import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { databasePath, openReader } from '../../../engine/storage/sqlite/database.ts'
import { completeNameWords } from '../../../engine/storage/sqlite/name-words.ts'
import { People } from '../../../engine/storage/sqlite/people.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { ListingCursor, NamePlace } from '../../../engine/stored/stored-user.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aStore, aUserEntry } from '../../support/store.ts'

/** The user search of a store with Ana in it, and the store. */
function people(...entries: readonly LogEntry[]) {
  const { writer, dataDir } = aStore()
  writer.commit([aUserEntry('ana', 'Ana'), ...entries])
  const db = openReader(dataDir)
  onTestFinished(() => void db.close())
  const found = new People(db)
  const ids = (users: readonly { readonly userId: string }[]) => users.map(({ userId }) => userId)
  return {
    search: (query: string, limit = 10) =>
      ids(found.search({ read: 'users', userId: 'ana', query, limit }).users),
    contacts: (limit = 10) => ids(found.contacts({ read: 'contacts', userId: 'ana', limit }).users),
    contactsPage: (limit: number, cursor?: ListingCursor) =>
      found.contacts({ read: 'contacts', userId: 'ana', limit, cursor }),
    page: (query: string, limit: number, cursor?: NamePlace) =>
      found.search({ read: 'users', userId: 'ana', query, limit, cursor }),
    first: () => found.search({ read: 'users', userId: 'ana', query: 'bruno', limit: 1 }).users[0],
    write: (...more: LogEntry[]) => writer.commit(more),
  }
}

function group(groupId: string, ...members: string[]): LogEntry[] {
  return [aGroupEntry(groupId), ...members.map((userId) => aMemberEntry(groupId, userId))]
}

describe('a search for people in large groups', () => {
  const crowd = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
  // Half of the thousands of users are in Ana's groups. All have a name with two words that begin with `an`.
  const mine = crowd('mine', 1_600)
  const others = crowd('other', 1_600)
  const entries = [
    ...[...mine, ...others].map((userId) => aUserEntry(userId, `Andrea Anaïs ${userId}`)),
    ...group('g', 'ana', ...mine),
    ...group('h', ...others),
  ]

  it('reads a bounded number of users at a time, and lists everyone once over all pages', () => {
    const { page } = people(...entries)
    const listed: string[] = []
    let pages = 0
    let cursor: NamePlace | undefined
    do {
      const found = page('an', 100, cursor)
      listed.push(...found.users.map(({ userId }) => userId))
      cursor = found.next
      pages += 1
    } while (cursor && pages < 100)
    // PAG-1, INP-2
    expect(listed.sort()).toEqual(mine.toSorted())
    expect(page('an', 1).users).toHaveLength(1)
    expect(page('mine1599 andr', 10).users.map(({ userId }) => userId)).toEqual(['mine1599'])
    expect(page('other1', 10).users).toEqual([])
  })

  it('finds new names', () => {
    const { page, write } = people(...entries)
    write(aUserEntry('mine7', 'Zuleica'))
    expect(page('zulei', 10).users.map(({ userId }) => userId)).toEqual(['mine7'])
    expect(page('mine7 andrea', 10).users.map(({ userId }) => userId)).not.toContain('mine7')
  })
})

it('a file of an older version gets the words of its names when it is opened', () => {
  const { writer, dataDir } = aStore()
  writer.commit([aUserEntry('bruno', 'João'), ...group('g', 'ana', 'bruno')])
  const db = new Database(databasePath(dataDir))
  db.exec('DELETE FROM name_words; UPDATE users SET words_of = NULL')
  completeNameWords(db)
  const words = db.prepare('SELECT word FROM name_words ORDER BY word').pluck().all()
  db.close()
  expect(words).toEqual(['ana', 'joao'])
})

describe('a search for people', () => {
  const named: readonly LogEntry[] = [
    aUserEntry('u1', 'João da Silva'),
    aUserEntry('u2', 'Joana Prado'),
    aUserEntry('u3', '田中 太郎'),
    aUserEntry('u4', 'Silvia Jordão'),
    aUserEntry('joa', 'Zé'),
  ]

  it('compares words from their beginnings, without case and accents, in any order', () => {
    const { search } = people(...named, ...group('g', 'ana', 'u1', 'u2', 'u3', 'u4', 'joa'))
    expect(search('JOA')).toEqual(['u2', 'u1'])
    expect(search('joa')).toEqual(['joa', 'u2', 'u1'])
    expect(search('silv joa')).toEqual(['u1'])
    expect(search('jo')).toEqual(['u2', 'u1', 'u4'])
    expect(search('ilva')).toEqual([])
    expect(search('田中')).toEqual(['u3'])
    expect(search('太')).toEqual(['u3'])
    expect(search('jo', 1)).toEqual(['u2'])
  })

  // The lists of several nodes are merged by these keys.
  it('gives the sort key of each user', () => {
    const { page } = people(...named, ...group('g', 'ana', 'u1', 'u2', 'u3', 'u4', 'joa'))
    const first = page('joa', 2)
    expect(first.users.map(({ userId }, i) => [first.keys[i], userId])).toEqual([
      ['', 'joa'],
      ['joana', 'u2'],
    ])
    expect(page('joa', 2, first.next).keys).toEqual(['joao'])
    expect(page('jo', 10).keys).toEqual(['joana', 'joao', 'jordao'])
    expect(page('', 10)).toEqual({ users: [], keys: [] })
  })

  it('finds the user with that id first, for any form of id', () => {
    const { search } = people(...group('g', 'ana', 'ana|2', '!', 'bruno'))
    expect(search('!')).toEqual(['!'])
    expect(search(' ana|2 ')).toEqual(['ana|2'])
    expect(search('?')).toEqual([])
  })

  it('finds neither the caller nor users who share no group with the caller', () => {
    const { search, write } = people(...named, ...group('g', 'ana', 'u1'), ...group('h', 'u2', 'u4'))
    expect([search('jo'), search('u2'), search('ana')]).toEqual([['u1'], [], []])
    write({ type: 'member_left', groupId: 'g', userId: 'ana' })
    expect([search('jo'), search('u1')]).toEqual([[], []])
  })

  it('returns each user once, with their profile', () => {
    const { search, first, write } = people(...group('g', 'ana', 'bruno'), ...group('h', 'ana', 'bruno'))
    expect(search('bru')).toEqual(['bruno'])
    write({ type: 'presence', userId: 'bruno', status: 'away', lastSeenAt: 77 })
    expect(first()).toEqual({
      userId: 'bruno',
      name: 'bruno',
      status: 'offline',
      lastSeenAt: 77,
      picture: undefined,
    })
  })
})

describe('contacts', () => {
  const direct = (groupId: string, other: string, createdAt: number): LogEntry[] => [
    aGroupEntry(groupId, { kind: 'direct', createdAt }),
    aMemberEntry(groupId, 'ana'),
    aMemberEntry(groupId, other),
  ]
  const talk = (groupId: string, createdAt: number) =>
    aPostEntry(createdAt, { groupId, messageId: `${groupId}:${createdAt}`, createdAt })

  it('are the others of direct chats, the most recent chat first', () => {
    const { contacts, write } = people(
      ...group('g', 'ana', 'eva'),
      ...direct('d1', 'bruno', 10),
      ...direct('d2', 'clara', 20),
      ...direct('d3', 'davi', 15),
    )
    expect(contacts()).toEqual(['clara', 'davi', 'bruno'])
    write(talk('d1', 30), talk('g', 40))
    expect(contacts()).toEqual(['bruno', 'clara', 'davi'])
    expect(contacts(2)).toEqual(['bruno', 'clara'])
  })

  // PAG-1
  it('are all listed, even if many of them move in the meantime', () => {
    const names = Array.from({ length: 230 }, (_, i) => `u${String(i).padStart(3, '0')}`)
    // Many chats have the same time.
    const { contactsPage, write } = people(
      ...names.flatMap((name, i) => direct(`d${name}`, name, 10 + (i % 7))),
    )
    const seen: string[] = []
    let cursor: ListingCursor | undefined
    let at = 100
    do {
      const { users, next } = contactsPage(50, cursor)
      seen.push(...users.map(({ userId }) => userId))
      cursor = next
      // Some that were not listed yet move to the front.
      for (const name of seen.length < 200 ? ['u006', 'u013', 'u100'] : []) {
        at += 1
        write(talk(`d${name}`, at))
      }
    } while (cursor !== undefined)
    expect([...new Set(seen)].sort()).toEqual(names)
    expect(seen.length - new Set(seen).size).toBeLessThanOrEqual(3)
  })
})
