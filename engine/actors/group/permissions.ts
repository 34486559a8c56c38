/**
 * Permissions: the rules of a group in one table, for the handlers and for the docs
 * (`docs/PERMISSIONS.md`). A refusal names the rule that decided (GRP-1): by its code, and in
 * words in its message. A group request without a row here does not compile.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestsTo } from '../../../protocol/requests.ts'
import type { Role } from '../../stored/stored-group.ts'
import type { Caller } from '../caller.ts'
import type { GroupRules } from '../group-rules.ts'
import { noRoom } from '../no-room.ts'
import { noSuchGroup } from '../no-such-group.ts'
import type { GroupState, MemberState } from './group-state.ts'

export interface Permission {
  /** The lowest role that is allowed. `anyone` need not be a member. */
  readonly role: Role | 'anyone'
  /** Not in direct chats, whose two members always have the same role. */
  readonly groupsOnly?: true
  /** Also for users who left or were banned, about their own messages. */
  readonly authors?: true
  /** Not while the caller is muted. */
  readonly posts?: true
  /** Other conditions, for the docs. */
  readonly also?: string
}

// biome-ignore format: one row a line
export const permissions: { readonly [N in RequestsTo<'group'>]: Permission } = {
  send_message: { role: 'member', posts: true },
  edit_message: { role: 'member', posts: true, also: 'own messages only, within `EDIT_WINDOW_MS`' },
  delete_message: { role: 'member', authors: true, also: 'own messages, also after leaving; moderators and admins also messages of others, except of users with a higher role; in a direct chat own messages only' },
  recall_message: { role: 'member', authors: true, also: 'own messages only, also after leaving, at most five minutes old' },
  react: { role: 'member', posts: true },
  unreact: { role: 'member' },
  pin_message: { role: 'moderator' },
  unpin_message: { role: 'moderator' },
  get_history: { role: 'member' },
  get_pins: { role: 'member' },
  get_members: { role: 'member' },
  get_receipts: { role: 'member' },
  get_online_users: { role: 'member' },
  get_file: { role: 'member', also: 'before a message shows it, only who uploaded it' },
  message_delivered: { role: 'member' },
  message_read: { role: 'member' },
  mark_unread: { role: 'member' },
  typing_start: { role: 'member', posts: true },
  typing_stop: { role: 'member' },
  signal: { role: 'member', also: 'to the whole group while not muted' },
  mute_group: { role: 'member' },
  join_group: { role: 'anyone', also: 'an open group, or a private one or a direct chat to which one was invited; not while banned' },
  decline_invitation: { role: 'anyone' },
  leave_group: { role: 'member', groupsOnly: true },
  add_member: { role: 'moderator', groupsOnly: true, also: 'who left by themselves is invited instead' },
  invite_member: { role: 'moderator', groupsOnly: true },
  remove_member: { role: 'moderator', groupsOnly: true, also: 'never someone of a higher role' },
  ban_member: { role: 'moderator', groupsOnly: true, also: 'never someone of a higher role, nor oneself' },
  mute_member: { role: 'moderator', groupsOnly: true, also: 'never someone of a higher role' },
  update_group: { role: 'moderator', groupsOnly: true },
  set_role: { role: 'admin', groupsOnly: true, also: 'a group must have at least one admin' },
}

const rank = { member: 0, moderator: 1, admin: 2 } as const satisfies Record<Role, number>

/**
 * Whether a request may reach its handler. False if the caller must not find out whether the group exists:
 * a private group exists only for its members, and for invited users to accept or decline. For requests
 * of authors, this is decided when the message is found. // IDN-7
 */
export function isVisible(group: GroupState | null, userId: string, action: RequestsTo<'group'>): boolean {
  const { role, authors } = permissions[action] as Permission
  if (authors) return true
  if (!group) return false
  if (group.info.visibility === 'open' || group.members.has(userId)) return true
  return role === 'anyone' && group.invited.has(userId)
}

/** The refusal of contact between two users: the same for both, so that it does not show who blocked. PRV-1 */
export function noContact(field?: string): ChatError {
  return new ChatError('no_contact', undefined, { field })
}

/** Checks a user's number of groups. @throws ChatError `limit_reached` */
export function requireGroupRoom({ maxGroupsPerUser }: GroupRules, groupCount: number, field?: string): void {
  if (maxGroupsPerUser > 0 && groupCount >= maxGroupsPerUser) throw noRoom(maxGroupsPerUser, field)
}

