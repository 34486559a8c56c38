/**
 * Online: which members are there at present, and what they send each other directly.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { User } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects, publish, sendUser, withPresence } from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { isLarge } from './large.ts'
import { callerAsMember } from './permissions.ts'

/** The members who are connected and let it be seen; of a large group only how many. */
export function getOnlineUsers(group: GroupState, by: Caller): Effects {
  callerAsMember(group, by)
  return [
    withPresence((presenceOf) => {
      const listed = !isLarge(group)
      const users: User[] = []
      let total = 0
      for (const { userId, name } of group.members.values()) {
        const { status } = presenceOf(userId)
        if (status === 'offline') continue
        total += 1
        if (listed) users.push({ userId, name, status })
      }
      return [answer(by, 'online_users', { groupId: group.groupId, users, total })]
    }),
  ]
}

/**
 * Relays to all sessions of one member, or to everybody who hears the group. The session that
 * sends does not get it; the sender's other devices do where it is for all.
 */
export function signal(
  group: GroupState,
  by: Caller,
  { toUserId, kind, payload }: RequestFields<'signal'>,
): Effects {
  callerAsMember(group, by)
  if (toUserId !== undefined && !group.members.has(toUserId)) {
    throw new ChatError('not_found', 'not a member of the group', { field: 'toUserId' })
  }
  const { groupId } = group
  const fields = { fromUserId: by.userId, groupId, kind, payload }
  return [
    toUserId === undefined
      ? publish([groupId], 'signal', fields, by.session)
      : sendUser(toUserId, 'signal', fields, by.session),
    answer(by, 'ok', {}),
  ]
}
