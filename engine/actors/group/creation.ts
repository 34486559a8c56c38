/**
 * Creation: creates a group, or opens a direct chat that exists already.
 *
 * Creating is one durable event. The members' own actors attach their sessions, which then receive the
 * group from that event on.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Role } from '../../stored/stored-group.ts'
import type { Profile } from '../../stored/stored-user.ts'
import { answerCommitted, append, type Effect, type Effects, record, tellMembers } from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import { accept, isApproached } from './contact.ts'
import { acceptAwaited, newMember } from './entering.ts'
import { type GroupState, memberEntry, nextSeq, toGroup } from './group-state.ts'
import { invite } from './invitations.ts'
import { isLarge } from './large.ts'
import { noContact } from './permissions.ts'

type Create = Extract<GroupMail, { type: 'create' }>

/**
 * Creates a group with its creator as admin and the given members, in one event. In a direct chat between
 * users who share no group, the other user is approached or invited. PRV-2
 */
export function createGroup(
  group: GroupState,
  { by, members }: Create,
  profiles: readonly Profile[],
  areStrangers: boolean,
  now: number,
): Effects {
  const isDirect = group.info.kind === 'direct'
  const seq = nextSeq(group)
  const effects: Effect[] = []
  const add = (userId: string, profile: Profile | undefined, role: Role, approached?: true) => {
    const member = { ...newMember(userId, profile, role, seq, now), approached }
    group.members.set(userId, member)
    effects.push(append(memberEntry(group, member)))
  }
  const [creator, ...others] = profiles
  add(by.userId, { picture: '', ...creator, name: by.name || (creator?.name ?? '') }, 'admin')
  for (const [i, userId] of members.entries()) {
    const profile = others[i]
    if (!isDirect) add(userId, profile, 'member')
    else if (areStrangers && group.rules.contactPolicy === 'request') {
      group.awaited = { userId, name: profile?.name || userId, picture: profile?.picture ?? '' }
      effects.push(...invite(group, by, userId, now))
    }
    // Both users of a direct chat have the same role.
    else add(userId, profile, 'admin', areStrangers || undefined)
  }
  effects.push(
    record(seq, now, 'group_created', {
      group: toGroup(group),
      groupId: group.groupId,
      seq,
      by: by.userId,
      at: now,
    }),
    answerCommitted(by, 'group', { group: toGroup(group) }),
  )
  const large = isLarge(group)
  const { groupId } = group
  const [approachedId] = members.filter((userId) => isApproached(group, userId))
  const welcome = [...group.members.keys()].filter((userId) => userId !== approachedId)
  effects.push(tellMembers(groupId, welcome, { type: 'joined', groupId, joinedSeq: seq, large }))
  if (approachedId !== undefined) {
    const mail = { type: 'joined', groupId, joinedSeq: seq, approached: true } as const
    effects.push(tellMembers(groupId, [approachedId], mail))
  }
  return effects
}

/**
 * The id exists: returns the same direct chat, refuses anything else (IDN-4). An awaited user who opens the
 * chat as well accepts it. PRV-2
 */
export function createExisting(
  group: GroupState,
  { by, members, group: wanted }: Create,
  now: number,
): Effects {
  const { awaited } = group
  const pair = [by.userId, ...members]
  const isSame =
    wanted.kind === 'direct' &&
    group.info.kind === 'direct' &&
    group.members.size + (awaited ? 1 : 0) === pair.length &&
    pair.every((userId) => group.members.has(userId) || awaited?.userId === userId)
  if (!isSame) {
    throw new ChatError('already_exists', undefined, { field: 'groupId' })
  }
  if (group.blockers.size > 0) throw noContact('members') // PRV-1
  const accepted =
    awaited?.userId === by.userId ? acceptAwaited(group, by, awaited, now) : accept(group, by.userId)
  return [...accepted, answerCommitted(by, 'group', { group: toGroup(group) })]
}