/** The refusal of a user who is not a member. */
export function strangerRefusal({ info }: GroupState): ChatError {
  return info.visibility === 'open' ? new ChatError('not_a_member') : noSuchGroup()
}

/** The caller as a member. @throws ChatError `not_a_member`, `not_found` */
export function callerAsMember(group: GroupState, by: Caller): MemberState {
  const member = group.members.get(by.userId)
  if (!member) throw strangerRefusal(group)
  return member
}

/**
 * The caller, if the table permits the action at `now`.
 * @throws ChatError `not_a_member`, `not_found`, `direct_chat`, `role_needed`, `muted`, `no_contact`,
 *   `limit_reached`
 */
export function callerMay(
  group: GroupState,
  by: Caller,
  action: RequestsTo<'group'>,
  now: number,
): MemberState {
  const member = callerAsMember(group, by)
  requirePermission(group, member, action, now)
  return member
}

/**
 * The same for a caller who is known to be a member.
 * @throws ChatError `direct_chat`, `role_needed`, `muted`, `no_contact`, `limit_reached`
 */
export function requirePermission(
  group: GroupState,
  member: MemberState,
  action: RequestsTo<'group'>,
  now: number,
): void {
  const { groupsOnly, posts, role } = permissions[action]
  if (groupsOnly && group.info.kind === 'direct') throw new ChatError('direct_chat') // its members are permanent
  if (role !== 'anyone' && rank[member.role] < rank[role]) throw lowerRole(member, action, role)
  if (posts && member.mutedUntil > now) throw muted(member, now) // GRP-2
  if (posts && group.blockers.size > 0) throw noContact() // PRV-1
  if (group.awaited && (posts || action === 'pin_message')) requireRoom(group) // PRV-2
}

/** Limits what waits for a user who has not accepted a direct chat. @throws ChatError `limit_reached` */
function requireRoom({ recent, lastSeq }: GroupState): void {
  const { awaitedEvents } = limits
  if (recent.range(0, lastSeq, awaitedEvents).length < awaitedEvents) return
  throw new ChatError('limit_reached', `at most ${awaitedEvents} events wait until the chat is accepted`)
}

/** The member that a request names. @throws ChatError `not_found` */
export function memberNamed(group: GroupState, userId: string): MemberState {
  const member = group.members.get(userId)
  if (!member) throw new ChatError('not_found', 'not a member of the group', { field: 'userId' })
  return member
}

/** A member must not act against a member of a higher role. @throws ChatError `higher_role` */
export function refuseHigherRole(caller: MemberState, target: MemberState): void {
  if (rank[target.role] > rank[caller.role]) {
    throw new ChatError('higher_role', `a ${caller.role} may not act against a ${target.role}`)
  }
}

/** Only the sender may edit. @throws ChatError `not_yours` */
export function refuseOthers(by: Caller, { senderId }: Message): void {
  if (senderId !== by.userId) throw new ChatError('not_yours')
}

/** Only the sender may recall, as a member or not. @throws ChatError `not_a_member`, `not_found`, `not_yours` */
export function refuseRecall(group: GroupState, by: Caller, message: Message): void {
  if (message.senderId === by.userId) return
  callerAsMember(group, by)
  throw new ChatError('not_yours')
}

/**
 * A user may delete their own messages, as a member or not, and those of lower roles, except in a direct chat.
 * @throws ChatError `not_a_member`, `not_found`, `not_yours`, `role_needed`, `higher_role`
 */
export function refuseDeletion(group: GroupState, by: Caller, message: Message, now: number): void {
  if (message.senderId === by.userId) return
  const member = callerMay(group, by, 'delete_message', now)
  if (group.info.kind === 'direct') throw new ChatError('not_yours')
  if (rank[member.role] < rank.moderator) throw lowerRole(member, 'delete_message', 'moderator')
  const sender = group.members.get(message.senderId)
  if (sender) refuseHigherRole(member, sender)
}

function lowerRole({ role }: MemberState, action: string, needed: Role): ChatError {
  return new ChatError(
    'role_needed',
    `${action} requires the role ${needed} or higher; the caller’s is ${role}`,
  )
}

/** The refusal of a member who is muted at `now`. */
export function muted({ mutedUntil }: MemberState, now: number): ChatError {
  const isPermanent = mutedUntil === Number.MAX_SAFE_INTEGER
  return new ChatError('muted', isPermanent ? 'muted permanently' : `muted until ${mutedUntil}`, {
    retryAfterMs: isPermanent ? undefined : mutedUntil - now,
  })
}
