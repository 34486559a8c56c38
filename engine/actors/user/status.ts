/**
 * Status: how others see a user, over all devices (PRS-1).
 *
 * A user is present while they have a session, and for a grace period after the last one has
 * disconnected, so that a reconnect is not seen. A present user is seen with the status they chose,
 * which is stored; `offline` there means invisible. Others are notified only of changes that they can
 * see: users who share a group, except by a large group or a direct chat that the user has not accepted
 * (PRV-2). They receive one event, without the groups' actors. When an invisible user connects and
 * disconnects nothing is written either: `lastSeenAt` would reveal it.
 */
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Status } from '../../stored/stored-user.ts'
import type { Caller } from '../caller.ts'
import {
  answerCommitted,
  append,
  type Effect,
  type Effects,
  publishTo,
  publishToOthers,
  send,
  sendUser,
  wakeUser,
} from '../effects.ts'
import type { UserMail } from '../mail.ts'
import type { UserState } from './user-state.ts'

export function updateStatus(
  user: UserState,
  by: Caller,
  { status }: RequestFields<'update_status'>,
  now: number,
): Effects {
  if (user.chosen === status) return [answerCommitted(by, 'ok', {})]
  user.chosen = status
  // A user who becomes invisible was last seen at that time; one who becomes visible is seen now.
  if (isPresent(user)) user.lastSeenAt = now
  return [
    storeStatus(user),
    ...(isPresent(user) ? [tellShards(user, status)] : []),
    ...announce(user, now),
    sendUser(user.userId, 'contact_status_changed', statusFields(user, status, now), by.session),
    answerCommitted(by, 'ok', {}),
  ]
}

/** A session has begun: all shards are notified immediately, other users by `announce`. */
export function cameOnline(user: UserState, now: number): Effects {
  user.graceUntil = null
  if (user.chosen === 'offline') return []
  user.lastSeenAt = now
  const effects: Effect[] = [storeStatus(user)]
  if (user.shown !== user.chosen) effects.push(tellShards(user, user.chosen))
  return effects
}

/** The last session has disconnected: others are notified after the grace period, `graceMs`. */
export function wentOffline(user: UserState, now: number, graceMs: number): Effects {
  if (user.chosen !== 'offline') user.lastSeenAt = now
  user.graceUntil = user.steadyNow + graceMs
  return [wakeUser(user.userId, 'offline', graceMs)]
}

/** Handles the alarm `offline`, which may have been set for an earlier disconnect. */
export function graceOver(user: UserState, now: number): Effects {
  if (user.graceUntil === null) return []
  const leftMs = user.graceUntil - user.steadyNow
  if (leftMs > 0) return [wakeUser(user.userId, 'offline', leftMs)]
  user.graceUntil = null
  if (user.chosen === 'offline') return []
  // Also of a session that ended before it was announced: answers may have shown its user as present.
  user.shown = user.chosen
  return [storeStatus(user), tellShards(user, 'offline'), ...announce(user, now)]
}

/** The shard stops: users who are present were last seen now. */
export function stopping(user: UserState, now: number): Effects {
  if (user.chosen === 'offline' || !isPresent(user)) return []
  if (user.sessions.size > 0) user.lastSeenAt = now
  return [storeStatus(user)]
}

/** Notifies others, each once (PRS-3), if what they see has changed since the last notification. */
export function announce(user: UserState, now: number): Effects {
  const status = isPresent(user) ? user.chosen : 'offline'
  if (status === (user.shown ?? 'offline')) return []
  user.shown = status
  const fields = statusFields(user, status, now)
  return [
    publishToOthers(user.userId, user.blocked.keys(), groupsShownIn(user), 'contact_status_changed', fields),
  ]
}

/** The groups whose members receive the user's presence. */
function groupsShownIn({ groups, largeGroups, approached }: UserState): readonly string[] {
  return [...groups.keys()].filter((id) => !largeGroups.has(id) && !approached.has(id))
}

/** Changes how one other user sees the user, if the two share a group; a user who was not seen stays unseen. PRV-1 */
export function showTo(user: UserState, otherId: string, status: Status, now: number): Effects {
  if (user.shown === 'offline') return []
  return showSeenTo(user, otherId, status, now)
}

/** The same, also if the user was shown as offline since: that report may not have reached the other. */
export function showSeenTo(user: UserState, otherId: string, status: Status, now: number): Effects {
  const { userId, shown } = user
  if (shown === null) return []
  // Without the time when they were last seen: that is hidden, too.
  const fields = { userId, status, timestamp: now }
  return [publishTo(otherId, groupsShownIn(user), 'contact_status_changed', fields)]
}

/** From now on the other user of a direct chat sees the user. PRV-2 */
export function accepted(
  user: UserState,
  { groupId }: Extract<UserMail, { type: 'accepted' }>,
  now: number,
): Effects {
  const { userId, shown, blocked } = user
  if (!user.approached.has(groupId)) return []
  user.approached = new Set([...user.approached].filter((other) => other !== groupId))
  if (shown === null || shown === 'offline') return []
  return [
    publishToOthers(
      userId,
      blocked.keys(),
      [groupId],
      'contact_status_changed',
      statusFields(user, shown, now),
    ),
  ]
}

/** Sends a new session the status that its user chose on another device. */
export function chosenStatus(user: UserState, session: number, now: number): Effects {
  if (user.chosen === 'online') return []
  return [send(session, 'contact_status_changed', statusFields(user, user.chosen, now))]
}

/** A group of the user has become large or is no longer large: it stops or starts to receive presence. */
export function groupSize(
  user: UserState,
  { groupId, large }: Extract<UserMail, { type: 'group_size' }>,
): Effects {
  setLarge(user, groupId, large)
  return []
}

/** Stops or starts sending the user's presence to the group. */
export function setLarge(user: UserState, groupId: string, large: boolean): void {
  if (user.largeGroups.has(groupId) === large) return
  const others = [...user.largeGroups].filter((other) => other !== groupId)
  user.largeGroups = new Set(large ? [...others, groupId] : others)
}

function isPresent(user: UserState): boolean {
  return user.sessions.size > 0 || user.graceUntil !== null
}

function storeStatus({ userId, chosen, lastSeenAt }: UserState): Effect {
  return append({ type: 'presence', userId, status: chosen, lastSeenAt })
}

function tellShards({ userId }: UserState, status: Status): Effect {
  return { type: 'presence', userId, status }
}

function statusFields({ userId, lastSeenAt }: UserState, status: Status, now: number) {
  return { userId, status, timestamp: now, lastSeenAt: status === 'offline' ? lastSeenAt : undefined }
}
