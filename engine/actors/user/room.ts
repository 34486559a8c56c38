/**
 * Room: whether the user may be in one more group (`maxGroupsPerUser`).
 *
 * The user's own actor counts their groups, and those that they are about to create. The actors of
 * groups that they join may be on other shards: every shard is notified when a connected user has no
 * room left, and when they have room again. For users who are not connected storage counts. Both counts
 * lag: simultaneous joins of several groups are not counted together; groups that a user creates are.
 */
import type { Effects } from '../effects.ts'
import { noRoom } from '../no-room.ts'
import type { UserState } from './user-state.ts'

/** A group that does not exist after this time was refused. */
const MAKING_MS = 10_000

/** The user is about to create the group. @throws ChatError `limit_reached` */
export function reserveRoom(user: UserState, groupId: string): void {
  const { groups, maxGroups, steadyNow } = user
  if (maxGroups === 0 || groups.has(groupId)) return
  user.making ??= new Map()
  const { making } = user
  for (const [id, sinceMs] of making) {
    if (steadyNow - sinceMs >= MAKING_MS) making.delete(id)
  }
  if (groups.size + making.size >= maxGroups && !making.has(groupId)) throw noRoom(maxGroups)
  making.set(groupId, steadyNow)
}

/** Notifies all shards if this has changed; with `again` also if there is still no room. */
export function announceRoom(user: UserState, again = false): Effects {
  const { userId, groups, maxGroups, sessions, isFull: wasFull } = user
  const isFull = maxGroups > 0 && groups.size >= maxGroups
  user.isFull = isFull
  if (sessions.size === 0 || (isFull === wasFull && !(again && isFull))) return []
  return [{ type: 'full', userId, isFull }]
}
