/**
 * Entering: users become members of a group, by themselves or added by a member.
 *
 * It is a durable event. The user's own actor is notified too: it attaches the user's sessions, which then
 * receive the group from the event that made the user a member.
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
import { noRoom } from '../no-room.ts'
import { accept } from './contact.ts'
import { forgetFormer } from './former-members.ts'
import { type GroupState, type MemberState, memberEntry, nextSeq } from './group-state.ts'
import { dropInvitation, invite, liftBan, requireInvitable } from './invitations.ts'
import { isLarge, sizeChanged } from './large.ts'
import { callerMay, noContact, requireGroupRoom, strangerRefusal } from './permissions.ts'

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
export function acceptAwaited(group: GroupState, by: Caller, awaited: Person, now: number): Effects {
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

/** A member who joins with the event `joinedSeq`. */
export function newMember(
  userId: string,
  { name, picture }: Profile = { name: '', picture: '' },
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
