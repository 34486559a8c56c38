import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import { getContacts, search, searchUsers } from '../../../engine/actors/user/search.ts'
import type { User } from '../../../protocol/records.ts'
import { brief, by, given, only } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'
import { aUser } from '../../support/users.ts'

describe('search', () => {
  it('searches the terms on behalf of the caller, with the filters unchanged', () => {
    const fields = { query: 'Reunião "9 h"', groupId: 'g', senderId: 'bruno', before: 9, after: 2, limit: 5 }
    const cursor = '7:g:3'
    const { query } = only(search(aUser(), by('ana'), { ...fields, cursor }), 'read')
    expect(query).toEqual({
      read: 'search',
      userId: 'ana',
      terms: [
        { tokens: ['reuniao'], prefix: false },
        { tokens: ['9', 'h'], prefix: false },
      ],
      groupId: 'g',
      senderId: 'bruno',
      before: 9,
      after: 2,
      limit: 5,
      from: [7, 'g', 3],
    })
  })

  it('answers with the page, or that the caller is not in the group', () => {
    const effects = search(aUser(), by('ana'), { query: 'bread' })
    const answered = (page: object) => only(given(effects, page), 'answer').event
    const empty = { hits: [], hasMore: false }
    expect(answered({ hits: [] })).toEqual({ name: 'search_results', fields: empty })
    const more = { hits: [], hasMore: true, cursor: '7:g:3' }
    expect(answered({ hits: [], next: [7, 'g', 3] })).toEqual({ name: 'search_results', fields: more })
    expect(() => given(effects, null)).toThrow(expect.objectContaining(refusal('not_found')))
  })

  it.each(['', 'x', '7', '7:g', '7:g:x', '7:g/:3', '-7:g:3', '7:g:3:', `7:${'g'.repeat(65)}:3`])(
    'refuses the cursor "%s" before anything is read',
    (cursor) => {
      expect(() => search(aUser(), by('ana'), { query: 'bread', cursor })).toThrow(
        expect.objectContaining(refusal('bad_request', 'cursor')),
      )
    },
  )
})

describe('search_users and get_contacts', () => {
  const bruno: User = { userId: 'bruno', name: 'Bruno', status: 'offline', lastSeenAt: 7 }
  /** The users in the answer, with this presence of Bruno. */
  function answered(
    effects: Effects,
    found: unknown,
    status: User['status'],
    barred: readonly string[] = [],
  ): readonly User[] {
    const { then } = only(given(given(effects, found), barred), 'with_presence')
    const { event } = only(
      then(() => ({ connected: true, status })),
      'answer',
    )
    return event.name === 'users' ? event.fields.users : []
  }

  it.each([
    ['search_users', () => searchUsers(aUser(), by('ana'), { query: 'bru' }), { users: [bruno] }],
    ['get_contacts', () => getContacts(aUser(), by('ana'), {}), { users: [bruno] }],
  ])('%s returns the current visible status of each user', (_, ask, found) => {
    expect(answered(ask(), found, 'busy')).toEqual([{ ...bruno, status: 'busy', lastSeenAt: undefined }])
    expect(answered(ask(), found, 'offline')).toEqual([bruno])
    // PRV-1
    expect(answered(ask(), found, 'busy', ['bruno'])).toEqual([{ ...bruno, lastSeenAt: undefined }])
  })

  it('read a page of fifty by default', () => {
    expect(only(searchUsers(aUser(), by('ana'), { query: 'x' }), 'read').query).toMatchObject({ limit: 50 })
    expect(only(getContacts(aUser(), by('ana'), { limit: 3 }), 'read').query).toMatchObject({ limit: 3 })
    expect(brief(getContacts(aUser(), by('ana'), {}))).toEqual(['read'])
  })
})
