import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import { closed, joined, left, open } from '../../../engine/actors/user/sessions.ts'
import type { UserState } from '../../../engine/actors/user/user-state.ts'
import type { Standing, Summaries } from '../../../engine/stored/stored-user.ts'
import type { GroupSummary } from '../../../protocol/records.ts'
import { brief, given, only } from '../../support/groups.ts'
import { aUser, connected } from '../../support/users.ts'

const greeting = {
  serverVersion: '1',
  limits: { maxMessageBytes: 1, maxContentBytes: 2, rateLimit: 3, resumeEvents: 4 },
}
const hello = { type: 'open', session: 3, sessionId: 's3', name: 'Ana', picture: '' } as const

function summary(groupId: string, lastSeq: number): GroupSummary {
  const group = {
    groupId,
    kind: 'group',
    visibility: 'private',
    createdBy: 'ana',
    createdAt: 0,
    memberCount: 1,
    lastSeq,
    name: undefined,
    topic: undefined,
    avatarUrl: undefined,
    members: undefined,
  } as const
  return { group, lastSeq, unread: 0, mentions: 0 }
}

const summaries = (groups: readonly GroupSummary[], ...standings: Standing[]): Summaries => ({
  groups,
  keys: [],
  standings,
  large: [],
})

/** The groups that a session is attached to, and from which number. */
function attached(effects: Effects) {
  return effects.flatMap((effect) => {
    if (effect.type === 'attach') {
      const { session, groups } = effect.mail
      return groups.map(([groupId, joinedSeq, from]) => [groupId, session, joinedSeq, from])
    }
    return effect.type === 'tell_group' && effect.mail.type === 'attach'
      ? [[effect.groupId, effect.mail.session, effect.mail.joinedSeq, effect.mail.from]]
      : []
  })
}

const baselines = (user: UserState, session: number) => {
  const state = user.sessions.get(session)
  return state?.phase === 'connected' ? Object.fromEntries(state.baselines) : state?.phase
}

