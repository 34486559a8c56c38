/**
 * Leaving: members leave a group, are removed or banned. It is a durable event; former members receive
 * nothing after it.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, append, type Effects, record, tellMembers } from '../effects.ts'
import { rememberFormer } from './former-members.ts'
import { type GroupState, type MemberState, memberEntry, nextSeq } from './group-state.ts'
import { dropInvitation } from './invitations.ts'
import { sizeChanged } from './large.ts'
import { receiptsOfFormer } from './member-receipts.ts'
import { callerMay, memberNamed, refuseHigherRole } from './permissions.ts'
import { typingEnded } from './typing.ts'

export function leaveGroup(
  group: GroupState,
  by: Caller,
  _: RequestFields<'leave_group'>,
  now: number,
): Effects {
  const member = callerMay(group, by, 'leave_group', now)
  return [
    ...leave(group, member, 'left', now),
    ...handRoleOn(group, member, now),
    answerCommitted(by, 'ok', {}),
  ]
}

export function removeMember(
  group: GroupState,
  by: Caller,
  { userId }: RequestFields<'remove_member'>,
  now: number,
): Effects {
  const caller = callerMay(group, by, 'remove_member', now)
  if (group.invited.has(userId)) return [...dropInvitation(group, userId), answerCommitted(by, 'ok', {})]
  const member = memberNamed(group, userId)
  refuseHigherRole(caller, member)
  return [
    ...leave(group, member, { by: by.userId }, now),
    ...handRoleOn(group, member, now),
    answerCommitted(by, 'ok', {}),
  ]
}

/** A banned user is removed, and rejoins only after another invitation. */
export function banMember(
  group: GroupState,
  by: Caller,
  { userId }: RequestFields<'ban_member'>,
  now: number,
): Effects {
  const caller = callerMay(group, by, 'ban_member', now)
  if (group.banned.has(userId)) return [answerCommitted(by, 'ok', {})]
  const member = group.members.get(userId)
  if (member) refuseHigherRole(caller, member)
  if (userId === by.userId)
    throw new ChatError('bad_request', 'userId must be another user', { field: 'userId' })
  if (group.banned.size >= limits.membersPerGroup) throw new ChatError('limit_reached')
  group.banned.add(userId)
  return [
    append({ type: 'ban', groupId: group.groupId, userId }),
    ...dropInvitation(group, userId),
    ...(member ? leave(group, member, { by: by.userId, banned: true }, now) : []),
    ...(member ? handRoleOn(group, member, now) : []),
    answerCommitted(by, 'ok', {}),
  ]
}

function leave(
  group: GroupState,
  member: MemberState,
  how: 'left' | { readonly by: string; readonly banned?: true },
  now: number,
): Effects {
  const { userId, name } = member
  const seq = nextSeq(group)
  group.members.delete(userId)
  receiptsOfFormer(group, userId)
  return [
    ...rememberFormer(group, member, how === 'left', seq, now),
    append({ type: 'member_left', groupId: group.groupId, userId }),
    record(seq, now, 'user_left_group', {
      userId,
      userName: name,
      groupId: group.groupId,
      seq,
      ...(how === 'left' ? {} : how),
    }),
    { type: 'unsubscribe', userId, groupId: group.groupId },
    tellMembers(group.groupId, [userId], { type: 'left', groupId: group.groupId, seq }),
    ...typingEnded(group, userId),
    ...sizeChanged(group, group.members.size + 1),
  ]
}

/** When the last admin leaves, the role passes to the oldest moderator, or else the oldest member. */
function handRoleOn(group: GroupState, former: MemberState, now: number): Effects {
  // Members who joined with the same event are ordered by id, so that the result is always the same.
  const members = [...group.members.values()].sort(
    (a, b) => a.joinedSeq - b.joinedSeq || (a.userId < b.userId ? -1 : 1),
  )
  if (former.role !== 'admin' || members.some((member) => member.role === 'admin')) return []
  const heir = members.find((member) => member.role === 'moderator') ?? members[0]
  if (!heir) return []
  const seq = nextSeq(group)
  const member: MemberState = { ...heir, role: 'admin' }
  group.members.set(member.userId, member)
  return [
    append(memberEntry(group, member)),
    record(seq, now, 'role_changed', {
      userId: member.userId,
      role: member.role,
      groupId: group.groupId,
      seq,
      by: former.userId,
      at: now,
    }),
  ]
}
