/**
 * Blocks: with whom a user wants no contact. // PRV-1
 *
 * The user's actor has the list, at most `limits.blocks`, and storage has all lists. Who asks for
 * contact is compared with storage; the group of the two's direct chat is notified, so that a message
 * there costs no read; and while the user is connected every shard knows the list, so that events
 * about one of the two do not reach the other. A block becomes effective before its `ok` is sent.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { User } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answer, answerCommitted, append, type Effect, type Effects, read, tellGroup } from '../effects.ts'
import type { UserState } from './user-state.ts'

export function blockUser(
  user: UserState,
  by: Caller,
  { userId: otherId }: RequestFields<'block_user'>,
  now: number,
): Effects {
  const { userId, blocked } = user
  if (otherId === userId) {
    throw new ChatError('bad_request', 'userId must be another user', { field: 'userId' })
  }
  if (blocked.has(otherId)) return [answerCommitted(by, 'ok', {})]
  if (blocked.size >= limits.blocks) throw new ChatError('limit_reached')
  blocked.set(otherId, now)
  return [append({ type: 'block', userId, otherId, at: now }), ...changed(user, by, otherId)]
}

export function unblockUser(
  user: UserState,
  by: Caller,
  { userId: otherId }: RequestFields<'unblock_user'>,
): Effects {
  const { userId, blocked } = user
  if (!blocked.delete(otherId)) return [answerCommitted(by, 'ok', {})]
  return [append({ type: 'unblock', userId, otherId }), ...changed(user, by, otherId)]
}

/** A page in the order of blocking; the cursor is the last one of the page before. PAG-1 */
export function getBlocked(
  { blocked }: UserState,
  by: Caller,
  { cursor, limit = limits.usersPageDefault }: RequestFields<'get_blocked'>,
): Effects {
  const after = cursor === undefined ? undefined : parseCursor(cursor)
  const listed = [...blocked]
    .sort(compareEntries)
    .filter((entry) => !after || compareEntries(after, entry) < 0)
  const page = listed.slice(0, limit)
  const last = listed.length > page.length ? page.at(-1) : undefined
  const userIds = page.map(([otherId]) => otherId)
  return [
    read({ read: 'profiles', userIds }, by, (profiles) => [
      answer(by, 'users', {
        users: userIds.map((userId, i): User => {
          const { name = userId, picture = '' } = profiles[i] ?? {}
          return { userId, name, status: 'offline', picture: picture || undefined }
        }),
        cursor: last && `${last[1]}:${last[0]}`,
      }),
    ]),
  ]
}

/** Every shard knows from now on whom the user has blocked, as long as the user is connected. */
export function announceBlocks({ userId, blocked }: UserState): Effect {
  return { type: 'blocks', userId, blocked: [...blocked.keys()] }
}

/** The direct chat of the two learns of it before the caller does. */
function changed(user: UserState, by: Caller, otherId: string): Effects {
  const { userId } = user
  return [
    ...(user.sessions.size > 0 ? [announceBlocks(user)] : []),
    read({ read: 'direct', userId, otherId }, by, (groupId) => [
      tellGroup(groupId, { type: 'block', userId, on: user.blocked.has(otherId) }),
      answerCommitted(by, 'ok', {}),
    ]),
  ]
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
