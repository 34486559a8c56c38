/**
 * Profile: a user's name and picture, from the newest token (IDN-2).
 *
 * A claim that is absent changes nothing. A change is stored, and sent to each of the user's groups,
 * which show it immediately, and to all users who share a group. A user whose name is not known is
 * shown by id.
 */
import { append, type Effects, publish, sendUser, tellGroup } from '../effects.ts'
import type { UserState } from './user-state.ts'

/** The claims of a token about its user; undefined or empty if absent. */
export interface Claims {
  readonly name?: string | undefined
  readonly picture?: string | undefined
}

/** Stores the claims of a token; the session `exceptSession` already knows them. */
export function setProfile(user: UserState, claims: Claims, now: number, exceptSession?: number): Effects {
  const name = claims.name || user.name
  const picture = claims.picture || user.picture
  if (name === user.name && picture === user.picture) return []
  user.name = name
  user.picture = picture
  const { userId } = user
  const groupIds = [...user.groups.keys()]
  const fields = { userId, name: name || userId, picture: picture || undefined, at: now }
  return [
    append({ type: 'user', userId, name, picture }),
    ...groupIds.map((groupId) => tellGroup(groupId, renamed(user))),
    // The user's other devices are among those of a group.
    groupIds.length > 0
      ? publish(null, groupIds, 'user_updated', fields, exceptSession)
      : sendUser(userId, 'user_updated', fields, exceptSession),
  ]
}

/** The notification to a group about its member. */
export function renamed({ userId, name, picture }: UserState) {
  return { type: 'renamed', userId, name: name || userId, picture } as const
}
