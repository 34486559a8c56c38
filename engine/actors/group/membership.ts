/**
 * Membership: creates groups, and lets members join and leave.
 *
 * Every change is a durable event. The user's own actor is notified too: it attaches the user's sessions,
 * which then receive the group from the event that made the user a member.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Role } from '../../stored/stored-group.ts'
import type { Person, Profile } from '../../stored/stored-user.ts'
import type { Caller } from '../caller.ts'
import {
  answerCommitted,
  append,
  type Effect,
  type Effects,
  read,
  record,
  tellMembers,
  withPresence,
} from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import { noRoom } from '../no-room.ts'
import { accept, isApproached } from './contact.ts'
import { forgetFormer, rememberFormer } from './former-members.ts'
import { type GroupState, type MemberState, memberEntry, nextSeq, toGroup } from './group-state.ts'
import { dropInvitation, invite, liftBan, requireInvitable } from './invitations.ts'
import { isLarge, sizeChanged } from './large.ts'
import { receiptsOfFormer } from './member-receipts.ts'
import {
  callerMay,
  memberNamed,
  noContact,
  refuseHigherRole,
  requireGroupRoom,
  strangerRefusal,
} from './permissions.ts'
import { typingEnded } from './typing.ts'

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
  const [creator = unknown, ...others] = profiles
  add(by.userId, { ...creator, name: by.name || creator.name }, 'admin')
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

export function joinGroup(
  group: GroupState,
  by: Caller,
  _: RequestFields<'join_group'>,
  now: number,
): Effects {
  if (!mayEnter(group, by)) return [...accept(group, by.userId), answerCommitted(by, 'ok', {})]
  const { maxGroupsPerUser } = group.rules
  if (maxGroupsPerUser === 0) return by.name ? enter(group, by, by.name, now) : [enterAsStored(group, by)]
  return [
    withPresence((presenceOf) => {
      const { connected, isFull } = presenceOf(by.userId)
      if (connected && isFull) throw noRoom(maxGroupsPerUser)
      return connected && by.name ? enter(group, by, by.name, now) : [enterAsStored(group, by)]
    }),
  ]
}

/** Whether the user may enter; false if they are a member already. @throws ChatError */
function mayEnter(group: GroupState, by: Caller): boolean {
  if (group.members.has(by.userId)) return false
  const { visibility } = group.info
  if (visibility === 'open' && group.banned.has(by.userId)) throw new ChatError('banned')
  if (visibility !== 'open' && !group.invited.has(by.userId)) throw strangerRefusal(group)
  if (group.awaited && group.blockers.size > 0) throw noContact() // PRV-1
  return true
}

/**
 * Lets the user enter with values from storage: the name, if their token has none (IDN-2), and the number
 * of groups, if they are not connected.
 */
function enterAsStored(group: GroupState, by: Caller): Effect {
  const { userId } = by
  return read({ read: 'newcomers', userId, userIds: [userId] }, by, ({ profiles, groupCounts }, now) => {
    if (!mayEnter(group, by)) return [answerCommitted(by, 'ok', {})]
    requireGroupRoom(group.rules, groupCounts[0] ?? 0)
    return enter(group, by, by.name || (profiles[0]?.name ?? userId), now)
  })
}

function enter(group: GroupState, by: Caller, name: string, now: number): Effects {
  if (group.awaited) {
    return [...acceptAwaited(group, by, group.awaited, now), answerCommitted(by, 'ok', {})]
  }
  // A user who joins a group without members becomes its admin.
  const role = group.members.size === 0 ? 'admin' : 'member'
  // The user's actor sends the picture.
  const profile = { name, picture: '' }
  return [...join(group, by.userId, profile, role, undefined, now), answerCommitted(by, 'ok', {})]
}

/**
 * The awaited user becomes a member from the beginning of the chat: the messages that waited are unread,
 * and are sent to the user's sessions. PRV-2
 */
function acceptAwaited(group: GroupState, by: Caller, awaited: Person, now: number): Effects {
  const [creator] = group.members.values()
  const effects = join(
    group,
    by.userId,
    { ...awaited, name: by.name || awaited.name },
    'admin',
    undefined,
    now,
    creator?.joinedSeq,
  )
  group.awaited = null
  return effects
}

export function leaveGroup(
  group: GroupState,
  by: Caller,
  _: RequestFields<'leave_group'>,
  now: number,
): Effects {
  const member = callerMay(group, by, 'leave_group', now)
  return [
    ...leave(group, member, 'left', now),
    ...handRoleOn(group, member, now),
    answerCommitted(by, 'ok', {}),
  ]
}

export function addMember(
  group: GroupState,
  by: Caller,
  { userId }: RequestFields<'add_member'>,
  asked: number,
): Effects {
  callerMay(group, by, 'add_member', asked)
  return [
    read({ read: 'newcomers', userId: by.userId, userIds: [userId] }, by, (found, now) => {
      const { profiles, barred, groupCounts, invitationCounts } = found
      callerMay(group, by, 'add_member', now)
      if (group.members.has(userId)) return [answerCommitted(by, 'ok', {})]
      if (barred.length > 0) throw noContact('userId') // PRV-1
      const [profile] = profiles
      // GRP-3
      if (group.former.get(userId)?.byChoice) {
        requireInvitable(group, userId, invitationCounts[0] ?? 0)
        return [...invite(group, by, userId, now), answerCommitted(by, 'ok', {})]
      }
      requireGroupRoom(group.rules, groupCounts[0] ?? 0, 'userId')
      return [...join(group, userId, profile, 'member', by.userId, now), answerCommitted(by, 'ok', {})]
    }),
  ]
}

