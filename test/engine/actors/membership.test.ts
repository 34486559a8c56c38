import { describe, expect, it } from 'vitest'
import { createExisting, createGroup } from '../../../engine/actors/group/creation.ts'
import { groupHandlers } from '../../../engine/actors/group/group-handlers.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { limits } from '../../../protocol/limits.ts'
import { aGroup, aMember, brief, by, given, newcomers, only, snapshot } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'

const { join_group, leave_group, add_member, remove_member } = groupHandlers
const g = { groupId: 'g' }
const roles = (group: GroupState) =>
  Object.fromEntries([...group.members].map(([id, { role }]) => [id, role]))

describe('create_group', () => {
  const create = (members: readonly string[], kind: 'group' | 'direct' = 'group') => {
    const group = aGroup({}, { kind })
    group.lastSeq = 0
    const mail = { type: 'create', by: by('ana'), group: group.info, members } as const
    return {
      group,
      mail,
      effects: createGroup(
        group,
        mail,
        ['ana', ...members].map((id) => ({ name: id.toUpperCase(), picture: '' })),
        false,
        5,
      ),
    }
  }

  it('writes one event with all initial members, whose actors are notified', () => {
    const { group, effects } = create(['bruno', 'clara'])
    expect(brief(effects)).toEqual([
      'append member',
      'append member',
      'append member',
      'record group_created 1',
      'answer_committed group',
      'tell ana joined',
      'tell bruno joined',
      'tell clara joined',
    ])
    expect(roles(group)).toEqual({ ana: 'admin', bruno: 'member', clara: 'member' })
    expect(only(effects, 'record').event.fields).toMatchObject({
      group: { memberCount: 3, members: [{ name: 'Ana' }, { name: 'BRUNO' }, { name: 'CLARA' }] },
    })
  })

  it('gives both members of a direct chat the same role, and finds it again', () => {
    const { group, mail } = create(['bruno'], 'direct')
    expect(roles(group)).toEqual({ ana: 'admin', bruno: 'admin' })
    expect(brief(createExisting(group, { ...mail, by: by('bruno') }, 5))).toEqual(['answer_committed group'])
    expect(() => createExisting(group, { ...mail, by: by('eva') }, 5)).toThrow(
      expect.objectContaining(refusal('already_exists')),
    )
  })
})

describe('join_group', () => {
  it('adds a member to an open group, and is idempotent', () => {
    const group = aGroup({ ana: 'admin' }, { visibility: 'open' })
    expect(brief(join_group(group, by('bruno'), g, 0))).toEqual([
      'append member',
      'record user_joined_group 2',
      'tell bruno joined',
      'answer_committed ok',
    ])
    const before = snapshot(group)
    expect(brief(join_group(group, by('bruno'), g, 0))).toEqual(['answer_committed ok'])
    expect(snapshot(group)).toEqual(before)
  })

  it('makes the first user who joins an empty open group its admin', () => {
    const group = aGroup({}, { visibility: 'open' })
    join_group(group, by('bruno'), g, 0)
    expect(roles(group)).toEqual({ bruno: 'admin' })
  })

  it('is refused if the group is full', () => {
    const group = aGroup({ ana: 'admin' }, { visibility: 'open' })
    const ana = group.members.get('ana')
    for (let i = 1; ana && i < limits.membersPerGroup; i++)
      group.members.set(`u${i}`, { ...ana, userId: `u${i}` })
    expect(() => join_group(group, by('bruno'), g, 0)).toThrow(expect.objectContaining(refusal('group_full')))
  })
})

describe('leave_group', () => {
  it('sends the leave event before the sessions are unsubscribed', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    expect(brief(leave_group(group, by('bruno'), g, 0))).toEqual([
      'append former_member',
      'append member_left',
      'record user_left_group 2',
      'unsubscribe',
      'tell bruno left',
      'answer_committed ok',
    ])
    expect(roles(group)).toEqual({ ana: 'admin' })
  })

  it.each([
    [
      'the oldest moderator',
      { ana: 'admin', bruno: 'member', clara: 'moderator', dora: 'moderator' },
      'clara',
    ],
    ['else the oldest member', { ana: 'admin', bruno: 'member', clara: 'member' }, 'bruno'],
  ] as const)('hands the role of the last admin on to %s', (_, members, heir) => {
    const group = aGroup(members)
    const effects = leave_group(group, by('ana'), g, 0)
    expect(brief(effects)).toContain('record role_changed 3')
    expect(roles(group)[heir]).toBe('admin')
  })

  it('chooses the same new admin in whatever order the log returns the members', () => {
    const heirs = [
      { ana: 'admin', bruno: 'member', clara: 'member' },
      { ana: 'admin', clara: 'member', bruno: 'member' },
    ].map((members) => {
      const group = aGroup(members as Readonly<Record<string, 'admin' | 'member'>>)
      leave_group(group, by('ana'), g, 0)
      return group.members.get('bruno')?.role
    })
    expect(heirs).toEqual(['admin', 'admin'])
    // Who joined first comes first, whatever the order.
    const group = aGroup({ ana: 'admin', bruno: 'member', clara: 'member' })
    group.members.set('bruno', aMember('bruno', { name: 'Bruno', joinedSeq: 9 }))
    leave_group(group, by('ana'), g, 0)
    expect(roles(group)).toEqual({ bruno: 'member', clara: 'admin' })
  })

  it('passes no role on if there is another admin, or no member is left', () => {
    const two = aGroup({ ana: 'admin', bruno: 'admin', clara: 'member' })
    leave_group(two, by('ana'), g, 0)
    expect(roles(two)).toEqual({ bruno: 'admin', clara: 'member' })
    const alone = aGroup({ ana: 'admin' })
    expect(brief(leave_group(alone, by('ana'), g, 0))).not.toContain('record role_changed 3')
  })
})

