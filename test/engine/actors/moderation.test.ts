import { describe, expect, it } from 'vitest'
import { groupHandlers } from '../../../engine/actors/group/group-handlers.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { permissions } from '../../../engine/actors/group/permissions.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestsTo } from '../../../protocol/requests.ts'
import { aGroup, aMember, aPost, brief, by, given, newcomers, only, snapshot } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'

const g = { groupId: 'g' }
const FOREVER = Number.MAX_SAFE_INTEGER
const done = ['answer_committed ok']

const aCrew = (info = {}): GroupState =>
  aGroup({ ana: 'admin', max: 'moderator', bruno: 'member', clara: 'member' }, info)

const refused = (code: string, field?: string) => expect.objectContaining(refusal(code, field))

// GRP-1
describe('the table of permissions', () => {
  /** A request of each kind that would succeed for an admin, about Bruno or his post. */
  const fields: { readonly [N in RequestsTo<'group'>]?: object } = {
    add_member: { ...g, userId: 'eva' },
    invite_member: { ...g, userId: 'eva' },
    remove_member: { ...g, userId: 'bruno' },
    ban_member: { ...g, userId: 'bruno' },
    mute_member: { ...g, userId: 'bruno' },
    set_role: { ...g, userId: 'bruno', role: 'moderator' },
    update_group: { ...g, name: 'Other' },
    pin_message: { messageId: 'g:2' },
    unpin_message: { messageId: 'g:2' },
    delete_message: { messageId: 'g:2' },
  }
  const rank = { member: 0, moderator: 1, admin: 2 }
  const lowest = { ...permissions, delete_message: { role: 'moderator', groupsOnly: false } } as const
  const withPost = (info = {}) => {
    const group = aCrew(info)
    group.recent.push({ seq: 2, message: { ...aPost(2), senderId: 'bruno' } }, 0, 0)
    return group
  }

  it.each(Object.keys(fields) as RequestsTo<'group'>[])('applies to %s', (name) => {
    const handler = groupHandlers[name]
    const ask = (group: GroupState, userId: string) => handler(group, by(userId), fields[name] as never, 0)
    const { role, groupsOnly } = lowest[name]
    const roles = { ana: 'admin', max: 'moderator', clara: 'member' } as const
    for (const [userId, has] of Object.entries(roles)) {
      const may = role !== 'anyone' && rank[has] >= rank[role]
      if (may) expect(ask(withPost(), userId).length, `${has}`).toBeGreaterThan(0)
      else expect(() => ask(withPost(), userId), `${has}`).toThrow(refused('role_needed'))
    }
    expect(() => ask(withPost(), 'eva')).toThrow(refused('not_found'))
    if (groupsOnly) {
      expect(() => ask(withPost({ kind: 'direct' }), 'ana')).toThrow(refused('direct_chat'))
    }
  })
})

describe('set_role', () => {
  const { set_role } = groupHandlers

  it('is written, sent to all, and requires that an admin remains', () => {
    const group = aCrew()
    const effects = set_role(group, by('ana'), { ...g, userId: 'bruno', role: 'admin' }, 5)
    expect(brief(effects)).toEqual(['append member', 'record role_changed 2', ...done])
    expect(brief(set_role(group, by('ana'), { ...g, userId: 'ana', role: 'member' }, 6))).toHaveLength(3)
    expect(() => set_role(group, by('bruno'), { ...g, userId: 'bruno', role: 'member' }, 7)).toThrow(
      refused('last_admin'),
    )
    expect(brief(set_role(group, by('bruno'), { ...g, userId: 'ana', role: 'member' }, 8))).toEqual(done)
  })
})

