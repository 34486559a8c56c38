/**
 * Sessions: how a connection begins, and how it starts to receive the user's groups.
 *
 * `connected` reports the position of each group. Then every group attaches the session from that
 * position, by one mail for each shard (INP-2). The group sends the events since then and subscribes the
 * session in one step. So the session receives everything after `lastSeq` once, whatever happens meanwhile.
 */
import { limits } from '../../../protocol/limits.ts'
import { SmallMap } from '../../base/small-map.ts'
import type { Standing, Summaries } from '../../stored/stored-user.ts'
import { type Effect, type Effects, read, send, tellGroup } from '../effects.ts'
import type { Greeting } from '../greeting.ts'
import type { EarlierSession, UserMail } from '../mail.ts'
import { announceBlocks } from './blocks.ts'
import { renamed, setProfile } from './profile.ts'
import { endResume } from './resume.ts'
import { announceRoom } from './room.ts'
import { announce, cameOnline, chosenStatus, setLarge, wentOffline } from './status.ts'
import type { UserState } from './user-state.ts'

/** Positions of a user's groups, from a read that began at `readAtMs` of the steady clock. */
export interface LoadedSummaries {
  readonly summaries: Summaries
  readonly readAtMs: number
}

/** For a user who is in no group. */
export const noSummaries: Summaries = { groups: [], keys: [], standings: [], large: [] }

type Mail<T extends UserMail['type']> = Extract<UserMail, { type: T }>

/** A session begins. `loaded` was read for it together with the user. */
export function open(
  user: UserState,
  mail: Mail<'open'>,
  greeting: Greeting,
  now: number,
  loaded?: LoadedSummaries,
): Effects {
  const { session, sessionId } = mail
  user.sessions.set(session, { phase: 'opening', sessionId })
  const { userId, steadyNow } = user
  const effects: Effect[] = [...setProfile(user, mail, now, session)]
  if (user.blocked.size > 0 || user.isBlocked) effects.push(announceBlocks(user))
  effects.push(...announceRoom(user, true), ...cameOnline(user, now))
  if (mail.earlier) return [...effects, ...reopened(user, session, mail.earlier, now)]
  if (loaded) return [...effects, ...connected(user, mail, greeting, loaded, now)]
  effects.push(
    read({ read: 'summaries', userId, limit: limits.connectedGroups }, { session }, (summaries, later) =>
      connected(user, mail, greeting, { summaries, readAtMs: steadyNow }, later),
    ),
  )
  return effects
}

function connected(
  user: UserState,
  { session, sessionId }: Mail<'open'>,
  greeting: Greeting,
  { summaries, readAtMs }: LoadedSummaries,
  now: number,
): Effects {
  const { groups, standings, large } = summaries
  if (large.length + user.largeGroups.size > 0) user.largeGroups = new Set(large)
  if (!user.sessions.has(session)) return []
  const { userId } = user
  const baselines = new SmallMap<string, number>()
  user.sessions.set(session, { phase: 'connected', baselines, resume: null })
  const settled = standings.filter(([groupId, joinedSeq]) => user.groups.get(groupId) === joinedSeq)
  for (const [groupId, , lastSeq] of settled) baselines.set(groupId, lastSeq)
  // Not those that the user has left since; of those joined again since the join is sent.
  const outdated = standings.filter(([groupId, joinedSeq]) => joinedSeq < (user.groups.get(groupId) ?? 0))
  const rejoined = new Set(outdated.map(([groupId]) => groupId))
  const listed = groups.filter(({ group: { groupId } }) => user.groups.has(groupId) && !rejoined.has(groupId))
  return [
    // A front must know where the groups begin when its link breaks right after `connected` (RES-1).
    { type: 'attach', mail: { session, userId, readAtMs, groups: settled } },
    send(session, 'connected', {
      message: 'connected',
      userId,
      timestamp: now,
      sessionId,
      ...greeting,
      groups: listed,
      hasMore: user.groups.size > listed.length || undefined,
    }),
    ...chosenStatus(user, session, now),
    ...announce(user, now),
    ...attachOthers(user, session, baselines, standings),
  ]
}

/**
 * Continues a session of a front whose link was interrupted (RES-1). Its topics continue by themselves
 * (`continued-topics.ts`); it is attached to the groups whose topics it is not subscribed to, from what it
 * has received of them, and leaves those that its user has left. Others have not seen its user go offline,
 * unless it was away too long.
 */
