/**
 * Permissions: who may do what in a group, in one place. A refusal names the rule that decided
 * (SPEC 5): by its code, and in words in its message.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestName } from '../../../protocol/requests.ts'
import type { Role } from '../../storage/log.ts'
import type { Caller } from '../caller.ts'
import type { GroupState, MemberState } from './group-state.ts'

const rank = { member: 0, moderator: 1, admin: 2 } as const satisfies Record<Role, number>

/** The lowest role that may do it. What is not here any member may do. */
export const roleNeeded = {
  add_member: 'moderator',
  remove_member: 'moderator',
  invite_member: 'moderator',
  ban_member: 'moderator',
  mute_member: 'moderator',
  update_group: 'moderator',
  pin_message: 'moderator',
  unpin_message: 'moderator',
  /** Of others; one's own any member may delete. */
  delete_message: 'moderator',
  set_role: 'admin',
} as const satisfies Partial<Record<RequestName, Role>>

/** The caller as a member. @throws ChatError `not_a_member` */
export function callerAsMember(group: GroupState, by: Caller): MemberState {
  const member = group.members.get(by.userId)
  if (!member) throw new ChatError('not_a_member')
  return member
}

/** The caller, if their role allows the action. @throws ChatError `not_a_member`, `role_needed` */
export function callerWithRole(group: GroupState, by: Caller, action: keyof typeof roleNeeded): MemberState {
  const member = callerAsMember(group, by)
  const needed = roleNeeded[action]
  if (rank[member.role] < rank[needed]) {
    throw new ChatError('role_needed', `${action} takes the role ${needed} or higher, not ${member.role}`)
  }
  return member
}

/** The caller, if nobody has muted them. @throws ChatError `not_a_member`, `muted` with `retryAfterMs` */
export function callerWhoMayPost(group: GroupState, by: Caller, now: number): MemberState {
  const member = callerAsMember(group, by)
  if (member.mutedUntil > now) {
    const forGood = member.mutedUntil === Number.MAX_SAFE_INTEGER
    throw new ChatError('muted', forGood ? 'muted for good' : `muted until ${member.mutedUntil}`, {
      retryAfterMs: forGood ? undefined : member.mutedUntil - now,
    })
  }
  return member
}

/** Only the sender edits and recalls. @throws ChatError `not_yours` */
export function refuseOthers(by: Caller, { senderId }: Message): void {
  if (senderId !== by.userId) throw new ChatError('not_yours')
}

/**
 * The caller, if they sent the message or stand above whoever did; the two of a direct chat do not.
 * @throws ChatError `not_a_member`, `not_yours`, `role_needed`, `higher_role`
 */
export function callerWhoMayDelete(group: GroupState, by: Caller, message: Message): MemberState {
  const member = callerAsMember(group, by)
  if (message.senderId === by.userId) return member
  if (group.info.kind === 'direct') throw new ChatError('not_yours')
  callerWithRole(group, by, 'delete_message')
  const sender = group.members.get(message.senderId)
  if (sender) refuseHigherRole(member, sender)
  return member
}

/** The member that a request names. @throws ChatError `not_found` */
export function memberNamed(group: GroupState, userId: string): MemberState {
  const member = group.members.get(userId)
  if (!member) throw new ChatError('not_found', 'not a member of the group', { field: 'userId' })
  return member
}

/** Nobody acts against someone of a higher role. @throws ChatError `higher_role` */
export function refuseHigherRole(caller: MemberState, target: MemberState): void {
  if (rank[target.role] > rank[caller.role]) {
    throw new ChatError('higher_role', `a ${caller.role} may not act against a ${target.role}`)
  }
}

/** The two members of a direct chat stay for good. @throws ChatError `direct_chat` */
export function refuseDirectChat(group: GroupState): void {
  if (group.info.kind === 'direct') throw new ChatError('direct_chat')
}
