/**
 * Large groups: those above 500 members get no presence, typing or per-user receipt events
 * (PRS-2), only counts on demand.
 *
 * The members' own actors announce their presence, so they have to know which of their groups
 * are large: they read it when a session begins, and are told here when it changes meanwhile.
 */
import { limits } from '../../../protocol/limits.ts'
import { type Effects, tellConnected } from '../effects.ts'
import type { GroupState } from './group-state.ts'

export function isLarge(group: GroupState): boolean {
  return group.members.size > limits.largeGroup
}

/** Tells the members who are connected, where the change from `sizeBefore` members crossed the bound. */
export function sizeChanged(group: GroupState, sizeBefore: number): Effects {
  const large = isLarge(group)
  if (large === sizeBefore > limits.largeGroup) return []
  const { groupId } = group
  return Array.from(group.members.keys(), (userId) =>
    tellConnected(userId, { type: 'group_size', groupId, large }),
  )
}
