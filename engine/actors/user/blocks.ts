/**
 * Blocks: users who are blocked by a user. // PRV-1
 *
 * The user's actor has the list, at most `limits.blocks`, and storage has all lists. A user who asks
 * for contact is checked against storage. The group of their direct chat is notified, so that a message
 * there needs no read. While the user is connected every shard knows the list, so that events about one
 * of the two do not reach the other. A block becomes effective before its `ok` is sent.
 * From then on each of the two appears offline to the other, until neither blocks the other.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { User } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { fitRows } from '../../base/fit-rows.ts'
import { userOwner } from '../../stored/entry-owner.ts'
import type { Caller } from '../caller.ts'
import {
  answer,
  answerCommitted,
  append,
  type Effect,
  type Effects,
  read,
  tellGroup,
  tellLoaded,
  tellMembers,
} from '../effects.ts'
import type { UserMail } from '../mail.ts'
import { showSeenTo, showTo } from './status.ts'
import type { UserState } from './user-state.ts'

export function blockUser(
  user: UserState,
  by: Caller,
  { userId: otherId }: RequestFields<'block_user'>,
): Effects {
  const { userId } = user
  if (otherId === userId) {
    throw new ChatError('bad_request', 'userId must be another user', { field: 'userId' })
  }
  return withDirectChat(user, by, otherId, (groupId, now) => {
    if (user.blocked.has(otherId)) return []
    if (user.blocked.size >= limits.blocks) throw new ChatError('limit_reached')
    user.blocked = new Map(user.blocked).set(otherId, now)
    return [
      append({ type: 'block', userId, otherId, at: now }),
      ...changed(user, otherId, groupId, true),
      ...showTo(user, otherId, 'offline', now),
    ]
  })
}

export function unblockUser(
  user: UserState,
  by: Caller,
  { userId: otherId }: RequestFields<'unblock_user'>,
): Effects {
  const { userId } = user
  return withDirectChat(user, by, otherId, (groupId) => {
    const blocked = new Map(user.blocked)
    if (!blocked.delete(otherId)) return []
    user.blocked = blocked
    return [append({ type: 'unblock', userId, otherId }), ...changed(user, otherId, groupId, false)]
  })
}

/** Reads the id of their direct chat before anything changes: a read that fails changes nothing. */
function withDirectChat(
  { userId }: UserState,
  by: Caller,
  otherId: string,
  change: (groupId: string, now: number) => Effects,
): Effects {
  return [
    read({ read: 'direct', userId, otherId }, by, (groupId, now) => [
      ...change(groupId, now),
      answerCommitted(by, 'ok', {}),
    ]),
  ]
}

/** A page in the order of blocking; the cursor is the last user of the previous page. PAG-1 */
export function getBlocked(
  { blocked }: UserState,
  by: Caller,
  { cursor, limit = limits.usersPageDefault }: RequestFields<'get_blocked'>,
): Effects {
  const after = cursor === undefined ? undefined : parseCursor(cursor)
  const listed = [...blocked]
    .sort(compareEntries)
    .filter((entry) => !after || compareEntries(after, entry) < 0)
  const userIds = listed.slice(0, limit).map(([otherId]) => otherId)
  return [
    read({ read: 'profiles', userIds }, by, (profiles) => {
      const users = userIds.map((userId, i): User => {
        const { name = userId, picture = '' } = profiles[i] ?? {}
        return { userId, name, status: 'offline', picture: picture || undefined }
      })
      const { rows } = fitRows(users, limit) // SLW-1
      const last = listed.length > rows.length ? listed[rows.length - 1] : undefined
      return [answer(by, 'users', { users: rows, cursor: last && `${last[1]}:${last[0]}` })]
    }),
  ]
}

/** Sends the list of blocked users to every shard, while the user is connected. */
export function announceBlocks({ userId, blocked, isBlocked }: UserState): Effect {
  return { type: 'blocks', userId, blocked: [...blocked.keys()], isBlocked }
}

/** Notifies the shards, the direct chat and the other user's actor before the caller is answered. */
function changed(user: UserState, otherId: string, groupId: string, on: boolean): Effects {
  const { userId } = user
  return [
    announceBlocks(user),
    tellGroup(groupId, { type: 'block', userId, on }, userOwner(userId)),
    tellMembers(userOwner(userId), [otherId], { type: 'barred', by: userId, on }),
  ]
}

/** The other user has blocked or unblocked the user. Nothing else changes while the user blocks them. */
export function barred(
  user: UserState,
  { by, on }: Extract<UserMail, { type: 'barred' }>,
  now: number,
): Effects {
  const { userId, sessions, blocked, shown } = user
  if (on) {
    user.isBlocked = true
    // For the shards, a session that began meanwhile belongs to a user without blocks.
    return [
      ...(sessions.size > 0 ? [announceBlocks(user)] : []),
      // The hub and the shards may know the block for a while, and hide every report of the user from then on.
      ...showSeenTo(user, by, 'offline', now),
    ]
  }
  if (blocked.has(by)) return []
  return [...showTo(user, by, shown ?? 'offline', now), tellLoaded(by, { type: 'visible', to: userId })]
}

/** The other user no longer blocks the user: they see the user, unless the user blocks them. */
export function visible(
  user: UserState,
  { to }: Extract<UserMail, { type: 'visible' }>,
  now: number,
): Effects {
  return user.blocked.has(to) ? [] : showTo(user, to, user.shown ?? 'offline', now)
}

type BlockEntry = readonly [userId: string, at: number]

function compareEntries([one, at]: BlockEntry, [other, otherAt]: BlockEntry): number {
  return at - otherAt || (one < other ? -1 : one > other ? 1 : 0)
}

function parseCursor(cursor: string): BlockEntry {
  const match = /^(\d{1,16}):(.+)$/s.exec(cursor)
  if (!match) {
    throw new ChatError('bad_request', 'cursor must be the cursor of an earlier page', { field: 'cursor' })
  }
  return [match[2] as string, Number(match[1])]
}
