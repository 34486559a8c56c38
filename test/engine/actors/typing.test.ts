import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../engine/actors/caller.ts'
import type { Effects } from '../../../engine/actors/effects.ts'
import { groupAlarms, groupHandlers } from '../../../engine/actors/group/group-handlers.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { typingEnded } from '../../../engine/actors/group/typing.ts'
import type { Status } from '../../../engine/stored/stored-user.ts'
import { aGroup, aMember, brief, by, only } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'

const { typing_stop, send_message, leave_group, remove_member } = groupHandlers
const g = { groupId: 'g' }

/** Typing of a user with this visible status, online by default. */
function typing_start(group: GroupState, who: Caller, _: typeof g, now: number, status: Status = 'online') {
  const effects = groupHandlers.typing_start(group, who, g, now)
  return effects.flatMap((effect) =>
    effect.type === 'with_presence' ? effect.then(() => ({ connected: true, status })) : effect,
  )
}
const members = { ana: 'admin', bruno: 'member', clara: 'member' } as const

/** The events shown to the members, as short texts. */
const shown = (effects: Effects) =>
  effects.flatMap((effect) =>
    effect.type === 'publish' && 'userId' in effect.event.fields
      ? [`${effect.event.name} ${effect.event.fields.userId}`]
      : [],
  )
const woken = (effects: Effects) =>
  effects.flatMap((effect) => (effect.type === 'wake_group' ? [[effect.what, effect.afterMs]] : []))

describe('typing_start', () => {
  it('is shown once, and then only extended', () => {
    const group = aGroup(members)
    const effects = typing_start(group, by('ana'), g, 100)
    expect(only(effects, 'publish')).toEqual({
      type: 'publish',
      groupIds: ['g'],
      event: { name: 'user_typing', fields: { userId: 'ana', userName: 'Ana', groupId: 'g' } },
      exceptSession: 3,
      about: 'ana',
    })
    expect(woken(effects)).toEqual([['typing', 6_000]])
    expect(brief(typing_start(group, by('ana'), g, 200))).toEqual(['answer ok'])
  })

  // PRS-4
  it('is not shown for invisible users', () => {
    const group = aGroup(members)
    expect(brief(typing_start(group, by('ana'), g, 100, 'offline'))).toEqual(['answer ok'])
    expect(group.typing.size).toBe(0)
  })

  it('does nothing in a large group', () => {
    const group = aGroup(members)
    for (let i = group.members.size; i <= 500; i++) group.members.set(`u${i}`, aMember(`u${i}`))
    expect(brief(typing_start(group, by('ana'), g, 100))).toEqual(['answer ok'])
    group.members.delete('u500')
    expect(shown(typing_start(group, by('ana'), g, 100))).toEqual(['user_typing ana'])
  })

  it('is refused to muted users and non-members, and changes nothing', () => {
    const group = aGroup(members)
    group.members.set('bruno', aMember('bruno', { mutedUntil: 150 }))
    expect(() => typing_start(group, by('bruno'), g, 100)).toThrow(
      expect.objectContaining({ code: 'muted', retryAfterMs: 50 }),
    )
    expect(() => typing_start(group, by('eva'), g, 100)).toThrow(
      expect.objectContaining(refusal('not_found')),
    )
    expect(() => typing_stop(group, by('eva'), g, 100)).toThrow(expect.objectContaining(refusal('not_found')))
    expect(group.typing.size).toBe(0)
    expect(shown(typing_start(group, by('bruno'), g, 150))).toEqual(['user_typing bruno'])
  })
})

// TYP-1
describe('typing ends', () => {
  const typing = (...userIds: string[]) => {
    const group = aGroup(members)
    for (const userId of userIds) typing_start(group, by(userId), g, 0)
    return group
  }

  it('by typing_stop, once', () => {
    const group = typing('ana')
    expect(shown(typing_stop(group, by('ana'), g, 1))).toEqual(['user_stopped_typing ana'])
    expect(brief(typing_stop(group, by('ana'), g, 1))).toEqual(['answer ok'])
  })

  it('with the message of the user, and not with a message of another user', () => {
    const group = typing('ana', 'bruno')
    const message = { ...g, content: 'olá', tempId: 't1' }
    expect(shown(send_message(group, by('ana'), message, 1))).toEqual(['user_stopped_typing ana'])
    expect([...group.typing.keys()]).toEqual(['bruno'])
    // The same message sent again is not a new one.
    typing_start(group, by('ana'), g, 2)
    expect(shown(send_message(group, by('ana'), message, 3))).toEqual([])
  })

  it('when the member leaves or is removed, or has no session any more', () => {
    const group = typing('ana', 'bruno', 'clara')
    expect(shown(leave_group(group, by('clara'), g, 1))).toEqual(['user_stopped_typing clara'])
    expect(shown(remove_member(group, by('ana'), { ...g, userId: 'bruno' }, 1))).toEqual([
      'user_stopped_typing bruno',
    ])
    expect(shown(typingEnded(group, 'ana'))).toEqual(['user_stopped_typing ana'])
    expect(typingEnded(group, 'ana')).toEqual([])
  })

  it('by itself six seconds after the last start, each at its own time', () => {
    const group = typing('ana')
    const startsAt = (user: string, steadyNow: number) => {
      group.steadyNow = steadyNow
      // TIM-1: the time of day, which was set back, does not matter.
      typing_start(group, by(user), g, 1_700_000_000_000 - steadyNow)
    }
    const dueAt = (steadyNow: number) => {
      group.steadyNow = steadyNow
      return groupAlarms.typing(group)
    }
    startsAt('bruno', 1_000)
    startsAt('clara', 1_000)
    startsAt('clara', 4_000)
    const first = dueAt(6_000)
    expect([shown(first), woken(first)]).toEqual([['user_stopped_typing ana'], [['typing', 1_000]]])
    const second = dueAt(7_005)
    expect([shown(second), woken(second)]).toEqual([['user_stopped_typing bruno'], [['typing', 2_995]]])
    const last = dueAt(10_000)
    expect([shown(last), woken(last)]).toEqual([['user_stopped_typing clara'], []])
    expect(dueAt(20_000)).toEqual([])
  })

  it('and the user is no longer watched', () => {
    const group = aGroup(members)
    const watched = (effects: Effects) => only(effects, 'watch')
    expect(watched(typing_start(group, by('ana'), g, 0))).toMatchObject({ userId: 'ana', on: true })
    expect(watched(typing_stop(group, by('ana'), g, 0))).toMatchObject({ userId: 'ana', on: false })
  })
})
