import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import { barred } from '../../../engine/actors/user/blocks.ts'
import { closed, joined, left, open } from '../../../engine/actors/user/sessions.ts'
import {
  graceOver as graceOverOf,
  groupSize,
  stopping,
  updateStatus,
} from '../../../engine/actors/user/status.ts'
import { type UserState, userState } from '../../../engine/actors/user/user-state.ts'
import type { Status } from '../../../engine/stored/stored-user.ts'
import { brief, by, given } from '../../support/groups.ts'
import { aUser } from '../../support/users.ts'

const GRACE_MS = 5_000
const greeting = {
  serverVersion: '1',
  limits: { maxMessageBytes: 0, maxContentBytes: 0, rateLimit: 0, resumeEvents: 0 },
}

/** Opens a session; `large` lists the user's groups that are large. */
function opens(user: UserState, session: number, now: number, large: readonly string[] = []): Effects {
  const mail = { type: 'open', session, sessionId: `s${session}`, name: 'Ana', picture: '' } as const
  const effects = open(user, mail, greeting, now)
  return [...effects, ...given(effects, { groups: [], keys: [], standings: [], large }, now)]
}

/** Sets both clocks to very different times: the grace period uses the steady one only (TIM-1). */
function at(user: UserState, now: number): number {
  user.steadyNow = now - 1_000_000
  return now
}

const closes = (user: UserState, session: number, now: number) =>
  closed(user, { type: 'closed', session }, at(user, now), GRACE_MS)

const graceOver = (user: UserState, now: number) => graceOverOf(user, at(user, now))

/** What other users receive: `away g,h`, followed by lastSeenAt if present. */
const announced = (effects: Effects) =>
  effects.flatMap((effect) => {
    if (effect.type !== 'publish' || effect.event.name !== 'contact_status_changed') return []
    const { status, lastSeenAt } = effect.event.fields
    return [[status, effect.groupIds.join(), lastSeenAt].filter((part) => part !== undefined).join(' ')]
  })

/** What is written: `away 70`. */
const written = (effects: Effects) =>
  effects.flatMap((effect) =>
    effect.type === 'append' && effect.entry.type === 'presence'
      ? [`${effect.entry.status} ${effect.entry.lastSeenAt}`]
      : [],
  )

/** The statuses sent to all shards. */
const toShards = (effects: Effects) =>
  effects.flatMap((effect) => (effect.type === 'presence' ? [effect.status] : []))

function invisible(): UserState {
  return userState('ana', {
    name: 'Ana',
    picture: '',
    status: 'offline',
    lastSeenAt: 5,
    groups: [['g', 1]],
    approached: [],
    large: [],
    blocked: [],
    isBlocked: false,
  })
}

describe('a session that begins', () => {
  it('is announced with the chosen status, once for all devices', () => {
    const user = aUser({ g: 1, h: 1 })
    user.chosen = 'away'
    const first = opens(user, 1, 70)
    expect([announced(first), written(first), toShards(first)]).toEqual([['away g,h'], ['away 70'], ['away']])
    const second = opens(user, 2, 80)
    expect([announced(second), toShards(second)]).toEqual([[], []])
  })

  it('receives the chosen status if that is not online', () => {
    const user = aUser({ g: 1 })
    const sent = (effects: Effects) => brief(effects).filter((line) => line === 'send').length
    expect(sent(opens(user, 1, 70))).toBe(1)
    user.chosen = 'busy'
    expect(sent(opens(user, 2, 80))).toBe(2)
  })

  it('of an invisible user is not announced, and writes nothing', () => {
    const user = invisible()
    const effects = opens(user, 1, 70)
    expect([announced(effects), written(effects), toShards(effects)]).toEqual([[], [], []])
    closes(user, 1, 80)
    expect(graceOver(user, 80 + GRACE_MS)).toEqual([])
    expect(stopping(user, 90)).toEqual([])
    expect(user.lastSeenAt).toBe(5)
  })
})

