/**
 * Room: whether the user may be in one more group (`maxGroupsPerUser`).
 *
 * The user's own actor counts their groups, and those that they are about to make. Groups that they
 * join have actors elsewhere: every shard is notified when a connected user has no room left, and when
 * they have room again. Who is not connected is counted by storage. Both lag by what is under way:
 * joins of several groups at one moment are not counted together, those that a user makes are.
 */
import type { Effects } from '../effects.ts'
import { noRoom } from '../no-room.ts'
import type { UserState } from './user-state.ts'

/** A group that is not there by then was refused. */
const MAKING_MS = 10_000

/** The user is about to make the group. @throws ChatError `limit_reached` */
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

/** Notifies all shards where that has changed; with `again` also where there is no room as before. */
export function announceRoom(user: UserState, again = false): Effects {
  const { userId, groups, maxGroups, sessions, isFull: wasFull } = user
  const isFull = maxGroups > 0 && groups.size >= maxGroups
  user.isFull = isFull
  if (sessions.size === 0 || (isFull === wasFull && !(again && isFull))) return []
  return [{ type: 'full', userId, isFull }]
}
