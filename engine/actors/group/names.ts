/**
 * Names: the names of a group's members and of the senders of its messages (IDN-2).
 *
 * Old messages show the current name, too. Storage joins it when it reads; the user's actor notifies the
 * group when a name in memory must change.
 */
import type { Caller } from '../caller.ts'
import type { Effects } from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import type { GroupState } from './group-state.ts'

/** The caller's name: from their session, else from the group, else their id. */
export function nameOf(group: GroupState, { userId, name }: Caller): string {
  return name || (group.members.get(userId)?.name ?? userId)
}

/** A member's name or picture has changed. */
export function renamed(group: GroupState, mail: Extract<GroupMail, { type: 'renamed' }>): Effects {
  const { userId, name, picture } = mail
  const member = group.members.get(userId)
  if (!member || (member.name === name && member.picture === picture)) return []
  group.members.set(userId, { ...member, name, picture })
  group.recent.rename(userId, name)
  group.changed.rename(userId, name)
  return []
}
