import { describe, expect, it } from 'vitest'
import { startRows, wires } from './harness.ts'

describe.each(wires)('groups over $wire', ({ protocol }) => {
  /** Ana, admin; Max, moderator; Bruno, member; Eva, not a member; and their group. */
  async function kitchen() {
    const rows = await startRows(protocol)
    const [ana, max, bruno, eva] = [
      await rows.device('ana'),
      await rows.device('max'),
      await rows.device('bruno'),
      await rows.device('eva'),
    ]
    const groupId = await ana.group({ name: 'Kitchen', members: ['max', 'bruno'] })
    await bruno.next('group_created')
    await ana.get('set_role', { groupId, userId: 'max', role: 'moderator' }, 'ok')
    return { rows, ana, max, bruno, eva, groupId }
  }

  it('update_group changes the given fields, for all', async () => {
    const { rows, ana, max, bruno, eva, groupId } = await kitchen()
    await max.get('update_group', { groupId, topic: 'bread', name: 'Bakery' }, 'ok')
    const { fields } = await bruno.next('group_updated')
    expect(fields).toMatchObject({ groupId, topic: 'bread', name: 'Bakery', by: 'max' })
    expect(fields.visibility).toBeUndefined()
    await ana.get('update_group', { groupId, topic: '' }, 'ok')
    const again = await rows.device('bruno')
    const connected = again.events[0]
    expect(connected).toMatchObject({
      fields: { groups: [{ group: { name: 'Bakery', visibility: 'private' } }] },
    })
    expect(JSON.stringify(connected)).not.toContain('bread')
    expect(await bruno.refusal('update_group', { groupId, name: 'x' })).toBe('role_needed')
    expect(await eva.refusal('update_group', { groupId, name: 'x' })).toBe('not_found groupId')
    expect(await ana.refusal('update_group', { groupId, visibility: 'secret' })).toBe(
      'bad_request visibility',
    )
    expect(await ana.refusal('update_group', { groupId: 'none', name: 'x' })).toBe('not_found groupId')
  })

  it('set_role is allowed for admins, and one admin remains', async () => {
    const { ana, max, bruno, eva, groupId } = await kitchen()
    expect((await bruno.next('role_changed')).fields).toMatchObject({
      userId: 'max',
      role: 'moderator',
      by: 'ana',
    })
    expect(await max.refusal('set_role', { groupId, userId: 'bruno', role: 'moderator' })).toBe('role_needed')
    expect(await ana.refusal('set_role', { groupId, userId: 'ana', role: 'member' })).toBe('last_admin')
    expect(await ana.refusal('set_role', { groupId, userId: 'eva', role: 'member' })).toBe('not_found userId')
    expect(await ana.refusal('set_role', { groupId, userId: 'max', role: 'king' })).toBe('bad_request role')
    expect(await eva.refusal('set_role', { groupId, userId: 'max', role: 'admin' })).toBe('not_found groupId')
    await ana.get('set_role', { groupId, userId: 'max', role: 'admin' }, 'ok')
    await max.get('set_role', { groupId, userId: 'ana', role: 'member' }, 'ok')
    expect(await ana.refusal('set_role', { groupId, userId: 'max', role: 'member' })).toBe('role_needed')
    const { members } = await bruno.get('get_members', { groupId }, 'members')
    expect(members.map(({ userId, role }) => `${userId} ${role}`)).toEqual([
      'ana member',
      'bruno member',
      'max admin',
    ])
  })

  it('ban_member removes a member and blocks joining until they are invited again', async () => {
    const { ana, max, bruno, eva, groupId } = await kitchen()
    await ana.get('update_group', { groupId, visibility: 'open' }, 'ok')
    expect(await max.refusal('ban_member', { groupId, userId: 'ana' })).toBe('higher_role')
    expect(await bruno.refusal('ban_member', { groupId, userId: 'max' })).toBe('role_needed')
    expect(await ana.refusal('ban_member', { groupId, userId: 'ana' })).toBe('bad_request userId')
    expect(await eva.refusal('ban_member', { groupId, userId: 'bruno' })).toBe('not_a_member')
    await max.get('ban_member', { groupId, userId: 'bruno' }, 'ok')
    expect((await bruno.next('user_left_group')).fields).toMatchObject({
      userId: 'bruno',
      by: 'max',
      banned: true,
    })
    expect(await bruno.refusal('join_group', { groupId })).toBe('banned')
    expect(await bruno.refusal('get_history', { groupId })).toBe('not_a_member')
    await max.get('add_member', { groupId, userId: 'bruno' }, 'ok')
    await bruno.post(groupId, 'I am back')
  })

  it('mute_member stops a member from posting', async () => {
    const { ana, max, bruno, groupId } = await kitchen()
    await max.get('mute_member', { groupId, userId: 'bruno' }, 'ok')
    expect((await bruno.next('member_muted')).fields).toMatchObject({ userId: 'bruno', by: 'max' })
    const text = { groupId, content: 'x', tempId: 'm1' }
    expect(await bruno.refusal('send_message', text)).toBe('muted')
    expect(await bruno.refusal('typing_start', { groupId })).toBe('muted')
    expect(await max.refusal('mute_member', { groupId, userId: 'ana' })).toBe('higher_role')
    expect(await bruno.refusal('mute_member', { groupId, userId: 'bruno', until: 0 })).toBe('role_needed')
    expect(await max.refusal('mute_member', { groupId, userId: 'eva' })).toBe('not_found userId')
    await ana.get('mute_member', { groupId, userId: 'bruno', until: 0 }, 'ok')
    await bruno.get('send_message', text, 'message_sent')
  })

  it('mute_group applies to the caller, on all devices', async () => {
    const { rows, bruno, eva, groupId } = await kitchen()
    await bruno.get('mute_group', { groupId, until: 2_000_000_000_000 }, 'ok')
    const { groups } = await (await rows.device('bruno')).get('get_groups', {}, 'groups')
    expect(groups).toMatchObject([{ group: { groupId }, mutedUntil: 2_000_000_000_000 }])
    await bruno.get('mute_group', { groupId, until: 0 }, 'ok')
    const unmuted = await bruno.get('get_groups', {}, 'groups')
    expect(unmuted.groups[0]?.mutedUntil ?? null).toBeNull()
    expect(await eva.refusal('mute_group', { groupId })).toBe('not_found groupId')
    expect(await bruno.refusal('mute_group', { groupId, until: -1 })).toBe('bad_request until')
  })

  it('a private group can only be joined by invitation', async () => {
    const { max, bruno, eva, groupId } = await kitchen()
    expect(await eva.refusal('join_group', { groupId })).toBe('not_found groupId')
    expect(await bruno.refusal('invite_member', { groupId, userId: 'eva' })).toBe('role_needed')
    await max.get('invite_member', { groupId, userId: 'eva' }, 'ok')
    const { fields } = await eva.next('group_invited')
    expect(fields).toMatchObject({ groupId, by: 'max', group: { name: 'Kitchen' } })
    expect(fields.group.members ?? null).toBeNull()
    const waiting = await eva.get('get_invitations', {}, 'invitations')
    expect(waiting.invitations).toMatchObject([{ by: 'max', group: { groupId, name: 'Kitchen' } }])
    await eva.get('decline_invitation', { groupId }, 'ok')
    expect((await eva.get('get_invitations', {}, 'invitations')).invitations).toEqual([])
    expect(await eva.refusal('join_group', { groupId })).toBe('not_found groupId')

    await max.get('invite_member', { groupId, userId: 'eva' }, 'ok')
    await max.get('remove_member', { groupId, userId: 'eva' }, 'ok')
    expect(await eva.refusal('join_group', { groupId })).toBe('not_found groupId')

    await max.get('invite_member', { groupId, userId: 'eva' }, 'ok')
    await eva.get('join_group', { groupId }, 'ok')
    expect((await eva.get('get_invitations', {}, 'invitations')).invitations).toEqual([])
    await eva.post(groupId, 'thank you')
  })

  it('join_group, leave_group, add_member and remove_member check permissions', async () => {
    const { ana, max, bruno, eva, groupId } = await kitchen()
    expect(await bruno.refusal('add_member', { groupId, userId: 'eva' })).toBe('role_needed')
    expect(await max.refusal('remove_member', { groupId, userId: 'ana' })).toBe('higher_role')
    expect(await max.refusal('remove_member', { groupId, userId: 'eva' })).toBe('not_found userId')
    expect(await eva.refusal('leave_group', { groupId })).toBe('not_found groupId')
    expect(await eva.refusal('join_group', { groupId: 'none' })).toBe('not_found groupId')
    await max.get('add_member', { groupId, userId: 'eva' }, 'ok')
    expect((await eva.next('user_joined_group')).fields).toMatchObject({ userId: 'eva', by: 'max' })
    // The last admin passes the role to the moderator.
    await ana.get('leave_group', { groupId }, 'ok')
    await max.get('remove_member', { groupId, userId: 'bruno' }, 'ok')
    await max.get('set_role', { groupId, userId: 'eva', role: 'admin' }, 'ok')
  })

  it('a direct chat exists once per pair, also if both create it at the same time', async () => {
    const { ana, bruno, eva } = await kitchen()
    const [mine, his] = await Promise.all([
      ana.group({ kind: 'direct', members: ['bruno'] }),
      bruno.group({ kind: 'direct', members: ['ana'] }),
    ])
    expect(mine).toBe(his)
    const groupId = mine
    expect(await ana.refusal('add_member', { groupId, userId: 'eva' })).toBe('direct_chat')
    expect(await ana.refusal('ban_member', { groupId, userId: 'bruno' })).toBe('direct_chat')
    expect(await ana.refusal('update_group', { groupId, name: 'x' })).toBe('direct_chat')
    expect(await ana.refusal('leave_group', { groupId })).toBe('direct_chat')
    expect(await eva.refusal('join_group', { groupId })).toBe('not_found groupId')
    const messageId = await ana.post(groupId, 'just us')
    expect(await bruno.refusal('delete_message', { messageId })).toBe('not_yours')
    expect(await ana.refusal('create_group', { kind: 'direct', members: ['a', 'b'] })).toBe(
      'bad_request members',
    )
  })

  it('create_group, get_groups and get_members validate their fields', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    expect(await ana.refusal('create_group', { kind: 'crowd' })).toBe('bad_request kind')
    expect(await ana.refusal('create_group', { kind: 'group', groupId })).toBe('already_exists groupId')
    expect(await ana.refusal('get_groups', { cursor: 'x' })).toBe('bad_request cursor')
    expect(await eva.refusal('get_members', { groupId })).toBe('not_found groupId')
    expect(await bruno.refusal('get_members', { groupId, cursor: '-1' })).toBe('bad_request cursor')
    const first = await bruno.get('get_members', { groupId, limit: 2 }, 'members')
    const rest = await bruno.get('get_members', { groupId, cursor: first.cursor }, 'members')
    expect([...first.members, ...rest.members].map(({ userId }) => userId)).toEqual(['ana', 'bruno', 'max'])
    expect(rest.cursor ?? null).toBeNull()
  })
})

describe.each(wires)('a newer token over $wire', ({ protocol }) => {
  // IDN-2
  it('with another name renames its user at once, for everyone and in new messages', async () => {
    const rows = await startRows(protocol)
    const [ana, bruno] = [await rows.device('ana'), await rows.device('bruno')]
    const groupId = await ana.group({ members: ['bruno'] })
    const token = await rows.tokenOf('ana', 'Ana Nova')
    expect(await ana.ask('refresh_token', { token })).toMatchObject({ event: 'ok' })
    const updated = await bruno.first(({ event }) => event === 'user_updated')
    expect(updated.fields).toMatchObject({ userId: 'ana', name: 'Ana Nova' })
    await ana.post(groupId, 'olá')
    const received = await bruno.first(({ event }) => event === 'new_message')
    expect(received).toMatchObject({ fields: { message: { senderName: 'Ana Nova' } } })
    expect((await bruno.ask('get_members', { groupId })).fields).toMatchObject({
      members: [{ userId: 'ana', name: 'Ana Nova' }, {}],
    })
  })
})