describe('open', () => {
  // RES-1: a front whose link breaks right after `connected` knows where the groups begin.
  it('requests that the session is attached, then sends `connected`', () => {
    const user = aUser({ g: 1, h: 5 })
    const effects = open(user, hello, greeting, 70)
    expect(baselines(user, 3)).toBe('opening')
    expect(only(effects, 'read').query).toMatchObject({ read: 'summaries', userId: 'ana', limit: 200 })
    const opened = given(effects, summaries([summary('g', 9)], ['g', 1, 9, 0], ['h', 5, 7, 0]), 77)
    expect(brief(opened)).toEqual(['attach', 'send', 'publish'])
    expect(only(opened, 'send')).toMatchObject({
      session: 3,
      event: {
        name: 'connected',
        fields: { userId: 'ana', timestamp: 77, sessionId: 's3', ...greeting, groups: [summary('g', 9)] },
      },
    })
    expect(attached(opened)).toEqual([
      ['g', 3, 1, 9],
      ['h', 3, 5, 7],
    ])
    expect(baselines(user, 3)).toEqual({ g: 9, h: 7 })
  })

  it('answers from the data that was read with the user', () => {
    const user = aUser({ g: 1 })
    user.steadyNow = 500
    const loaded = { summaries: summaries([summary('g', 9)], ['g', 1, 9, 0]), readAtMs: 400 }
    const effects = open(user, hello, greeting, 70, loaded)
    expect(brief(effects)).toEqual(['append presence', 'presence', 'attach', 'send', 'publish'])
    expect(only(effects, 'attach').mail).toMatchObject({ session: 3, userId: 'ana', readAtMs: 400 })
  })

  it('passes the time at which it began to read the state of the groups', () => {
    const user = aUser({ g: 1 })
    user.steadyNow = 500
    const effects = open(user, hello, greeting, 70)
    user.steadyNow = 900
    const opened = given(effects, summaries([summary('g', 9)], ['g', 1, 9, 0]))
    expect(only(opened, 'attach').mail).toMatchObject({ readAtMs: 500 })
  })

  it('stores a name or picture only if it is new', () => {
    const user = aUser()
    expect(brief(open(user, hello, greeting, 70))).toEqual(['append presence', 'presence', 'read'])
    const renamed = open(user, { ...hello, name: 'Ana M.', picture: 'p' }, greeting, 70)
    expect(renamed[0]).toEqual({
      type: 'append',
      entry: { type: 'user', userId: 'ana', name: 'Ana M.', picture: 'p' },
    })
    const again = open(user, { ...hello, name: 'Ana M.', picture: 'p' }, greeting, 70)
    expect(brief(again)).not.toContain('append user')
  })

  it('attaches a group joined while it opened, from the join event', () => {
    const user = aUser({ g: 1 })
    const effects = open(user, hello, greeting, 70)
    expect(joined(user, { type: 'joined', groupId: 'new', joinedSeq: 40 })).toEqual([])
    const opened = given(effects, summaries([summary('g', 9)], ['g', 1, 9, 0]))
    expect(attached(opened)).toEqual([
      ['g', 3, 1, 9],
      ['new', 3, 40, 39],
    ])
  })

  it('omits a group from `connected` that was left and joined again while it opened', () => {
    const user = aUser({ g: 1 })
    const effects = open(user, hello, greeting, 70)
    left(user, { type: 'left', groupId: 'g', seq: 11 })
    joined(user, { type: 'joined', groupId: 'g', joinedSeq: 13 })
    const opened = given(effects, summaries([summary('g', 9)], ['g', 1, 9, 0]))
    expect(only(opened, 'send').event.fields).toMatchObject({ groups: [] })
    expect(attached(opened)).toEqual([['g', 3, 13, 12]])
  })

  it('lists a group that was joined again before it was read, and attaches it when the user is notified', () => {
    const user = aUser({ g: 1 })
    const effects = open(user, hello, greeting, 70)
    const opened = given(effects, summaries([summary('g', 9)], ['g', 7, 9, 0]))
    expect(only(opened, 'send').event.fields).toMatchObject({ groups: [{ group: { groupId: 'g' } }] })
    left(user, { type: 'left', groupId: 'g', seq: 6 })
    expect(attached(joined(user, { type: 'joined', groupId: 'g', joinedSeq: 7 }))).toEqual([['g', 3, 7, 9]])
  })

  it('omits a group left while it opened, also from `connected`', () => {
    const user = aUser({ g: 1, h: 1 })
    const effects = open(user, hello, greeting, 70)
    left(user, { type: 'left', groupId: 'h', seq: 1_000 })
    const both = [summary('h', 4), summary('g', 9)]
    const opened = given(effects, summaries(both, ['h', 1, 4, 0], ['g', 1, 9, 0]))
    expect(attached(opened)).toEqual([['g', 3, 1, 9]])
    expect(only(opened, 'send').event.fields).toMatchObject({ groups: [{ group: { groupId: 'g' } }] })
  })

  it('starts at a later join if the summary is of an earlier membership', () => {
    const user = aUser({ g: 1 })
    const effects = open(user, hello, greeting, 70)
    left(user, { type: 'left', groupId: 'g', seq: 1_000 })
    joined(user, { type: 'joined', groupId: 'g', joinedSeq: 30 })
    expect(attached(given(effects, summaries([summary('g', 9)], ['g', 1, 9, 0])))).toEqual([['g', 3, 30, 29]])
  })

  it('sends nothing to a session that closed while it opened', () => {
    const user = aUser({ g: 1 })
    const effects = open(user, hello, greeting, 70)
    closed(user, { type: 'closed', session: 3 }, 80, 5_000)
    expect(given(effects, summaries([summary('g', 9)], ['g', 1, 9, 0]))).toEqual([])
    expect(user.sessions.size).toBe(0)
  })
})

