/**
 * Sessions: how a connection begins, and how it comes to hear the user's groups.
 *
 * `connected` tells where each group stands; then every group's actor is told to attach the
 * session from there. The group sends what came in between and subscribes the session in one
 * step, so that it hears everything after `lastSeq`, once, whatever happens meanwhile.
 */
import { limits } from '../../../protocol/limits.ts'
import type { Limits } from '../../../protocol/records.ts'
import { type Effect, type Effects, read, send, tellGroup } from '../effects.ts'
import type { UserMail } from '../mail.ts'
import { announceBlocks } from './blocks.ts'
import { renamed, setProfile } from './profile.ts'
import { endResume } from './resume.ts'
import { announce, cameOnline, chosenStatus, setLarge, wentOffline } from './status.ts'
import type { UserState } from './user-state.ts'

/** What every `connected` says of the server. */
export interface Greeting {
  readonly serverVersion: string
  readonly limits: Limits
}

type Mail<T extends UserMail['type']> = Extract<UserMail, { type: T }>

export function open(user: UserState, mail: Mail<'open'>, greeting: Greeting, now: number): Effects {
  const { session, sessionId } = mail
  user.sessions.set(session, { phase: 'opening', sessionId })
  const { userId } = user
  const effects: Effect[] = [...setProfile(user, mail, now, session)]
  if (user.blocked.size > 0) effects.push(announceBlocks(user))
  effects.push(...cameOnline(user, now))
  effects.push(
    read({ read: 'summaries', userId, limit: limits.connectedGroups }, { session }, (stored, later) => {
      if (stored.large.length + user.largeGroups.size > 0) user.largeGroups = new Set(stored.large)
      if (!user.sessions.has(session)) return []
      const listed = stored.groups.filter(({ group }) => user.groups.has(group.groupId))
      const lastSeqs = new Map<string, number>(stored.others)
      for (const { group, lastSeq } of listed) lastSeqs.set(group.groupId, lastSeq)
      const baselines = new Map<string, number>()
      user.sessions.set(session, { phase: 'connected', baselines, resume: null })
      const attaching: Effect[] = []
      for (const [groupId, joinedSeq] of user.groups) {
        // A group joined a moment ago may not be committed: from the event that made the member.
        const from = Math.max(lastSeqs.get(groupId) ?? 0, joinedSeq - 1)
        baselines.set(groupId, from)
        attaching.push(tellGroup(groupId, { type: 'attach', session, userId, joinedSeq, from }))
      }
      return [
        send(session, 'connected', {
          message: 'connected',
          userId,
          timestamp: later,
          sessionId,
          ...greeting,
          groups: listed,
          hasMore: user.groups.size > listed.length || undefined,
        }),
        ...chosenStatus(user, session, later),
        ...announce(user, later),
        ...attaching,
      ]
    }),
  )
  return effects
}

export function closed(user: UserState, { session }: Mail<'closed'>, now: number, graceMs: number): Effects {
  if (!user.sessions.delete(session)) return []
  if (user.sessions.size > 0) return endResume(user, session)
  user.resuming.length = 0
  return wentOffline(user, now, graceMs)
}

export function joined(user: UserState, mail: Mail<'joined'>): Effects {
  const { groupId, joinedSeq, large, approached, shown } = mail
  const known = user.groups.get(groupId) === joinedSeq
  user.groups.set(groupId, joinedSeq)
  if (large) setLarge(user, groupId, true)
  if (approached) user.approached.add(groupId)
  const effects: Effect[] = []
  // What the group read may be older than the newest token.
  const { name, picture } = renamed(user)
  if (shown && (shown.name !== name || shown.picture !== picture)) {
    effects.push(tellGroup(groupId, renamed(user)))
  }
  for (const [session, state] of user.sessions) {
    if (state.phase !== 'connected' || (known && state.baselines.has(groupId))) continue
    // Whoever left and came back while they connected was told of both: not again.
    const from = Math.max(joinedSeq - 1, state.baselines.get(groupId) ?? 0)
    state.baselines.set(groupId, from)
    effects.push(tellGroup(groupId, { type: 'attach', session, userId: user.userId, joinedSeq, from }))
  }
  return effects
}

export function left(user: UserState, { groupId }: Mail<'left'>): Effects {
  user.groups.delete(groupId)
  setLarge(user, groupId, false)
  return []
}
