import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import { groupHandlers } from '../../../engine/actors/group/group-handlers.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { sizeChanged } from '../../../engine/actors/group/large.ts'
import type { Presence, PresenceOf } from '../../../engine/actors/presence.ts'
import { limits } from '../../../protocol/limits.ts'
import { aGroup, aMember, brief, by, given, only } from '../../support/groups.ts'

const { get_online_users, signal, join_group, leave_group } = groupHandlers
const g = { groupId: 'g' }

const there: Readonly<Record<string, Presence>> = {
  ana: { connected: true, status: 'online' },
  bruno: { connected: false, status: 'busy' },
  clara: { connected: true, status: 'offline' },
  // Not a member of the group.
  eva: { connected: true, status: 'online' },
}
const presenceOf: PresenceOf = (userId) => there[userId] ?? { connected: false, status: 'offline' }

/** The group, with offline members `m0`, `m1` … added up to this size. */
function sized(size: number): GroupState {
  const group = aGroup({ ana: 'admin', bruno: 'member', clara: 'member' }, { visibility: 'open' })
  for (let i = group.members.size; i < size; i++) group.members.set(`m${i}`, aMember(`m${i}`))
  return group
}

function online(group: GroupState) {
  const looked = only(get_online_users(group, by('ana'), g, 0), 'with_presence').then(presenceOf)
  const reads = looked.some(({ type }) => type === 'read')
  return only(reads ? given(looked, []) : looked, 'answer').event.fields
}

describe('get_online_users', () => {
  it('lists the visible members, with their status', () => {
    expect(online(sized(10))).toEqual({
      groupId: 'g',
      users: [
        { userId: 'ana', name: 'Ana', status: 'online' },
        { userId: 'bruno', name: 'Bruno', status: 'busy' },
      ],
      total: 2,
    })
  })

  it('of a large group only counts them', () => {
    expect(online(sized(limits.largeGroup))).toMatchObject({ users: [{}, {}], total: 2 })
    expect(online(sized(limits.largeGroup + 1))).toEqual({ groupId: 'g', users: [], total: 2 })
  })
})

describe('a group that crosses the bound of large groups', () => {
  const sizeMails = (effects: Effects) =>
    effects.flatMap((effect) =>
      effect.type === 'tell_user' && effect.mail.type === 'group_size'
        ? [[effect.userId, effect.mail.large, effect.ifConnected]]
        : [],
    )

  it('notifies its connected members, in both directions', () => {
    const group = sized(limits.largeGroup)
    const grown = sizeMails(join_group(group, by('eva'), g, 0))
    expect(grown).toHaveLength(limits.largeGroup + 1)
    expect(grown).toContainEqual(['bruno', true, true])
    const shrunk = sizeMails(leave_group(group, by('eva'), g, 0))
    expect(shrunk).toHaveLength(limits.largeGroup)
    expect(shrunk).toContainEqual(['bruno', false, true])
  })

  it('sends nothing if the bound is not crossed', () => {
    const group = sized(limits.largeGroup + 1)
    expect(sizeMails(join_group(group, by('eva'), g, 0))).toEqual([])
    expect(sizeMails(leave_group(group, by('eva'), g, 0))).toEqual([])
    expect(sizeChanged(sized(10), 9)).toEqual([])
  })

  it('informs a user who joins a large group in the same mail', () => {
    const joined = (size: number) =>
      join_group(sized(size), by('eva'), g, 0).flatMap((effect) =>
        effect.type === 'tell_members' && effect.mail.type === 'joined' ? [effect.mail.large] : [],
      )
    expect([joined(limits.largeGroup), joined(10)]).toEqual([[true], [false]])
  })
})

describe('signal', () => {
  const fields = { ...g, kind: 'offer', payload: 'sdp' }

  it('is sent to one member or to the whole group, and is not stored', () => {
    const group = sized(3)
    const to = (toUserId: string) => given(signal(group, by('ana'), { ...fields, toUserId }, 0), [])
    expect(brief(to('bruno'))).toEqual(['send_user', 'answer ok'])
    const toAll = (userId: string) =>
      only(signal(group, by(userId), fields, 0), 'with_presence').then(presenceOf)
    expect(brief(toAll('ana'))).toEqual(['publish', 'answer ok'])
    // PRV-1: the blocks of a user who is not connected are in storage only.
    const relayed = only(given(toAll('bruno'), ['eva']), 'publish')
    expect([relayed.about, relayed.exceptUsers]).toEqual(['bruno', ['eva']])
    // The caller's other devices, when a call moves to another device.
    const own = only(to('ana'), 'send_user')
    expect([own.userId, own.exceptSession]).toEqual(['ana', 3])
  })

  it('is refused from and to users who are not members', () => {
    const group = sized(3)
    const asks = (userId: string, toUserId?: string) => () =>
      signal(group, by(userId), { ...fields, toUserId }, 0)
    expect(asks('eva')).toThrow(expect.objectContaining({ code: 'not_a_member' }))
    expect(asks('eva', 'ana')).toThrow(expect.objectContaining({ code: 'not_a_member' }))
    expect(asks('ana', 'eva')).toThrow(expect.objectContaining({ code: 'not_found', field: 'toUserId' }))
  })
})
