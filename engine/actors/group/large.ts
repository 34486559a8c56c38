/**
 * Large groups: those above 500 members get no presence, typing or per-user receipt events
 * (PRS-2), only counts on demand.
 *
 * The members' own actors announce their presence, so they must know which of their groups are large:
 * they read it when a session begins, and are notified here when it changes.
 */
import { limits } from '../../../protocol/limits.ts'
import { type Effects, tellConnected } from '../effects.ts'
import type { GroupState } from './group-state.ts'

export function isLarge(group: GroupState): boolean {
  return group.members.size > limits.largeGroup
}

/** Notifies the connected members if the change from `sizeBefore` members crossed the bound. */
export function sizeChanged(group: GroupState, sizeBefore: number): Effects {
  const large = isLarge(group)
  if (large === sizeBefore > limits.largeGroup) return []
  const { groupId } = group
  return Array.from(group.members.keys(), (userId) =>
    tellConnected(userId, { type: 'group_size', groupId, large }),
  )
}
