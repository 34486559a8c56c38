/**
 * Contact: direct chats between users who share no group. // PRV-2
 *
 * With the policy `request`, the approached user is invited and is not a member until they accept.
 * Messages wait meanwhile, at most `limits.awaitedEvents`. With `open` they are a member at once, marked
 * as approached until they accept or send something. Until then, the other user receives none of their
 * presence, typing or receipts, and signals are refused in both directions. Every group counts as
 * shared, also a large or open one. A direct chat does not.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Caller } from '../caller.ts'
import { append, type Effects, tellMembers } from '../effects.ts'
import type { ContactPolicy } from '../group-rules.ts'
import { type GroupState, memberEntry } from './group-state.ts'
import { noContact } from './permissions.ts'

const nothing: Effects = []

/** Whether the caller may open a direct chat that does not exist. @throws ChatError `no_contact` */
export function requireContact(policy: ContactPolicy, { service }: Caller, areStrangers: boolean): void {
  if (policy === 'closed' && !service) throw noContact('members')
  if (policy === 'shared' && areStrangers) throw noContact('members')
}

/** Whether the member discloses nothing to the other user of a direct chat. */
export function isApproached(group: GroupState, userId: string): boolean {
  return group.info.kind === 'direct' && group.members.get(userId)?.approached === true
}

/** The member accepts the direct chat, explicitly or by sending something. */
export function accept(group: GroupState, userId: string): Effects {
  if (group.info.kind !== 'direct') return nothing
  const member = group.members.get(userId)
  if (!member?.approached) return nothing
  const accepted = { ...member, approached: undefined }
  group.members.set(userId, accepted)
  const { groupId } = group
  return [append(memberEntry(group, accepted)), tellMembers(groupId, [userId], { type: 'accepted', groupId })]
}

/** Signals need two users who take part. @throws ChatError `no_contact` */
export function requireAccepted(group: GroupState): void {
  if (group.info.kind !== 'direct') return
  const isAccepted =
    group.awaited === null && ![...group.members.keys()].some((id) => isApproached(group, id))
  if (!isAccepted) throw new ChatError('no_contact', 'the direct chat was not accepted yet')
}
