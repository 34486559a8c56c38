/**
 * Invitations: who may come into a private group. Stored until they are accepted by `join_group`,
 * declined, or withdrawn by `remove_member`. At most `limits.invitations` of a group, and of a user.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, append, type Effects, read, sendUser } from '../effects.ts'
import { rememberFormer } from './former-members.ts'
import { type GroupState, toGroup } from './group-state.ts'
import { callerMay, noContact } from './permissions.ts'

export function inviteMember(
  group: GroupState,
  by: Caller,
  { userId }: RequestFields<'invite_member'>,
  asked: number,
): Effects {
  callerMay(group, by, 'invite_member', asked)
  return [
    read({ read: 'newcomers', userId: by.userId, userIds: [userId] }, by, (found, now) => {
      const { barred, invitationCounts } = found
      callerMay(group, by, 'invite_member', now)
      if (group.members.has(userId)) return [answerCommitted(by, 'ok', {})]
      if (barred.length > 0) throw noContact('userId') // PRV-1
      requireInvitable(group, userId, invitationCounts[0] ?? 0)
      return [...invite(group, by, userId, now), answerCommitted(by, 'ok', {})]
    }),
  ]
}

/** A user who is not invited yet has so many invitations. @throws ChatError `limit_reached` */
export function requireInvitable(group: GroupState, userId: string, invitationCount: number): void {
  if (!group.invited.has(userId)) requireFewInvitations(invitationCount, 'userId')
}

/** Of a user who has so many invitations. @throws ChatError `limit_reached` */
export function requireFewInvitations(invitationCount: number, field: string): void {
  if (invitationCount < limits.invitations) return
  throw new ChatError('limit_reached', `a user must have at most ${limits.invitations} invitations`, {
    field,
  })
}

/** Invites somebody who is not a member, once. @throws ChatError `limit_reached` */
export function invite(group: GroupState, by: Caller, userId: string, now: number): Effects {
  if (group.invited.has(userId)) return []
  if (group.invited.size >= limits.invitations) throw new ChatError('limit_reached')
  const { groupId } = group
  group.invited.add(userId)
  return [
    ...liftBan(group, userId),
    append({ type: 'invite', groupId, userId, by: by.userId, at: now }),
    // Who is not a member yet does not get to know who is; who opens a direct chat they do.
    sendUser(userId, 'group_invited', {
      group: group.awaited ? toGroup(group) : { ...toGroup(group), members: undefined },
      groupId,
      by: by.userId,
      at: now,
    }),
  ]
}

export function declineInvitation(
  group: GroupState,
  by: Caller,
  _: RequestFields<'decline_invitation'>,
  now: number,
): Effects {
  const { userId } = by
  // PRV-2: they are one of the two all the same, and may open the chat themselves; the other one does not learn of it.
  const isAwaited = group.awaited?.userId === userId && group.invited.has(userId)
  return [
    ...dropInvitation(group, userId),
    ...(isAwaited ? rememberFormer(group, { userId, mutedUntil: 0 }, true, group.lastSeq, now) : []),
    answerCommitted(by, 'ok', {}),
  ]
}

/** The invitation, if there is one, is over. */
export function dropInvitation(group: GroupState, userId: string): Effects {
  if (!group.invited.delete(userId)) return []
  return [append({ type: 'uninvite', groupId: group.groupId, userId })]
}

/** An invitation of a banned user lifts the ban. */
export function liftBan(group: GroupState, userId: string): Effects {
  if (!group.banned.delete(userId)) return []
  return [append({ type: 'unban', groupId: group.groupId, userId })]
}
