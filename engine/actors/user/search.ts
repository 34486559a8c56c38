/**
 * Search: messages and users in the groups that the user is in.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { User } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { parseSearchCursor, toSearchCursor } from '../../stored/search-cursor.ts'
import type { NamePlace } from '../../stored/stored-user.ts'
import { parseQuery } from '../../text/query.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects, read, withPresence } from '../effects.ts'
import { noSuchGroup } from '../no-such-group.ts'
import { formatListingCursor, parseListingCursor } from './groups.ts'
import type { UserState } from './user-state.ts'

/** Hits, newest first. The log decides what the user may see, by the groups that they are in now. */
export function search(user: UserState, by: Caller, fields: RequestFields<'search'>): Effects {
  const { query, cursor, ...filters } = fields
  const terms = parseQuery(query)
  const from = cursor === undefined ? undefined : parseSearchCursor(cursor)
  return [
    read({ read: 'search', userId: user.userId, terms, from, ...filters }, by, (page) => {
      if (page === null) throw noSuchGroup() // IDN-7
      const { hits, next } = page
      return [
        answer(by, 'search_results', {
          hits,
          hasMore: next !== undefined,
          cursor: next && toSearchCursor(next),
        }),
      ]
    }),
  ]
}

export function searchUsers(user: UserState, by: Caller, fields: RequestFields<'search_users'>): Effects {
  const { query, limit = limits.usersPageDefault } = fields
  const cursor = fields.cursor === undefined ? undefined : parseNameCursor(fields.cursor)
  return [
    read({ read: 'users', userId: user.userId, query, limit, cursor }, by, ({ users, next }) =>
      answerUsers(by, users, next && `${next[1]}:${next[0]}`),
    ),
  ]
}

function parseNameCursor(cursor: string): NamePlace {
  const match = /^(\d{1,16}):(.+)$/su.exec(cursor)
  if (!match) {
    throw new ChatError('bad_request', 'cursor must be the cursor of an earlier page', { field: 'cursor' })
  }
  return [match[2] as string, Number(match[1])]
}

export function getContacts(user: UserState, by: Caller, fields: RequestFields<'get_contacts'>): Effects {
  const { limit = limits.usersPageDefault } = fields
  const cursor = fields.cursor === undefined ? undefined : parseListingCursor(fields.cursor)
  return [
    read({ read: 'contacts', userId: user.userId, cursor, limit }, by, ({ users, next }) =>
      answerUsers(by, users, next && formatListingCursor(next)),
    ),
  ]
}

/** The users with their visible status; nothing about hidden users. PRV-1, PRV-2 */
function answerUsers(by: Caller, users: readonly User[], cursor?: string): Effects {
  const otherIds = users.map(({ userId }) => userId)
  return [
    read({ read: 'hidden', userId: by.userId, otherIds }, by, (hidden) => [
      withPresence((presenceOf) => [
        answer(by, 'users', {
          users: users.map((user): User => {
            if (hidden.includes(user.userId)) return { ...user, status: 'offline', lastSeenAt: undefined }
            const { status } = presenceOf(user.userId)
            return status === 'offline' ? user : { ...user, status, lastSeenAt: undefined }
          }),
          cursor,
        }),
      ]),
    ]),
  ]
}