describe('ban_member', () => {
  const { ban_member, join_group, add_member } = groupHandlers

  it('ends the membership and an invitation, and reports that it was a ban', () => {
    const group = aCrew()
    const effects = ban_member(group, by('max'), { ...g, userId: 'bruno' }, 0)
    expect(brief(effects)).toEqual([
      'append ban',
      'append member_left',
      'record user_left_group 2',
      'unsubscribe',
      'tell bruno left',
      ...done,
    ])
    expect(only(effects, 'record').event.fields).toMatchObject({ by: 'max', banned: true })
    group.invited.add('eva')
    expect(brief(ban_member(group, by('max'), { ...g, userId: 'eva' }, 0))).toEqual([
      'append ban',
      'append uninvite',
      ...done,
    ])
  })

  it('prevents joining an open group until another member adds the user again', () => {
    const group = aCrew({ visibility: 'open' })
    group.banned.add('eva')
    expect(() => join_group(group, by('eva'), g, 0)).toThrow(refused('banned'))
    const [readName] = add_member(group, by('max'), { ...g, userId: 'eva' }, 0)
    const effects =
      readName?.type === 'read' ? readName.then(newcomers([{ name: 'Eva', picture: '' }]) as never, 0) : []
    expect(brief(effects)).toEqual([
      'append unban',
      'append member',
      'record user_joined_group 2',
      'tell eva joined',
      ...done,
    ])
    expect(group.banned.size).toBe(0)
  })

  it('is refused against a higher role, and changes nothing', () => {
    const group = aCrew()
    const before = snapshot(group)
    expect(() => ban_member(group, by('max'), { ...g, userId: 'ana' }, 0)).toThrow(refused('higher_role'))
    expect(() => ban_member(group, by('max'), { ...g, userId: 'max' }, 0)).toThrow(
      refused('bad_request', 'userId'),
    )
    expect([snapshot(group), group.banned.size]).toEqual([before, 0])
  })
})

describe('mute_member', () => {
  const { mute_member } = groupHandlers

  it('lasts forever without a time, and 0 ends it', () => {
    const group = aCrew()
    const effects = mute_member(group, by('max'), { ...g, userId: 'bruno' }, 0)
    expect(only(effects, 'record').event.fields).toMatchObject({ userId: 'bruno', until: FOREVER })
    expect(group.members.get('bruno')?.mutedUntil).toBe(FOREVER)
    mute_member(group, by('max'), { ...g, userId: 'bruno', until: 0 }, 0)
    expect(group.members.get('bruno')?.mutedUntil).toBe(0)
    expect(brief(mute_member(group, by('max'), { ...g, userId: 'bruno', until: 0 }, 0))).toEqual(done)
  })
})

describe('a mute until a time that has passed', () => {
  const { mute_member, mute_group } = groupHandlers

  it('has no effect, and ends a current mute', () => {
    const group = aCrew()
    const bruno = { ...g, userId: 'bruno' }
    expect(brief(mute_member(group, by('max'), { ...bruno, until: 5 }, 5))).toEqual(done)
    expect(brief(mute_group(group, by('bruno'), { ...g, until: 5 }, 5))).toEqual(done)
    mute_member(group, by('max'), bruno, 0)
    mute_group(group, by('bruno'), g, 0)
    const ended = mute_member(group, by('max'), { ...bruno, until: 5 }, 6)
    expect(only(ended, 'record').event.fields).toMatchObject({ userId: 'bruno', until: 0 })
    mute_group(group, by('bruno'), { ...g, until: 5 }, 6)
    expect(group.members.get('bruno')).toEqual(aMember('bruno'))
  })
})

describe('mute_group', () => {
  it('affects the caller only: no number, no event', () => {
    const group = aCrew()
    const { mute_group } = groupHandlers
    expect(brief(mute_group(group, by('bruno'), { ...g, until: 9 }, 0))).toEqual(['append member', ...done])
    expect(group.members.get('bruno')).toEqual(aMember('bruno', { quietUntil: 9 }))
    expect(group.lastSeq).toBe(1)
  })
})

describe('update_group', () => {
  const { update_group } = groupHandlers

  it('contains only what changed', () => {
    const group = aCrew({ name: 'Kitchen', topic: 'bread' })
    const effects = update_group(group, by('max'), { ...g, name: 'Kitchen', topic: '' }, 4)
    expect(brief(effects)).toEqual(['append group', 'record group_updated 2', ...done])
    expect(only(effects, 'record').event.fields).toEqual({
      topic: '',
      groupId: 'g',
      seq: 2,
      by: 'max',
      at: 4,
    })
    expect(group.info).toMatchObject({ name: 'Kitchen', topic: undefined })
    expect(brief(update_group(group, by('max'), { ...g, topic: '' }, 4))).toEqual(done)
  })
})

