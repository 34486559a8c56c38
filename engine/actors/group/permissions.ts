/**
 * Permissions: who may do what in a group, in one place. A refusal names the rule that decided
 * (SPEC 5): by its code, and in words in its message.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Role } from '../../storage/log.ts'
import type { Caller } from '../caller.ts'
import type { GroupState, MemberState } from './group-state.ts'

const rank = { member: 0, moderator: 1, admin: 2 } as const satisfies Record<Role, number>

/** The lowest role that may do it. What is not here any member may do. */
export const roleNeeded = {
  add_member: 'moderator',
  remove_member: 'moderator',
} as const satisfies Record<string, Role>

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
