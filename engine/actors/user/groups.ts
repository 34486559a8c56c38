/**
 * Groups of a user: creates a group, and lists the user's groups.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { DIRECT_PREFIX } from '../../stored/stored-group.ts'
import type { ListingCursor } from '../../stored/stored-user.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects, read, tellGroup } from '../effects.ts'
import { reserveRoom } from './room.ts'
import type { UserState } from './user-state.ts'

/**
 * Forwards the creation of a group to the actor that will own it.
 * `newId` creates its id if the caller gave none.
 */
export function createGroup(
  user: UserState,
  by: Caller,
  fields: RequestFields<'create_group'>,
  now: number,
  newId: () => string,
): Effects {
  const members = [...new Set(fields.members)].filter((userId) => userId !== by.userId)
  if (fields.kind === 'direct' && members.length !== 1) {
    throw new ChatError('bad_request', 'members must be the one other user of the direct chat', {
      field: 'members',
    })
  }
  // IDN-3
  if (fields.groupId?.startsWith(DIRECT_PREFIX)) {
    throw new ChatError('bad_request', `groupId must not begin with ${DIRECT_PREFIX}`, { field: 'groupId' })
  }
  const { kind, name } = fields
  const create = (groupId: string): Effects => {
    reserveRoom(user, groupId)
    return [
      tellGroup(groupId, {
        type: 'create',
        by,
        members,
        group: {
          groupId,
          kind,
          visibility: kind === 'direct' ? 'private' : (fields.visibility ?? 'private'),
          createdBy: by.userId,
          createdAt: now,
          name,
        },
      }),
    ]
  }
  if (kind === 'group') return create(fields.groupId ?? newId())
  return [read({ read: 'direct', userId: user.userId, otherId: members[0] as string }, by, create)]
}

export function getGroups(user: UserState, by: Caller, fields: RequestFields<'get_groups'>): Effects {
  const cursor = fields.cursor === undefined ? undefined : parseListingCursor(fields.cursor)
  const limit = fields.limit ?? limits.groupsPageDefault
  return [
    read({ read: 'listings', userId: user.userId, cursor, limit }, by, ({ groups, next }) => [
      answer(by, 'groups', { groups, cursor: next && formatListingCursor(next) }),
    ]),
  ]
}

/** PAG-1: a page begins after the last invitation of the previous page. */
export function getInvitations(
  user: UserState,
  by: Caller,
  fields: RequestFields<'get_invitations'>,
): Effects {
  const cursor = fields.cursor === undefined ? undefined : parseInvitationCursor(fields.cursor)
  const limit = fields.limit ?? limits.invitationsPage
  return [
    read({ read: 'invitations', userId: user.userId, cursor, limit }, by, ({ rows, hasMore }) => {
      const last = hasMore ? rows.at(-1) : undefined
      return [
        answer(by, 'invitations', { invitations: rows, cursor: last && `${last.at}:${last.group.groupId}` }),
      ]
    }),
  ]
}

/** The cursor in the form that clients receive. */
export function formatListingCursor(cursor: ListingCursor): string {
  const { way, activeAt, groupId } = cursor
  return way === 'down' ? `${activeAt}:${groupId}:${cursor.since}` : `${activeAt}:${groupId}`
}

/** @throws ChatError `bad_request` unless `formatListingCursor` made the cursor. */
export function parseListingCursor(cursor: string): ListingCursor {
  const match = /^(\d{1,16}):([A-Za-z0-9_-]{0,64})(?::(\d{1,16}))?$/.exec(cursor)
  if (!match) throw badCursor()
  const [, activeAt, groupId = '', since] = match
  return since === undefined
    ? { way: 'up', activeAt: Number(activeAt), groupId }
    : { way: 'down', activeAt: Number(activeAt), groupId, since: Number(since) }
}

function parseInvitationCursor(cursor: string): readonly [at: number, groupId: string] {
  const match = /^(\d{1,16}):([A-Za-z0-9_-]{1,64})$/.exec(cursor)
  if (!match) throw badCursor()
  return [Number(match[1]), match[2] as string]
}

function badCursor(): ChatError {
  return new ChatError('bad_request', 'cursor must be the cursor of an earlier page', { field: 'cursor' })
}
