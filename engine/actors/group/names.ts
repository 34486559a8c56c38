/**
 * Names: how a group calls its members and the senders of its messages (IDN-2).
 *
 * The name of today is shown on old messages, too. Storage joins it when it reads; what is in
 * memory is changed when the user's actor says so.
 */
import type { Caller } from '../caller.ts'
import type { Effects } from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import type { GroupState } from './group-state.ts'

/** What the caller is called: by their session, else by the group, else by their id. */
export function nameOf(group: GroupState, { userId, name }: Caller): string {
  return name || (group.members.get(userId)?.name ?? userId)
}

/** A member has another name or picture. */
export function renamed(group: GroupState, mail: Extract<GroupMail, { type: 'renamed' }>): Effects {
  const { userId, name, picture } = mail
  const member = group.members.get(userId)
  if (!member || (member.name === name && member.picture === picture)) return []
  group.members.set(userId, { ...member, name, picture })
  group.recent.rename(userId, name)
  group.changed.rename(userId, name)
  return []
}