describe('the name of a group', () => {
  const { update_group } = groupHandlers

  it('is removed by an empty one, in the event, the state and the log', () => {
    const group = aCrew({ name: 'Kitchen' })
    const effects = update_group(group, by('max'), { ...g, name: '' }, 4)
    expect(only(effects, 'record').event.fields).toMatchObject({ name: '' })
    expect(group.info.name).toBeUndefined()
    expect(only(effects, 'append').entry).toMatchObject({ type: 'group', group: { name: undefined } })
    expect(brief(update_group(group, by('max'), { ...g, name: '' }, 5))).toEqual(done)
  })
})

describe('invite_member', () => {
  const { add_member, invite_member, join_group, decline_invitation, remove_member } = groupHandlers
  const eva = { ...g, userId: 'eva' }
  const invite = (group: GroupState, target: typeof eva, now: number, barred: readonly string[] = []) =>
    given(
      invite_member(group, by('max'), target, now),
      newcomers([{ name: 'Eva', picture: '' }], barred),
      now,
    )

  // PRV-1
  it('is refused if one of the two has blocked the other', () => {
    const group = aCrew()
    expect(() => invite(group, eva, 3, ['eva'])).toThrow(refused('no_contact', 'userId'))
    expect(group.invited.size).toBe(0)
  })

  // INP-2
  it('is refused if the user has the maximum number of invitations, unless already invited here', () => {
    const group = aCrew()
    const many = newcomers([{ name: 'Eva', picture: '' }], [], [0, limits.invitations])
    const invited = () => given(invite_member(group, by('max'), eva, 3), many, 3)
    expect(invited).toThrow(refused('limit_reached', 'userId'))
    group.invited.add('eva')
    expect(brief(invited())).toEqual(done)
    // A user who left by choice is invited too. GRP-3
    group.invited.delete('eva')
    group.former.set('eva', { byChoice: true, mutedUntil: 0 })
    expect(() => given(add_member(group, by('max'), eva, 0), many, 3)).toThrow(
      refused('limit_reached', 'userId'),
    )
  })

  it('is stored, and sent to the invited user without the members', () => {
    const group = aCrew()
    const effects = invite(group, eva, 3)
    expect(brief(effects)).toEqual(['append invite', 'send_user', ...done])
    expect(only(effects, 'send_user')).toMatchObject({
      userId: 'eva',
      event: { fields: { by: 'max', at: 3, group: { memberCount: 4, members: undefined } } },
    })
    expect(brief(invite(group, eva, 4))).toEqual(done)
    expect(brief(invite(group, { ...g, userId: 'bruno' }, 4))).toEqual(done)
  })

  it('opens the private group, once', () => {
    const group = aCrew()
    expect(() => join_group(group, by('eva'), g, 0)).toThrow(refused('not_found'))
    group.invited.add('eva')
    expect(brief(join_group(group, by('eva'), g, 0)).slice(0, 2)).toEqual([
      'append uninvite',
      'append member',
    ])
    expect(group.invited.size).toBe(0)
  })

  it('is declined by the invited user, or revoked', () => {
    const group = aCrew()
    group.invited.add('eva').add('leo')
    expect(brief(decline_invitation(group, by('eva'), g, 0))).toEqual(['append uninvite', ...done])
    expect(brief(decline_invitation(group, by('eva'), g, 0))).toEqual(done)
    expect(brief(remove_member(group, by('max'), { ...g, userId: 'leo' }, 0))).toEqual([
      'append uninvite',
      ...done,
    ])
  })

  it('is limited in number', () => {
    const group = aCrew()
    for (let i = 0; i < limits.invitations; i++) group.invited.add(`u${i}`)
    expect(() => invite(group, eva, 0)).toThrow(refused('limit_reached'))
  })
})
