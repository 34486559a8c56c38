/**
 * Moderation: decisions of moderators and admins about a group and its members (GRP-1), and the settings
 * of a member for themselves. Permissions are in `permissions.ts`.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, append, type Effects, record } from '../effects.ts'
import { type GroupState, type MemberState, memberEntry, nextSeq } from './group-state.ts'
import { callerMay, memberNamed, refuseHigherRole } from './permissions.ts'

/** A time that never arrives: muted permanently. */
const FOREVER = Number.MAX_SAFE_INTEGER

export function updateGroup(
  group: GroupState,
  by: Caller,
  { name, avatarUrl, topic, visibility }: RequestFields<'update_group'>,
  now: number,
): Effects {
  callerMay(group, by, 'update_group', now)
  const { groupId, info } = group
  const wanted = { name, avatarUrl, topic, visibility }
  const changes = Object.fromEntries(
    Object.entries(wanted).filter(
      ([field, value]) => value !== undefined && value !== (info[field as keyof typeof wanted] ?? ''),
    ),
  )
  if (Object.keys(changes).length === 0) return [answerCommitted(by, 'ok', {})]
  const seq = nextSeq(group)
  group.info = {
    ...info,
    visibility: visibility ?? info.visibility,
    name: (name ?? info.name) || undefined,
    avatarUrl: (avatarUrl ?? info.avatarUrl) || undefined,
    topic: (topic ?? info.topic) || undefined,
  }
  return [
    append({ type: 'group', group: group.info }),
    record(seq, now, 'group_updated', { ...changes, groupId, seq, by: by.userId, at: now }),
    answerCommitted(by, 'ok', {}),
  ]
}

export function setRole(
  group: GroupState,
  by: Caller,
  { userId, role }: RequestFields<'set_role'>,
  now: number,
): Effects {
  callerMay(group, by, 'set_role', now)
  const member = memberNamed(group, userId)
  if (member.role === role) return [answerCommitted(by, 'ok', {})]
  const admins = [...group.members.values()].filter((one) => one.role === 'admin')
  if (member.role === 'admin' && admins.length === 1) throw new ChatError('last_admin')
  const { groupId } = group
  const seq = nextSeq(group)
  return [
    ...change(group, { ...member, role }),
    record(seq, now, 'role_changed', { userId, role, groupId, seq, by: by.userId, at: now }),
    answerCommitted(by, 'ok', {}),
  ]
}

export function muteMember(
  group: GroupState,
  by: Caller,
  { userId, until: asked }: RequestFields<'mute_member'>,
  now: number,
): Effects {
  const until = endOf(asked, now)
  const caller = callerMay(group, by, 'mute_member', now)
  const member = memberNamed(group, userId)
  refuseHigherRole(caller, member)
  if (member.mutedUntil === until) return [answerCommitted(by, 'ok', {})]
  const { groupId } = group
  const seq = nextSeq(group)
  return [
    ...change(group, { ...member, mutedUntil: until }),
    record(seq, now, 'member_muted', { userId, until, groupId, seq, by: by.userId, at: now }),
    answerCommitted(by, 'ok', {}),
  ]
}

/** Sets the caller's own notifications; no other member is notified. */
export function muteGroup(
  group: GroupState,
  by: Caller,
  { until: asked }: RequestFields<'mute_group'>,
  now: number,
): Effects {
  const until = endOf(asked, now)
  const member = callerMay(group, by, 'mute_group', now)
  if (member.quietUntil === until) return [answerCommitted(by, 'ok', {})]
  return [...change(group, { ...member, quietUntil: until }), answerCommitted(by, 'ok', {})]
}

/** When a mute ends; 0 if the time has passed, so that there is no mute. */
function endOf(until: number | undefined, now: number): number {
  if (until === undefined) return FOREVER
  return until > now ? until : 0
}

function change(group: GroupState, member: MemberState): Effects {
  group.members.set(member.userId, member)
  return [append(memberEntry(group, member))]
}
