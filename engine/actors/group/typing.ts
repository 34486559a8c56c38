/**
 * Typing: the members who are typing (TYP-1). Never stored, and not in large groups.
 *
 * `typing_start` is shown once; later ones only extend it. It ends by `typing_stop`, by the message, when
 * the member leaves or has no session any more, or 6 s after the last `typing_start`. One alarm per group
 * ends it; a member who is still typing then has time left.
 */
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effect, type Effects, publish, publishTo, wakeGroup, withPresence } from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import { isApproached } from './contact.ts'
import type { GroupState } from './group-state.ts'
import { isLarge } from './large.ts'
import { nameOf } from './names.ts'
import { callerAsMember, callerMay } from './permissions.ts'

/** TYP-1: typing ends after this time. */
const TYPING_MS = 6_000

export function typingStart(
  group: GroupState,
  by: Caller,
  _: RequestFields<'typing_start'>,
  now: number,
): Effects {
  callerMay(group, by, 'typing_start', now)
  if (isLarge(group) || isApproached(group, by.userId)) return [answer(by, 'ok', {})] // PRV-2
  return [
    // PRS-4
    withPresence((presenceOf) =>
      presenceOf(by.userId).status === 'offline' ? [answer(by, 'ok', {})] : show(group, by),
    ),
  ]
}

function show(group: GroupState, by: Caller): Effects {
  const { groupId } = group
  const { userId } = by
  const known = group.typing.has(userId)
  group.typing.set(userId, group.steadyNow + TYPING_MS)
  if (known) return [answer(by, 'ok', {})]
  return [
    publish(userId, [groupId], 'user_typing', { userId, userName: nameOf(group, by), groupId }, by.session),
    { type: 'watch', groupId, userId, on: true },
    wakeGroup(groupId, 'typing', TYPING_MS),
    answer(by, 'ok', {}),
  ]
}

export function typingStop(group: GroupState, by: Caller): Effects {
  callerAsMember(group, by)
  return [...typingEnded(group, by.userId, by.session), answer(by, 'ok', {})]
}

/** The user no longer types. The session `exceptSession` is not notified. */
export function typingEnded(group: GroupState, userId: string, exceptSession?: number): Effects {
  if (!group.typing.delete(userId)) return []
  const { groupId } = group
  return [
    publish(userId, [groupId], 'user_stopped_typing', { userId, groupId }, exceptSession),
    { type: 'watch', groupId, userId, on: false },
  ]
}

/** The user must not see the typing of the other any more. PRV-1 */
export function hideTyping(
  { groupId, typing }: GroupState,
  { typist: userId, from }: Extract<GroupMail, { type: 'hide_typing' }>,
): Effects {
  return typing.has(userId) ? [publishTo(from, [groupId], 'user_stopped_typing', { userId, groupId })] : []
}

/** Ends the typing whose time is over. The alarm calls it. */
export function typingDue(group: GroupState): Effects {
  const effects: Effect[] = []
  let next = Number.POSITIVE_INFINITY
  for (const [userId, until] of group.typing) {
    if (until <= group.steadyNow) effects.push(...typingEnded(group, userId))
    else next = Math.min(next, until)
  }
  if (next < Number.POSITIVE_INFINITY) {
    effects.push(wakeGroup(group.groupId, 'typing', next - group.steadyNow))
  }
  return effects
}
