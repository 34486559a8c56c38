/**
 * Invitations: users who may join a private group. An invitation is stored until it is accepted by
 * `join_group`, declined, or revoked by `remove_member`. At most `limits.invitations` per group and user.
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

/** Checks the limit of invitations, unless the user is already invited. @throws ChatError `limit_reached` */
export function requireInvitable(group: GroupState, userId: string, invitationCount: number): void {
  if (!group.invited.has(userId)) requireFewInvitations(invitationCount, 'userId')
}

/** Checks a user's number of invitations. @throws ChatError `limit_reached` */
export function requireFewInvitations(invitationCount: number, field: string): void {
  if (invitationCount < limits.invitations) return
  throw new ChatError('limit_reached', `a user must have at most ${limits.invitations} invitations`, {
    field,
  })
}

/** Invites a user who is not a member, once. @throws ChatError `limit_reached` */
export function invite(group: GroupState, by: Caller, userId: string, now: number): Effects {
  if (group.invited.has(userId)) return []
  if (group.invited.size >= limits.invitations) throw new ChatError('limit_reached')
  const { groupId } = group
  group.invited.add(userId)
  return [
    ...liftBan(group, userId),
    append({ type: 'invite', groupId, userId, by: by.userId, at: now }),
    // An invited user does not receive the list of members, except in a direct chat, where it is the other user.
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
  // PRV-2: the user remains one of the two, and may open the chat later; the other one is not notified.
  const isAwaited = group.awaited?.userId === userId && group.invited.has(userId)
  return [
    ...dropInvitation(group, userId),
    ...(isAwaited ? rememberFormer(group, { userId, mutedUntil: 0 }, true, group.lastSeq, now) : []),
    answerCommitted(by, 'ok', {}),
  ]
}

/** Ends the user's invitation, if there is one. */
export function dropInvitation(group: GroupState, userId: string): Effects {
  if (!group.invited.delete(userId)) return []
  return [append({ type: 'uninvite', groupId: group.groupId, userId })]
}

/** An invitation of a banned user lifts the ban. */
export function liftBan(group: GroupState, userId: string): Effects {
  if (!group.banned.delete(userId)) return []
  return [append({ type: 'unban', groupId: group.groupId, userId })]
}
