/**
 * Groups for tests: a state for a handler, and its effects in short form. No thread, no clock.
 */
import type { Caller } from '../../engine/actors/caller.ts'
import type { Effect, Effects, ReadEffect } from '../../engine/actors/effects.ts'
import { type GroupState, type MemberState, newState } from '../../engine/actors/group/group-state.ts'
import type { Role, StoredGroup } from '../../engine/stored/stored-group.ts'
import type { Profile } from '../../engine/stored/stored-user.ts'
import type { Message } from '../../protocol/records.ts'

/** A group `g` with these members in this order, at seq 1. */
export function aGroup(members: Readonly<Record<string, Role>>, info: Partial<StoredGroup> = {}): GroupState {
  const group = newState(
    { groupId: 'g', kind: 'group', visibility: 'private', createdBy: 'ana', createdAt: 0, ...info },
    1_024,
    { editWindowMs: 0, maxGroupsPerUser: 0, contactPolicy: 'open' },
  )
  for (const [userId, role] of Object.entries(members)) {
    group.members.set(userId, aMember(userId, { role }))
  }
  group.lastSeq = 1
  group.publishedSeq = 1
  return group
}

/** A member since the group's first event. */
export function aMember(userId: string, more: Partial<MemberState> = {}): MemberState {
  return {
    userId,
    name: nameOf(userId),
    role: 'member',
    joinedSeq: 1,
    joinedAt: 0,
    mutedUntil: 0,
    quietUntil: 0,
    picture: '',
    ...more,
  }
}

/** The post with this number, by Ana. */
export function aPost(seq: number, content = `post ${seq}`): Message {
  return {
    messageId: `g:${seq}`,
    groupId: 'g',
    seq,
    senderId: 'ana',
    senderName: 'Ana',
    type: 'text',
    content,
    createdAt: seq,
    tempId: `t${seq}`,
    replyToId: undefined,
    file: undefined,
    mentions: undefined,
    editedAt: undefined,
    deletedAt: undefined,
    deletedBy: undefined,
    recalledAt: undefined,
    reactions: undefined,
    pinnedAt: undefined,
  }
}

/** The name of `ana` is Ana. */
function nameOf(userId: string): string {
  return userId.charAt(0).toUpperCase() + userId.slice(1)
}

/** The user as the sender of a request with ref 7 in session 3. */
export function by(userId: string): Caller {
  return { session: 3, ref: 7, userId, name: nameOf(userId) }
}

/**
 * Everything that a handler can change, for a comparison before and after: all fields of the state,
 * including fields added later.
 */
export function snapshot(group: GroupState): Readonly<Record<string, unknown>> {
  const { recent, receiptNews, changed, ...plain } = group
  const events = recent.range(recent.floor - 1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  const seqs = Array.from({ length: group.lastSeq + 1 }, (_, seq) => seq)
  return structuredClone({
    ...plain,
    // In their order, which `toEqual` ignores for maps and sets.
    members: [...plain.members],
    pins: [...plain.pins],
    tempIds: [...plain.tempIds],
    recent: { floor: recent.floor, events },
    changed: seqs.map((seq) => changed.find(seq)),
    receiptNews: { empty: receiptNews.empty, full: receiptNews.full },
  })
}

/** Effects in short form, in order: recorded, written, answered, sent. */
export function brief(effects: Effects): readonly string[] {
  return effects.flatMap((effect) => {
    switch (effect.type) {
      case 'record':
        return [
          `record ${effect.event.name} ${effect.seq}`,
          ...(effect.sender ? ['answer_committed message_sent'] : []),
        ]
      case 'append':
        return `append ${effect.entry.type}`
      case 'answer':
      case 'answer_committed':
        return `${effect.type} ${effect.event.name}`
      case 'tell_user':
        return `tell ${effect.userId} ${effect.mail.type}`
      case 'tell_members':
        return effect.userIds.map((userId) => `tell ${userId} ${effect.mail.type}`)
      case 'tell_group':
        return `tell ${effect.groupId} ${effect.mail.type}`
      default:
        return effect.type
    }
  })
}

/** The one effect of its type. */
export function only<T extends Effect['type']>(effects: Effects, type: T): Extract<Effect, { type: T }> {
  const found = effects.filter((effect) => effect.type === type)
  if (found.length !== 1) throw new Error(`expected one ${type}, got ${brief(effects).join(', ')}`)
  return found[0] as Extract<Effect, { type: T }>
}

/** Continues a handler that reads, with this result of the log. */
export function given(effects: Effects, result: unknown, now = 0): Effects {
  const read: ReadEffect = only(effects, 'read')
  return read.then(result as never, now)
}

/** What a group reads about users who may join; none of them is in many groups. */
export function newcomers(
  profiles: readonly Profile[],
  barred: readonly string[] = [],
  [groups, invitations]: readonly [groups: number, invitations: number] = [0, 0],
) {
  return {
    profiles,
    barred,
    strangers: false,
    groupCounts: profiles.map(() => groups),
    invitationCounts: profiles.map(() => invitations),
  }
}
