import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import { continueTopic } from '../../../engine/actors/group/continued-topics.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { RecentEvents } from '../../../engine/actors/group/recent-events.ts'
import type { LoggedEvent } from '../../../engine/stored/stored-group.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import { aGroup, aPost, given, only } from '../../support/groups.ts'

const post = (seq: number): LoggedEvent => ({ seq, message: aPost(seq) })
const left = (seq: number, userId: string): LoggedEvent => ({
  seq,
  code: events.user_left_group.code,
  frame: encodeEvent('user_left_group', 0, { userId, userName: userId, groupId: 'g', seq }),
})
const joined = (seq: number, userId: string): LoggedEvent => ({
  seq,
  code: events.user_joined_group.code,
  frame: encodeEvent('user_joined_group', 0, { userId, userName: userId, groupId: 'g', seq }),
})
const gap = (seq: number, from: number, to: number): LoggedEvent => ({
  seq,
  code: events.gap.code,
  frame: encodeEvent('gap', 0, { groupId: 'g', seq, from, to }),
})

function aGroupWith(recent: readonly LoggedEvent[], isComplete = true): GroupState {
  const group = aGroup({ ana: 'admin', bruno: 'member' })
  group.lastSeq = recent.at(-1)?.seq ?? 0
  group.publishedSeq = group.lastSeq
  return { ...group, recent: new RecentEvents(recent, isComplete) }
}

const mail = (from: number) => ({ type: 'continue', front: 7, from }) as const

/** What front 7 receives, in order. */
function shown(effects: Effects): readonly unknown[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'show_front':
        return effect.seq
      case 'change_subscribers':
        return effect.change
      case 'continued':
        return effect.how
      default:
        return effect.type
    }
  })
}

// RES-1
describe('a topic that continues in a front', () => {
  it('is sent what was missed, once, and is live', () => {
    expect(shown(continueTopic(aGroupWith([post(1), post(2), post(3)]), mail(1)))).toEqual([2, 3, 'live'])
    expect(shown(continueTopic(aGroupWith([post(1)]), mail(1)))).toEqual(['live'])
  })

  it('does not reach a member after the event by which they left', () => {
    const group = aGroupWith([post(1), left(2, 'eva'), post(3)])
    expect(shown(continueTopic(group, mail(1)))).toEqual([2, { left: 'eva' }, 3, 'live'])
  })

  it('reaches a user who was a member for a while with what came meanwhile', () => {
    const group = aGroupWith([left(2, 'eva'), post(3), joined(4, 'eva'), post(5), left(6, 'eva'), post(7)])
    const change = { joined: 'eva', after: 3 }
    expect(shown(continueTopic(group, mail(1)))).toEqual([
      ...[2, { left: 'eva' }, 3, change, 4, 5, 6, { left: 'eva' }, 7],
      'live',
    ])
  })

  it('does not reach users who are members since: their sessions are attached', () => {
    const group = aGroupWith([gap(5, 2, 4), joined(6, 'bruno'), post(7)])
    Object.assign(group.members.get('bruno') ?? {}, { joinedSeq: 6 })
    expect(shown(continueTopic(group, mail(4)))).toEqual([5, { only: ['ana'] }, 6, 7, 'live'])
  })

  it('reaches only members after a gap, and those who leave later until then', () => {
    const group = aGroupWith([gap(5, 2, 4), post(6), left(7, 'eva')])
    expect(shown(continueTopic(group, mail(3)))).toEqual([
      5,
      { only: ['ana', 'bruno', 'eva'] },
      6,
      7,
      { left: 'eva' },
      'live',
    ])
  })

  it('reaches a member after a gap who leaves by an event that is not shown yet', () => {
    const group = aGroupWith([gap(5, 2, 4), post(6), left(7, 'eva')])
    group.publishedSeq = 6
    const only = { only: ['ana', 'bruno', 'eva'] }
    expect(shown(continueTopic(group, mail(3)))).toEqual([5, only, 6, 'live'])
  })

  it('reads older events first; sessions that are attached meanwhile wait', () => {
    const group = aGroupWith([post(11), post(12)], false)
    const effects = continueTopic(group, mail(8))
    expect(only(effects, 'read').query).toMatchObject({ read: 'events', after: 8, upTo: 10 })
    expect([...group.continuing]).toEqual([7])
    group.waiting.push({ type: 'attach', session: 5, userId: 'bruno', joinedSeq: 1, from: 12 })
    expect(shown(given(effects, [post(9), post(10)]))).toEqual([9, 10, 11, 12, 'live', 'tell_group'])
    expect([group.continuing.size, group.waiting.length]).toEqual([0, 0])
  })

  it('is lost if more was missed than a resume sends', () => {
    const last = limits.resumeEvents + 100
    const group = aGroupWith([post(last - 1), post(last)], false)
    const effects = continueTopic(group, mail(1))
    expect(only(effects, 'read').query).toMatchObject({ read: 'count', after: 1, upTo: last })
    expect(shown(given(effects, limits.resumeEvents + 1))).toEqual(['lost'])
    // Numbers that were never assigned count nothing.
    const fewer = given(continueTopic(group, mail(1)), 3)
    expect(only(fewer, 'read').query).toMatchObject({ read: 'events', after: 1 })
  })
})
