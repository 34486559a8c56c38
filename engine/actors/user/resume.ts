/**
 * Resume: after a reconnect, exactly the missed durable events of each group (CUP-1).
 *
 * Each group replays from the client's `lastSeq` up to the session's baseline; above it the session
 * receives the group live. A few groups replay at a time; when all have finished, `resumed` is sent.
 * A user's sessions are served one after the other, and a piece is sent once the previous one has drained.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { overloaded } from '../../base/refusals.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effect, type Effects, tellGroup } from '../effects.ts'
import type { UserMail } from '../mail.ts'
import type { Resume, SessionState, UserState } from './user-state.ts'

/** Groups that replay at the same time for one session. */
const AT_ONCE = 8

export function resume(user: UserState, by: Caller, { groups }: RequestFields<'resume'>): Effects {
  const session = user.sessions.get(by.session)
  if (session?.phase !== 'connected')
    throw new ChatError('bad_request', 'resume takes a connection of its own')
  if (session.resume) {
    throw overloaded('one resume at a time')
  }
  const waiting = new Map(groups.filter(([groupId]) => baselineOf(user, session, groupId) !== undefined))
  session.resume = { caller: by, waiting: [...waiting].reverse(), active: 0, done: [] }
  user.resuming = [...user.resuming, by.session]
  return user.resuming[0] === by.session ? proceed(user, by.session, session.resume) : []
}

/** The session is closed: its turn, or its place in the queue, passes to the others. */
export function endResume(user: UserState, session: number): Effects {
  const place = user.resuming.indexOf(session)
  if (place < 0) return []
  user.resuming = user.resuming.toSpliced(place, 1)
  return place === 0 ? resumeNext(user) : []
}

function resumeNext(user: UserState): Effects {
  const [session] = user.resuming
  const state = session === undefined ? undefined : user.sessions.get(session)
  if (session === undefined || state?.phase !== 'connected' || !state.resume) return []
  return proceed(user, session, state.resume)
}

export function replayed(user: UserState, mail: Extract<UserMail, { type: 'replayed' }>): Effects {
  const session = user.sessions.get(mail.session)
  if (session?.phase !== 'connected' || !session.resume) return []
  const { resume } = session
  resume.active -= 1
  if (mail.complete !== null) resume.done.push([mail.groupId, mail.lastSeq, mail.complete])
  return proceed(user, mail.session, resume)
}

function proceed(user: UserState, session: number, resume: Resume): Effects {
  const state = user.sessions.get(session)
  if (state?.phase !== 'connected') return []
  const effects: Effect[] = []
  while (resume.active < AT_ONCE) {
    const next = resume.waiting.pop()
    if (!next) break
    const [groupId, lastSeq] = next
    const to = baselineOf(user, state, groupId)
    if (to === undefined) continue
    // CUP-2: a client without events of the group begins with the user's join.
    const from = lastSeq === 0 ? Math.min(to, (user.groups.get(groupId) ?? 1) - 1) : lastSeq
    resume.active += 1
    const { userId } = user
    effects.push(tellGroup(groupId, { type: 'replay', session, userId, from, to, counted: false }))
  }
  if (resume.active === 0) {
    state.resume = null
    user.resuming = user.resuming.slice(1)
    effects.push(answer(resume.caller, 'resumed', { groups: resume.done }), ...resumeNext(user))
  }
  return effects
}

/** The seq above which the session receives the group live; undefined if the user is not in it. */
function baselineOf(
  user: UserState,
  { baselines }: Extract<SessionState, { phase: 'connected' }>,
  groupId: string,
): number | undefined {
  return user.groups.has(groupId) ? baselines.get(groupId) : undefined
}