export function removeMember(
  group: GroupState,
  by: Caller,
  { userId }: RequestFields<'remove_member'>,
  now: number,
): Effects {
  const caller = callerMay(group, by, 'remove_member', now)
  if (group.invited.has(userId)) return [...dropInvitation(group, userId), answerCommitted(by, 'ok', {})]
  const member = memberNamed(group, userId)
  refuseHigherRole(caller, member)
  return [
    ...leave(group, member, { by: by.userId }, now),
    ...handRoleOn(group, member, now),
    answerCommitted(by, 'ok', {}),
  ]
}

/** A banned user is removed, and rejoins only after another invitation. */
export function banMember(
  group: GroupState,
  by: Caller,
  { userId }: RequestFields<'ban_member'>,
  now: number,
): Effects {
  const caller = callerMay(group, by, 'ban_member', now)
  if (group.banned.has(userId)) return [answerCommitted(by, 'ok', {})]
  const member = group.members.get(userId)
  if (member) refuseHigherRole(caller, member)
  if (userId === by.userId) throw new ChatError('bad_request', 'nobody bans themselves', { field: 'userId' })
  if (group.banned.size >= limits.membersPerGroup) throw new ChatError('limit_reached')
  group.banned.add(userId)
  return [
    append({ type: 'ban', groupId: group.groupId, userId }),
    ...dropInvitation(group, userId),
    ...(member ? leave(group, member, { by: by.userId, banned: true }, now) : []),
    ...(member ? handRoleOn(group, member, now) : []),
    answerCommitted(by, 'ok', {}),
  ]
}

function join(
  group: GroupState,
  userId: string,
  profile: Profile | undefined,
  role: Role,
  by: string | undefined,
  now: number,
  /** The number from which they are a member, if it is not that of the event. */
  since?: number,
): Effects {
  if (group.members.size >= limits.membersPerGroup) throw new ChatError('group_full')
  const seq = nextSeq(group)
  // GRP-2
  const mutedUntil = group.former.get(userId)?.mutedUntil ?? 0
  const member: MemberState = { ...newMember(userId, profile, role, since ?? seq, now), mutedUntil }
  group.members.set(userId, member)
  return [
    ...forgetFormer(group, userId),
    ...liftBan(group, userId),
    ...dropInvitation(group, userId),
    append(memberEntry(group, member)),
    record(seq, now, 'user_joined_group', { userId, userName: member.name, groupId: group.groupId, seq, by }),
    tellJoined(group, member),
    ...sizeChanged(group, group.members.size - 1),
  ]
}

function leave(
  group: GroupState,
  member: MemberState,
  how: 'left' | { readonly by: string; readonly banned?: true },
  now: number,
): Effects {
  const { userId, name } = member
  const seq = nextSeq(group)
  group.members.delete(userId)
  receiptsOfFormer(group, userId)
  return [
    ...rememberFormer(group, member, how === 'left', seq, now),
    append({ type: 'member_left', groupId: group.groupId, userId }),
    record(seq, now, 'user_left_group', {
      userId,
      userName: name,
      groupId: group.groupId,
      seq,
      ...(how === 'left' ? {} : how),
    }),
    { type: 'unsubscribe', userId, groupId: group.groupId },
    tellMembers(group.groupId, [userId], { type: 'left', groupId: group.groupId }),
    ...typingEnded(group, userId),
    ...sizeChanged(group, group.members.size + 1),
  ]
}

/** When the last admin leaves, the role passes to the oldest moderator, or else the oldest member. */
function handRoleOn(group: GroupState, former: MemberState, now: number): Effects {
  // Members who joined with the same event are ordered by id, so that the result is always the same.
  const members = [...group.members.values()].sort(
    (a, b) => a.joinedSeq - b.joinedSeq || (a.userId < b.userId ? -1 : 1),
  )
  if (former.role !== 'admin' || members.some((member) => member.role === 'admin')) return []
  const heir = members.find((member) => member.role === 'moderator') ?? members[0]
  if (!heir) return []
  const seq = nextSeq(group)
  const member: MemberState = { ...heir, role: 'admin' }
  group.members.set(member.userId, member)
  return [
    append(memberEntry(group, member)),
    record(seq, now, 'role_changed', {
      userId: member.userId,
      role: member.role,
      groupId: group.groupId,
      seq,
      by: former.userId,
      at: now,
    }),
  ]
}

const unknown: Profile = { name: '', picture: '' }

function newMember(
  userId: string,
  { name, picture }: Profile = unknown,
  role: Role,
  joinedSeq: number,
  joinedAt: number,
): MemberState {
  return { userId, name: name || userId, picture, role, joinedSeq, joinedAt, mutedUntil: 0, quietUntil: 0 }
}

/** The user's own actor attaches the user's sessions, and reports a newer name. */
function tellJoined(group: GroupState, member: MemberState): Effect {
  const { groupId } = group
  const large = isLarge(group)
  const { userId, joinedSeq, name, picture } = member
  return tellMembers(groupId, [userId], {
    type: 'joined',
    groupId,
    joinedSeq,
    large,
    shown: { name, picture },
  })
}