function reopened(user: UserState, session: number, earlier: EarlierSession, now: number): Effects {
  const { userId } = user
  const subscribed = new Map(earlier.subscribed)
  const given = new Map(earlier.baselines)
  const missed = new Map(earlier.missed)
  const baselines = new SmallMap<string, number>()
  user.sessions.set(session, { phase: 'connected', baselines, resume: null })
  // Of a connection that is closed by now nothing is named, and others may have seen that.
  const isOpen = subscribed.size + given.size + missed.size > 0
  if (user.chosen !== 'offline' && isOpen && !earlier.wasGivenUp) user.shown ??= user.chosen
  const effects: Effect[] = [...announce(user, now)]
  for (const [groupId, joinedSeq] of user.groups) {
    const position = subscribed.get(groupId)
    // It may be subscribed before the event by which its user joined is shown.
    const isAttached = position !== undefined && position >= joinedSeq - 1
    const begin = Math.max(joinedSeq - 1, given.get(groupId) ?? 0)
    baselines.set(groupId, given.get(groupId) ?? (isAttached ? position : begin))
    if (isAttached) continue
    const from = Math.max(begin, missed.get(groupId) ?? 0)
    effects.push(tellGroup(groupId, { type: 'attach', session, userId, joinedSeq, from }))
  }
  for (const groupId of subscribed.keys()) {
    if (!user.groups.has(groupId)) effects.push(tellGroup(groupId, { type: 'check_member', userId }))
  }
  for (const groupId of new Set([...given.keys(), ...missed.keys()])) {
    const from = Math.max(given.get(groupId) ?? 0, missed.get(groupId) ?? 0)
    if (subscribed.has(groupId) || (user.groups.get(groupId) ?? Number.POSITIVE_INFINITY) <= from) continue
    // It began to receive the group, and its user may have left meanwhile.
    effects.unshift(tellGroup(groupId, { type: 'attach', session, userId, joinedSeq: from, from }))
  }
  return [...effects, { type: 'reopened', session }]
}

/** Attaches a session to the groups without a baseline: storage does not know the membership yet. */
function attachOthers(
  user: UserState,
  session: number,
  baselines: SmallMap<string, number>,
  standings: readonly Standing[],
): Effects {
  if (baselines.size === user.groups.size) return []
  const lastSeqs = new Map<string, number>()
  for (const [groupId, , lastSeq] of standings) lastSeqs.set(groupId, lastSeq)
  const effects: Effect[] = []
  for (const [groupId, joinedSeq] of user.groups) {
    if (baselines.has(groupId)) continue
    // A recent join may not be committed: start from the event that made the user a member.
    const from = Math.max(lastSeqs.get(groupId) ?? 0, joinedSeq - 1)
    baselines.set(groupId, from)
    effects.push(tellGroup(groupId, { type: 'attach', session, userId: user.userId, joinedSeq, from }))
  }
  return effects
}

export function closed(user: UserState, { session }: Mail<'closed'>, now: number, graceMs: number): Effects {
  if (!user.sessions.delete(session)) return []
  if (user.sessions.size > 0) return endResume(user, session)
  user.resuming = []
  return wentOffline(user, now, graceMs)
}

export function joined(user: UserState, mail: Mail<'joined'>): Effects {
  const { groupId, joinedSeq, large, approached, shown } = mail
  const known = user.groups.get(groupId) === joinedSeq
  user.groups.set(groupId, joinedSeq)
  user.making?.delete(groupId)
  if (large) setLarge(user, groupId, true)
  if (approached) user.approached = new Set([...user.approached, groupId])
  const effects: Effect[] = [...announceRoom(user)]
  // The group may have read an older name than that of the newest token.
  const { name, picture } = renamed(user)
  if (shown && (shown.name !== name || shown.picture !== picture)) {
    effects.push(tellGroup(groupId, renamed(user)))
  }
  for (const [session, state] of user.sessions) {
    if (state.phase !== 'connected' || (known && state.baselines.has(groupId))) continue
    // A user who left and rejoined while they connected was notified of both: not again.
    const from = Math.max(joinedSeq - 1, state.baselines.get(groupId) ?? 0)
    // After a leave in between the session has received the earlier membership live, too.
    if (!state.baselines.has(groupId)) state.baselines.set(groupId, from)
    effects.push(tellGroup(groupId, { type: 'attach', session, userId: user.userId, joinedSeq, from }))
  }
  return effects
}

export function left(user: UserState, { groupId, seq }: Mail<'left'>): Effects {
  // The user has joined again, and was loaded with that.
  if ((user.groups.get(groupId) ?? 0) > seq) return []
  user.groups.delete(groupId)
  setLarge(user, groupId, false)
  return announceRoom(user)
}
