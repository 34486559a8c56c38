/**
 * Status: how a user is seen, over all devices (PRS-1).
 *
 * A user is present while one session is, and for a time of grace after the last one has gone, so
 * that a reconnect is not seen. Who is present is seen with the status they chose, which is kept;
 * `offline` there is invisible. Others hear of changes of what is seen and of nothing else: those
 * who share a group that is not large, nor a direct chat that they have not accepted (PRV-2), by one event, without the groups' actors. When an
 * invisible user comes and goes nothing is written either: `lastSeenAt` would tell.
 */
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Status } from '../../storage/log.ts'
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
  // Who hides was last seen when they did; who shows themselves is seen now.
  if (isPresent(user)) user.lastSeenAt = now
  return [
    kept(user),
    ...(isPresent(user) ? [tellShards(user, status)] : []),
    ...announce(user, now),
    sendUser(user.userId, 'contact_status_changed', statusFields(user, status, now), by.session),
    answerCommitted(by, 'ok', {}),
  ]
}

/** A session has begun: all shards know at once, others hear of it by `announce`. */
export function cameOnline(user: UserState, now: number): Effects {
  user.graceUntil = null
  if (user.chosen === 'offline') return []
  user.lastSeenAt = now
  const effects: Effect[] = [kept(user)]
  if (user.shown !== user.chosen) effects.push(tellShards(user, user.chosen))
  return effects
}

/** The last session has gone: others hear of it after the time of grace, `graceMs`. */
export function wentOffline(user: UserState, now: number, graceMs: number): Effects {
  if (user.chosen !== 'offline') user.lastSeenAt = now
  user.graceUntil = user.steadyNow + graceMs
  return [wakeUser(user.userId, 'offline', graceMs)]
}

/** The alarm `offline` rings, perhaps for a session that has gone before the last one. */
export function graceOver(user: UserState, now: number): Effects {
  if (user.graceUntil === null) return []
  const leftMs = user.graceUntil - user.steadyNow
  if (leftMs > 0) return [wakeUser(user.userId, 'offline', leftMs)]
  user.graceUntil = null
  if (user.chosen === 'offline') return []
  return [kept(user), tellShards(user, 'offline'), ...announce(user, now)]
}

/** The shard stops: those who are present were last seen now. */
export function stopping(user: UserState, now: number): Effects {
  if (user.chosen === 'offline' || !isPresent(user)) return []
  if (user.sessions.size > 0) user.lastSeenAt = now
  return [kept(user)]
}

/** Notifies others, each once (PRS-3), where what they see has changed since they were notified. */
export function announce(user: UserState, now: number): Effects {
  const status = isPresent(user) ? user.chosen : 'offline'
  if (status === user.shown) return []
  user.shown = status
  const fields = statusFields(user, status, now)
  return [
    publishToOthers(user.userId, user.blocked.keys(), groupsShownIn(user), 'contact_status_changed', fields),
  ]
}

/** The groups whose members get the user's presence. */
function groupsShownIn({ groups, largeGroups, approached }: UserState): readonly string[] {
  return [...groups.keys()].filter((id) => !largeGroups.has(id) && !approached.has(id))
}

/** One other user sees the user so from now on, where the two share a group; who was not seen stays so. PRV-1 */
export function showTo(user: UserState, otherId: string, status: Status, now: number): Effects {
  const { userId, shown } = user
  if (shown === 'offline') return []
  // Not when they were last seen: that is hidden, too.
  const fields = { userId, status, timestamp: now }
  return [publishTo(otherId, groupsShownIn(user), 'contact_status_changed', fields)]
}

/** The other one of a direct chat sees the user from now on. PRV-2 */
export function accepted(
  user: UserState,
  { groupId }: Extract<UserMail, { type: 'accepted' }>,
  now: number,
): Effects {
  const { userId, shown, blocked } = user
  if (!user.approached.has(groupId)) return []
  user.approached = new Set([...user.approached].filter((other) => other !== groupId))
  if (shown === 'offline') return []
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

/** A new session learns what status its user chose on another device. */
export function chosenStatus(user: UserState, session: number, now: number): Effects {
  if (user.chosen === 'online') return []
  return [send(session, 'contact_status_changed', statusFields(user, user.chosen, now))]
}

/** A group of the user has become large or is so no longer: it gets no presence, or does again. */
export function groupSize(
  user: UserState,
  { groupId, large }: Extract<UserMail, { type: 'group_size' }>,
): Effects {
  setLarge(user, groupId, large)
  return []
}

/** The group gets no presence of the user, or does again. */
export function setLarge(user: UserState, groupId: string, large: boolean): void {
  if (user.largeGroups.has(groupId) === large) return
  const others = [...user.largeGroups].filter((other) => other !== groupId)
  user.largeGroups = new Set(large ? [...others, groupId] : others)
}

function isPresent(user: UserState): boolean {
  return user.sessions.size > 0 || user.graceUntil !== null
}

function kept({ userId, chosen, lastSeenAt }: UserState): Effect {
  return append({ type: 'presence', userId, status: chosen, lastSeenAt })
}

function tellShards({ userId }: UserState, status: Status): Effect {
  return { type: 'presence', userId, status }
}

function statusFields({ userId, lastSeenAt }: UserState, status: Status, now: number) {
  return { userId, status, timestamp: now, lastSeenAt: status === 'offline' ? lastSeenAt : undefined }
}
