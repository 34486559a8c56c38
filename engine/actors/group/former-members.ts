/**
 * Former members: what outlives a membership.
 *
 * Who left by their own act comes back only by their own act (GRP-3), and a mute belongs to the user
 * in the group, whether they are a member or not (GRP-2). Bounded by `limits.membersPerGroup`: of
 * more the one who left first is forgotten.
 */
import { limits } from '../../../protocol/limits.ts'
import { append, type Effects } from '../effects.ts'
import type { GroupState, MemberState } from './group-state.ts'

export interface FormerMember {
  /** Whether they left by themselves, and were not removed or banned. */
  readonly byChoice: boolean
  /** May not post until then, should they come back; 0 where they may. */
  readonly mutedUntil: number
}

/** A member leaves by the event `leftSeq`, or somebody who was to become one declines after it. */
export function rememberFormer(
  group: GroupState,
  { userId, mutedUntil }: Pick<MemberState, 'userId' | 'mutedUntil'>,
  byChoice: boolean,
  leftSeq: number,
  now: number,
): Effects {
  if (!byChoice && mutedUntil <= now) return []
  const { groupId, former } = group
  const effects = []
  for (const oldest of former.size >= limits.membersPerGroup ? former.keys() : []) {
    effects.push(...forgetFormer(group, oldest))
    break
  }
  former.set(userId, { byChoice, mutedUntil })
  effects.push(append({ type: 'former_member', groupId, userId, leftSeq, byChoice, mutedUntil }))
  return effects
}

/** A former member comes back. */
export function forgetFormer({ groupId, former }: GroupState, userId: string): Effects {
  return former.delete(userId) ? [append({ type: 'former_member_back', groupId, userId })] : []
}