describe('the last session that ends', () => {
  // PRS-1
  it('is announced after the grace period, with the time of the disconnect', () => {
    const user = aUser({ g: 1 })
    opens(user, 1, 70)
    opens(user, 2, 70)
    expect(closes(user, 1, 80)).toEqual([])
    expect(closes(user, 2, 90)).toEqual([
      { type: 'wake_user', userId: 'ana', what: 'offline', afterMs: GRACE_MS },
    ])
    const effects = graceOver(user, 90 + GRACE_MS)
    expect([announced(effects), written(effects), toShards(effects)]).toEqual([
      ['offline g 90'],
      ['online 90'],
      ['offline'],
    ])
    expect(graceOver(user, 90 + GRACE_MS)).toEqual([])
  })

  it('is not announced if another begins in time', () => {
    const user = aUser({ g: 1 })
    opens(user, 1, 70)
    closes(user, 1, 80)
    const back = opens(user, 2, 90)
    expect([announced(back), toShards(back)]).toEqual([[], []])
    expect(graceOver(user, 80 + GRACE_MS)).toEqual([])
    // The alarm of the first disconnect is too early for the second.
    closes(user, 2, 100)
    expect(graceOver(user, 80 + GRACE_MS)).toMatchObject([{ type: 'wake_user', afterMs: 20 }])
    expect(announced(graceOver(user, 100 + GRACE_MS))).toEqual(['offline g 100'])
  })

  it('is announced also if it never received `connected`: answers may have shown its user', () => {
    const user = aUser({ g: 1 })
    const mail = { type: 'open', session: 1, sessionId: 's1', name: 'Ana', picture: '' } as const
    const effects = open(user, mail, greeting, 70)
    closes(user, 1, 80)
    expect(given(effects, { groups: [], keys: [], standings: [], large: [] })).toEqual([])
    const over = graceOver(user, 80 + GRACE_MS)
    expect([toShards(over), announced(over)]).toEqual([['offline'], ['offline g 80']])
  })

  it('is stored as last seen if the server stops first', () => {
    const user = aUser({ g: 1 })
    opens(user, 1, 70)
    expect(written(stopping(user, 200))).toEqual(['online 200'])
    closes(user, 1, 300)
    expect(written(stopping(user, 400))).toEqual(['online 300'])
    expect(stopping(aUser(), 500)).toEqual([])
  })
})

describe('update_status', () => {
  const update = (user: UserState, status: Status, now: number) =>
    updateStatus(user, by('ana'), { status }, now)

  it('is stored, announced, and sent to the other devices', () => {
    const user = aUser({ g: 1 })
    opens(user, 3, 70)
    const effects = update(user, 'away', 80)
    expect(brief(effects)).toEqual([
      'append presence',
      'presence',
      'publish',
      'send_user',
      'answer_committed ok',
    ])
    expect([announced(effects), written(effects), toShards(effects)]).toEqual([
      ['away g'],
      ['away 80'],
      ['away'],
    ])
    expect(brief(update(user, 'away', 90))).toEqual(['answer_committed ok'])
  })

  it('`offline` is announced like a disconnect, and another status like a connect', () => {
    const user = aUser({ g: 1 })
    opens(user, 3, 70)
    const hidden = update(user, 'offline', 80)
    expect([announced(hidden), written(hidden), toShards(hidden)]).toEqual([
      ['offline g 80'],
      ['offline 80'],
      ['offline'],
    ])
    expect(announced(update(user, 'busy', 90))).toEqual(['busy g'])
  })

  it('of a user without a session is stored and not announced', () => {
    const user = aUser({ g: 1 })
    const effects = update(user, 'busy', 80)
    expect([announced(effects), written(effects), toShards(effects)]).toEqual([[], ['busy undefined'], []])
  })
})

describe('large groups', () => {
  it('are omitted, as known when the session begins', () => {
    const user = aUser({ g: 1, crowd: 1 })
    expect(announced(opens(user, 1, 70, ['crowd']))).toEqual(['online g'])
    const effects = updateStatus(user, by('ana'), { status: 'away' }, 80)
    expect(announced(effects)).toEqual(['away g'])
  })

  it('are updated when groups become large or small, are joined or left', () => {
    const user = aUser({ g: 1, h: 1 })
    opens(user, 1, 70)
    const says = (status: Status) => announced(updateStatus(user, by('ana'), { status }, 80))
    groupSize(user, { type: 'group_size', groupId: 'g', large: true })
    expect(says('away')).toEqual(['away h'])
    groupSize(user, { type: 'group_size', groupId: 'g', large: false })
    joined(user, { type: 'joined', groupId: 'crowd', joinedSeq: 5, large: true })
    expect(says('busy')).toEqual(['busy g,h'])
    left(user, { type: 'left', groupId: 'crowd', seq: 1_000 })
    joined(user, { type: 'joined', groupId: 'crowd', joinedSeq: 9, large: false })
    left(user, { type: 'left', groupId: 'h', seq: 1_000 })
    expect(says('online')).toEqual(['online g,crowd'])
  })
})

// PRV-1
describe('a user who is blocked by another', () => {
  const isBarred = (user: UserState) => announced(barred(user, { type: 'barred', by: 'bruno', on: true }, 50))

  it('is shown to them as offline, also after a change that the block may have hidden', () => {
    const user = aUser({ g: 1 })
    opens(user, 1, 10)
    expect(isBarred(user)).toEqual(['offline g'])
    updateStatus(user, by('ana'), { status: 'offline' }, 20)
    expect(isBarred(user)).toEqual(['offline g'])
  })

  it('is not shown to them if nobody has seen the user', () => {
    const user = invisible()
    opens(user, 1, 10)
    expect(isBarred(user)).toEqual([])
  })
})
