import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../engine/actors/caller.ts'
import type { Effects } from '../../../engine/actors/effects.ts'
import { replayed } from '../../../engine/actors/user/resume.ts'
import { closed, left } from '../../../engine/actors/user/sessions.ts'
import { userHandlers } from '../../../engine/actors/user/user-handlers.ts'
import type { UserState } from '../../../engine/actors/user/user-state.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { brief, by, given, only } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'
import { aUser, connected } from '../../support/users.ts'

const ana = by('ana')

describe('resume', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, i) => `g${i}`)
  const userIn = (groups: readonly string[]) => {
    const user = aUser(Object.fromEntries(groups.map((id) => [id, 1])))
    connected(user, ana.session, Object.fromEntries(groups.map((id) => [id, 50])))
    return user
  }
  const resume = (user: UserState, groups: readonly (readonly [string, number])[], caller: Caller = ana) =>
    userHandlers.resume(user, caller, { groups } as RequestFields<'resume'>, 0, () => '')
  const done = (user: UserState, groupId: string, complete: boolean | null = true, lastSeq = 50) =>
    replayed(user, { type: 'replayed', session: ana.session, groupId, lastSeq, complete })
  const targets = (effects: Effects) =>
    effects.map((effect) => (effect.type === 'tell_group' ? effect.groupId : effect.type))

  it('replays from the client’s number up to where the session receives everything live', () => {
    const effects = resume(userIn(['g']), [['g', 20]])
    expect(only(effects, 'tell_group')).toMatchObject({
      groupId: 'g',
      mail: { type: 'replay', session: ana.session, userId: 'ana', from: 20, to: 50, counted: false },
    })
    expect(brief(effects)).toEqual(['tell g replay'])
  })

  // CUP-2
  it('replays from the user’s join for a client that knows nothing of the group', () => {
    const user = aUser({ g: 31 })
    connected(user, ana.session, { g: 50 })
    expect(only(resume(user, [['g', 0]]), 'tell_group')).toMatchObject({ mail: { from: 30, to: 50 } })
    const joinedLater = aUser({ g: 60 })
    connected(joinedLater, ana.session, { g: 50 })
    expect(only(resume(joinedLater, [['g', 0]]), 'tell_group')).toMatchObject({ mail: { from: 50, to: 50 } })
  })

  it('replays eight groups at once, the next when one is done, and answers after the last', () => {
    const user = userIn(ids(10))
    expect(
      targets(
        resume(
          user,
          ids(10).map((id) => [id, 0]),
        ),
      ),
    ).toEqual(ids(8))
    expect(targets(done(user, 'g3'))).toEqual(['g8'])
    expect(targets(done(user, 'g0', false, 49))).toEqual(['g9'])
    for (const id of ['g1', 'g2', 'g4', 'g5', 'g6', 'g7', 'g8']) expect(done(user, id)).toEqual([])
    const last = done(user, 'g9')
    expect(only(last, 'answer')).toMatchObject({ to: ana, event: { name: 'resumed' } })
    const { groups } = only(last, 'answer').event.fields as { groups: readonly (readonly unknown[])[] }
    expect(groups.length).toBe(10)
    expect(groups.slice(0, 2)).toEqual([
      ['g3', 50, true],
      ['g0', 49, false],
    ])
  })

  it('omits groups that the user is not in, from the start or left in the meantime', () => {
    const user = userIn(ids(10))
    expect(targets(resume(user, [['foreign', 0], ...ids(10).map((id) => [id, 0] as const)]))).toEqual(ids(8))
    left(user, { type: 'left', groupId: 'g8', seq: 1_000 })
    // When one is done, the next group that the user is still in follows.
    expect(targets(done(user, 'g0', null))).toEqual(['g9'])
    for (const id of ids(8).slice(1)) done(user, id)
    const answer = only(done(user, 'g9'), 'answer')
    const { groups } = answer.event.fields as { groups: readonly (readonly [string])[] }
    expect(groups.map(([id]) => id)).toEqual([...ids(8).slice(1), 'g9'])
  })

  it('is answered at once if there is nothing to replay', () => {
    for (const groups of [[], [['foreign', 0]]] as const) {
      const user = userIn(['g'])
      expect(only(resume(user, groups), 'answer').event).toEqual({ name: 'resumed', fields: { groups: [] } })
      // The next resume is accepted.
      expect(targets(resume(user, [['g', 0]]))).toEqual(['g'])
    }
  })

  it('uses the last of two entries for the same group, and replays it once', () => {
    const effects = resume(userIn(['g']), [
      ['g', 10],
      ['g', 20],
    ])
    expect(only(effects, 'tell_group').mail).toMatchObject({ from: 20 })
  })

  it('is accepted one at a time per session, and again when it is done', () => {
    const user = userIn(['g', 'h'])
    resume(user, [['g', 0]])
    const before = structuredClone(user)
    expect(() => resume(user, [['h', 0]], { ...ana, ref: 8 })).toThrow(
      expect.objectContaining({ ...refusal('overloaded'), retryAfterMs: 500 }),
    )
    expect(user).toEqual(before)
    expect(brief(done(user, 'g'))).toEqual(['answer resumed'])
    expect(targets(resume(user, [['h', 0]]))).toEqual(['h'])
  })

  // INP-2
  it('waits for the resume of another session until it is done or the session closed', () => {
    const user = userIn(['g'])
    for (const session of [4, 5, 6]) connected(user, session, { g: 60 })
    resume(user, [['g', 0]])
    for (const session of [4, 5, 6]) expect(resume(user, [['g', 0]], { ...ana, session })).toEqual([])
    const next = done(user, 'g')
    expect(only(next, 'answer')).toMatchObject({ to: ana, event: { name: 'resumed' } })
    expect(only(next, 'tell_group').mail).toMatchObject({ session: 4, to: 60 })
    expect(closed(user, { type: 'closed', session: 5 }, 80, 5_000)).toEqual([])
    const last = closed(user, { type: 'closed', session: 4 }, 80, 5_000)
    expect(only(last, 'tell_group').mail).toMatchObject({ session: 6, to: 60 })
  })

  it('ends without an answer if its session closed in the meantime', () => {
    const user = userIn(ids(9))
    resume(
      user,
      ids(9).map((id) => [id, 0]),
    )
    closed(user, { type: 'closed', session: ana.session }, 80, 5_000)
    expect(done(user, 'g0')).toEqual([])
    expect(user.sessions.size).toBe(0)
  })

  it('is refused without a connection that receives events, and changes nothing', () => {
    const user = aUser({ g: 1 })
    const refused = expect.objectContaining(refusal('bad_request'))
    expect(() => resume(user, [['g', 0]])).toThrow(refused)
    user.sessions.set(ana.session, { phase: 'opening', sessionId: 's' })
    const before = structuredClone(user)
    expect(() => resume(user, [['g', 0]])).toThrow(refused)
    expect(user).toEqual(before)
  })
})

