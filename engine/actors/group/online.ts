/**
 * Online: the members who are connected now, and the signals that they send each other.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { User } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { fitRows } from '../../base/fit-rows.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects, publish, read, sendUser, withPresence } from '../effects.ts'
import { isApproached, requireAccepted } from './contact.ts'
import type { GroupState, MemberState } from './group-state.ts'
import { isLarge } from './large.ts'
import { compareJoining, memberCursor, parseMemberCursor } from './member-pages.ts'
import { callerAsMember, muted, noContact } from './permissions.ts'

/** The visible connected members; in a large group only their number. */
export function getOnlineUsers(
  group: GroupState,
  by: Caller,
  { cursor }: RequestFields<'get_online_users'>,
): Effects {
  callerAsMember(group, by)
  const after = cursor === undefined ? undefined : parseMemberCursor(cursor)
  const { groupId } = group
  return [
    withPresence((presenceOf) => {
      const online: MemberState[] = []
      for (const member of group.members.values()) {
        const { userId } = member
        if (userId !== by.userId && isApproached(group, userId)) continue // PRV-2
        if (presenceOf(userId).status !== 'offline') online.push(member)
      }
      if (isLarge(group)) {
        return [answer(by, 'online_users', { groupId, users: [], total: online.length })]
      }
      const otherIds = online.map(({ userId }) => userId)
      return [
        read({ read: 'barred', userId: by.userId, otherIds }, by, (barred) => {
          const hidden = new Set(barred) // PRV-1
          const shown = online.filter(({ userId }) => !hidden.has(userId))
          const listed = shown
            .filter((member) => after === undefined || compareJoining(member, after) > 0)
            .sort(compareJoining)
          const users = listed.map(
            ({ userId, name }): User => ({ userId, name, status: presenceOf(userId).status }),
          )
          const { rows, hasMore } = fitRows(users, limits.listedUsers)
          const last = hasMore ? listed[rows.length - 1] : undefined
          return [
            answer(by, 'online_users', {
              groupId,
              users: rows,
              total: shown.length,
              cursor: last && memberCursor(last),
            }),
          ]
        }),
      ]
    }),
  ]
}

/**
 * Relays to all sessions of one member, or to all sessions that receive the group. The sending session does
 * not receive it. The sender's other devices do if it is for all.
 */
export function signal(
  group: GroupState,
  by: Caller,
  { toUserId, kind, payload }: RequestFields<'signal'>,
  now: number,
): Effects {
  const member = callerAsMember(group, by)
  if (toUserId === undefined && member.mutedUntil > now) throw muted(member, now)
  requireAccepted(group) // PRV-2
  if (toUserId !== undefined && !group.members.has(toUserId)) {
    throw new ChatError('not_found', 'not a member of the group', { field: 'toUserId' })
  }
  if (group.blockers.size > 0) throw noContact('toUserId') // PRV-1
  const { groupId } = group
  const { userId, session } = by
  const fields = { fromUserId: userId, groupId, kind, payload }
  if (toUserId === undefined) {
    const relay = (blocked?: readonly string[]): Effects => [
      publish(userId, [groupId], 'signal', fields, session, blocked),
      answer(by, 'ok', {}),
    ]
    return [
      withPresence((presenceOf) =>
        // PRV-1: the shards know the blocks of a connected user; for other users, storage does.
        presenceOf(userId).connected ? relay() : [read({ read: 'blocked', userId }, by, relay)],
      ),
    ]
  }
  return [
    read({ read: 'barred', userId, otherIds: [toUserId] }, by, (barred) => {
      callerAsMember(group, by)
      if (barred.length > 0) throw noContact('toUserId') // PRV-1
      const isMember = group.members.has(toUserId)
      return [...(isMember ? [sendUser(toUserId, 'signal', fields, session)] : []), answer(by, 'ok', {})]
    }),
  ]
}
