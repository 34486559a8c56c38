/**
 * Former members: what outlives a membership.
 *
 * A user who left by choice rejoins only by their own request (GRP-3). A mute belongs to the user in the
 * group, whether they are a member or not (GRP-2). Bounded by `limits.membersPerGroup`: above it, the
 * user who left first is removed.
 */
import { limits } from '../../../protocol/limits.ts'
import { append, type Effects } from '../effects.ts'
import type { GroupState, MemberState } from './group-state.ts'

export interface FormerMember {
  /** Whether they left by choice and were not removed or banned. */
  readonly byChoice: boolean
  /** After a rejoin they may not post until this time; 0 if they may. */
  readonly mutedUntil: number
}

/** A member leaves with the event `leftSeq`, or an awaited member of a direct chat declines after it. */
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

/** A former member rejoins. */
export function forgetFormer({ groupId, former }: GroupState, userId: string): Effects {
  return former.delete(userId) ? [append({ type: 'former_member_back', groupId, userId })] : []
}