describe('create_group', () => {
  const create = (fields: object, caller = ana) =>
    userHandlers.create_group(
      { ...aUser(), userId: caller.userId },
      caller,
      { kind: 'group', ...fields } as RequestFields<'create_group'>,
      500,
      () => 'fresh',
    )
  const mailOf = (effects: Effects) => only(effects, 'tell_group')

  it('is forwarded to the new group: private, with a new id, unless requested otherwise', () => {
    expect(mailOf(create({ members: ['bruno', 'ana', 'bruno'], name: 'Cozinha' }))).toEqual({
      type: 'tell_group',
      groupId: 'fresh',
      mail: {
        type: 'create',
        by: ana,
        members: ['bruno'],
        group: {
          groupId: 'fresh',
          kind: 'group',
          visibility: 'private',
          createdBy: 'ana',
          createdAt: 500,
          name: 'Cozinha',
        },
      },
    })
    expect(mailOf(create({ groupId: 'kitchen', visibility: 'open' }))).toMatchObject({
      groupId: 'kitchen',
      mail: { members: [], group: { groupId: 'kitchen', visibility: 'open' } },
    })
  })

  // IDN-4
  it('asks storage for the id of a direct chat, whatever the other fields', () => {
    for (const fields of [
      { kind: 'direct', members: ['bruno'] },
      { kind: 'direct', members: ['ana', 'bruno'], groupId: 'mine', visibility: 'open' },
    ]) {
      const asked = create(fields)
      expect(only(asked, 'read').query).toEqual({ read: 'direct', userId: 'ana', otherId: 'bruno' })
      expect(mailOf(given(asked, 'd_1'))).toMatchObject({
        groupId: 'd_1',
        mail: { members: ['bruno'], group: { groupId: 'd_1', kind: 'direct', visibility: 'private' } },
      })
    }
  })

  // IDN-3
  it.each(['group', 'direct'])('is refused for an id of direct chats, of the kind %s', (kind) => {
    expect(() => create({ kind, groupId: 'd_x', members: ['bruno'] })).toThrow(
      expect.objectContaining(refusal('bad_request', 'groupId')),
    )
  })

  it.each([[[]], [['ana']], [['bruno', 'clara']], [undefined]])(
    'is refused for a direct chat with %s',
    (members) => {
      expect(() => create({ kind: 'direct', members })).toThrow(
        expect.objectContaining(refusal('bad_request', 'members')),
      )
    },
  )
})

describe('get_groups', () => {
  const list = (fields: object) => userHandlers.get_groups(aUser(), ana, fields, 0, () => '')

  it('reads a page, fifty groups by default, and returns a cursor for the next', () => {
    const first = list({})
    expect(only(first, 'read')).toMatchObject({
      query: { read: 'listings', userId: 'ana', limit: 50 },
      to: ana,
    })
    const answered = given(first, {
      groups: [],
      next: { way: 'down', activeAt: 1_234, groupId: 'g_-1', since: 5_678 },
    })
    expect(only(answered, 'answer')).toMatchObject({
      to: ana,
      event: { name: 'groups', fields: { groups: [], cursor: '1234:g_-1:5678' } },
    })
    const second = list({ cursor: '1234:g_-1:5678', limit: 2 })
    expect(only(second, 'read').query).toMatchObject({
      cursor: { way: 'down', activeAt: 1_234, groupId: 'g_-1', since: 5_678 },
      limit: 2,
    })
    expect(only(given(second, { groups: [] }), 'answer').event.fields).toMatchObject({ cursor: undefined })
  })

  it.each(['', 'g', ':g', '1', '-1:g', '1:g g', '1:g:h', '1:g:1:1', `${'9'.repeat(17)}:g`])(
    'refuses %j as a cursor',
    (cursor) => {
      expect(() => list({ cursor })).toThrow(expect.objectContaining(refusal('bad_request', 'cursor')))
    },
  )
})

describe('ping', () => {
  it('returns its payload, and the time', () => {
    expect(userHandlers.ping(aUser(), ana, { t: 5 }, 77, () => '')).toEqual([
      { type: 'answer', to: ana, event: { name: 'pong', fields: { t: 5, serverTime: 77 } } },
    ])
  })
})