describe('add_member', () => {
  it('reads the name, adds the member, and is idempotent', () => {
    const group = aGroup({ ana: 'moderator' })
    const effects = add_member(group, by('ana'), { ...g, userId: 'bruno' }, 0)
    expect(only(effects, 'read').query).toEqual({ read: 'newcomers', userId: 'ana', userIds: ['bruno'] })
    const added = given(effects, newcomers([{ name: 'Bruno B.', picture: '' }]))
    expect(only(added, 'record').event.fields).toMatchObject({
      userId: 'bruno',
      userName: 'Bruno B.',
      by: 'ana',
    })
    expect(brief(given(effects, newcomers([{ name: 'Bruno B.', picture: '' }])))).toEqual([
      'answer_committed ok',
    ])
  })

  it('checks again what may have changed during the read', () => {
    const group = aGroup({ ana: 'moderator' })
    const effects = add_member(group, by('ana'), { ...g, userId: 'bruno' }, 0)
    group.members.delete('ana')
    expect(() => given(effects, newcomers([{ name: 'Bruno', picture: '' }]))).toThrow(
      expect.objectContaining(refusal('not_found')),
    )
    expect(roles(group)).toEqual({})
  })
})

describe('remove_member', () => {
  it('is allowed to moderators and admins, against members of the same or a lower role', () => {
    for (const [who, target] of [
      ['moderator', 'member'],
      ['moderator', 'moderator'],
      ['admin', 'moderator'],
      ['admin', 'admin'],
    ] as const) {
      const group = aGroup({ ana: who, bruno: target, clara: 'admin' })
      expect(brief(remove_member(group, by('ana'), { ...g, userId: 'bruno' }, 0))).toContain(
        'record user_left_group 2',
      )
      expect(roles(group)['bruno']).toBeUndefined()
    }
  })
})

describe('every refusal', () => {
  const full = { ana: 'admin', bruno: 'moderator', clara: 'member' } as const
  const direct = { kind: 'direct' } as const
  it.each([
    ['joining a private group', () => aGroup(full), 'eva', join_group, {}, 'not_found'],
    ['joining a direct chat', () => aGroup(full, direct), 'eva', join_group, {}, 'not_found'],
    ['leaving what one is not in', () => aGroup(full), 'eva', leave_group, {}, 'not_found'],
    ['leaving a direct chat', () => aGroup(full, direct), 'ana', leave_group, {}, 'direct_chat'],
    ['adding as a member', () => aGroup(full), 'clara', add_member, { userId: 'eva' }, 'role_needed'],
    ['adding from outside', () => aGroup(full), 'eva', add_member, { userId: 'eva' }, 'not_found'],
    [
      'adding to a direct chat',
      () => aGroup(full, direct),
      'ana',
      add_member,
      { userId: 'eva' },
      'direct_chat',
    ],
    ['removing as a member', () => aGroup(full), 'clara', remove_member, { userId: 'bruno' }, 'role_needed'],
    ['removing a higher role', () => aGroup(full), 'bruno', remove_member, { userId: 'ana' }, 'higher_role'],
    ['removing who is not there', () => aGroup(full), 'ana', remove_member, { userId: 'eva' }, 'not_found'],
    ['removing from outside', () => aGroup(full), 'eva', remove_member, { userId: 'ana' }, 'not_found'],
  ] as const)('of %s changes nothing', (_, make, userId, handler, fields, code) => {
    const group = make()
    const before = snapshot(group)
    expect(() => handler(group, by(userId), { ...g, ...fields } as never, 0)).toThrow(
      expect.objectContaining(refusal(code)),
    )
    expect(snapshot(group)).toEqual(before)
  })
})