describe('joined', () => {
  const mail = { type: 'joined', groupId: 'g', joinedSeq: 12 } as const

  it('attaches every connected session from the event itself, each once', () => {
    const user = aUser()
    connected(user, 3, {})
    connected(user, 4, {})
    expect(attached(joined(user, mail))).toEqual([
      ['g', 3, 12, 11],
      ['g', 4, 12, 11],
    ])
    expect(user.groups.get('g')).toBe(12)
    expect(attached(joined(user, mail))).toEqual([])
  })

  // ORD-1: otherwise a later `resume` would send again what the session received before the leave.
  it('attaches again after a leave in between, and leaves where the session first received the group', () => {
    const user = aUser({ g: 1 })
    connected(user, 3, { g: 9 })
    left(user, { type: 'left', groupId: 'g', seq: 1_000 })
    expect(attached(joined(user, mail))).toEqual([['g', 3, 12, 11]])
    expect(baselines(user, 3)).toEqual({ g: 9 })
  })

  it('repeats nothing to a session whose `connected` already included the leave and the rejoin', () => {
    const user = aUser({ g: 1 })
    connected(user, 3, { g: 15 })
    left(user, { type: 'left', groupId: 'g', seq: 1_000 })
    expect(attached(joined(user, mail))).toEqual([['g', 3, 12, 15]])
  })

  it('is ignored if it was already stored when the actor was loaded', () => {
    const user = aUser({ g: 12 })
    connected(user, 3, { g: 14 })
    expect(attached(joined(user, mail))).toEqual([])
    expect(baselines(user, 3)).toEqual({ g: 14 })
  })
})

describe('left', () => {
  it('removes the group; the number of the session for it stays', () => {
    const user = aUser({ g: 1, h: 1 })
    connected(user, 3, { g: 9, h: 9 })
    expect(left(user, { type: 'left', groupId: 'g', seq: 1_000 })).toEqual([])
    expect([...user.groups.keys()]).toEqual(['h'])
    expect(baselines(user, 3)).toEqual({ g: 9, h: 9 })
  })

  it('is ignored if the user was loaded with a later membership', () => {
    const user = aUser({ g: 7 })
    connected(user, 3, { g: 9 })
    left(user, { type: 'left', groupId: 'g', seq: 6 })
    expect(joined(user, { type: 'joined', groupId: 'g', joinedSeq: 7 })).toEqual([])
    expect([...user.groups]).toEqual([['g', 7]])
  })
})

// RES-1
describe('open, for a session that continues an earlier one', () => {
  type Earlier = NonNullable<Parameters<typeof open>[1]['earlier']>
  const nothing: Earlier = { subscribed: [], baselines: [], missed: [], wasGivenUp: false }
  const reopen = (user: UserState, earlier: Partial<Earlier>) =>
    open(user, { ...hello, earlier: { ...nothing, ...earlier } }, greeting, 70)
  const isAnnounced = (effects: Effects) => effects.some(({ type }) => type === 'publish')

  it('attaches it to groups whose topics it is not subscribed to', () => {
    const user = aUser({ subscribed: 4, joined: 8, rejoined: 9 })
    const subscribed = [
      ['subscribed', 6],
      ['rejoined', 5],
    ] as const
    expect(attached(reopen(user, { subscribed }))).toEqual([
      ['joined', 3, 8, 7],
      ['rejoined', 3, 9, 8],
    ])
  })

  it('does not attach it again if it was subscribed before the event by which its user joined was shown', () => {
    expect(attached(reopen(aUser({ g: 6 }), { subscribed: [['g', 5]] }))).toEqual([])
  })

  it('attaches it also by the membership that has ended while it was being attached', () => {
    const user = aUser({ rejoined: 9, same: 2 })
    const earlier = {
      baselines: [
        ['left', 5],
        ['rejoined', 5],
        ['same', 5],
      ],
      missed: [['left', 6]],
    } as const
    expect(attached(reopen(user, earlier))).toEqual([
      ['rejoined', 3, 5, 5],
      ['left', 3, 6, 6],
      ['rejoined', 3, 9, 8],
      ['same', 3, 2, 5],
    ])
  })

  it('announces its user only if others may have seen them go offline', () => {
    const subscribed = [['g', 6]] as const
    expect(isAnnounced(reopen(aUser({ g: 1 }), { subscribed }))).toBe(false)
    expect(isAnnounced(reopen(aUser({ g: 1 }), { subscribed, wasGivenUp: true }))).toBe(true)
    // A connection that was closed meanwhile.
    expect(isAnnounced(reopen(aUser({ g: 1 }), {}))).toBe(true)
    const wasSeen: UserState = { ...aUser({ g: 1 }), shown: 'offline' }
    expect(isAnnounced(reopen(wasSeen, { subscribed }))).toBe(true)
  })
})
