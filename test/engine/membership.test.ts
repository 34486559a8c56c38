import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { modes } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'

describe.each(modes)('create_group ($mode)', ({ start }) => {
  it('makes its creator the admin and notifies every connected member', async () => {
    const engine = await start()
    const [ana, bruno] = [
      await engine.connect({ userId: 'ana', name: 'Ana' }),
      await engine.connect({ userId: 'bruno' }),
    ]
    const created = collect(bruno, 'group_created')
    const group = await ana.createGroup({
      kind: 'group',
      name: 'Cozinha',
      members: ['bruno', 'clara', 'ana'],
    })
    expect(group).toMatchObject({ name: 'Cozinha', visibility: 'private', memberCount: 3, createdBy: 'ana' })
    expect(group.members?.map(({ userId, role }) => `${userId} ${role}`)).toEqual([
      'ana admin',
      'bruno member',
      'clara member',
    ])
    await eventually(() =>
      expect(created).toMatchObject([{ group, groupId: group.groupId, seq: 1, by: 'ana' }]),
    )
  })

  it('accepts a given id once', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    expect((await ana.createGroup({ kind: 'group', groupId: 'kitchen' })).groupId).toBe('kitchen')
    await expect(bruno.createGroup({ kind: 'group', groupId: 'kitchen' })).rejects.toMatchObject(
      refusal('already_exists', 'groupId'),
    )
  })

  it('returns the one direct chat of two users, even if both create it at the same time', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const made = await Promise.all([
      ana.createGroup({ kind: 'direct', members: ['bruno'] }),
      bruno.createGroup({ kind: 'direct', members: ['ana'] }),
    ])
    expect(new Set(made.map(({ groupId }) => groupId)).size).toBe(1)
    expect((await ana.getGroups({})).groups.length).toBe(1)
    await expect(ana.createGroup({ kind: 'direct', members: ['bruno', 'clara'] })).rejects.toMatchObject(
      refusal('bad_request', 'members'),
    )
    await expect(ana.createGroup({ kind: 'direct', members: ['ana'] })).rejects.toMatchObject(
      refusal('bad_request', 'members'),
    )
  })

  it('refuses to change the members of a direct chat', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const eva = await engine.connect({ userId: 'eva' })
    const { groupId } = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
    await expect(ana.addMember({ groupId, userId: 'eva' })).rejects.toMatchObject(refusal('direct_chat'))
    await expect(ana.removeMember({ groupId, userId: 'bruno' })).rejects.toMatchObject(refusal('direct_chat'))
    await expect(ana.leaveGroup({ groupId })).rejects.toMatchObject(refusal('direct_chat'))
    await expect(eva.joinGroup({ groupId })).rejects.toMatchObject(refusal('not_found', 'groupId'))
  })
})

describe.each(modes)('membership ($mode)', ({ start }) => {
  it('of an open group is by joining, of a private one by invitation', async () => {
    const engine = await start()
    const [ana, bruno] = [
      await engine.connect({ userId: 'ana' }),
      await engine.connect({ userId: 'bruno', name: 'Bruno' }),
    ]
    const open = await ana.createGroup({ kind: 'group', visibility: 'open' })
    const closed = await ana.createGroup({ kind: 'group' })
    const joined = collect(ana, 'user_joined_group')
    const received = collect(bruno, 'new_message')

    await bruno.joinGroup({ groupId: open.groupId })
    await bruno.joinGroup({ groupId: open.groupId })
    await expect(bruno.joinGroup({ groupId: closed.groupId })).rejects.toMatchObject(
      refusal('not_found', 'groupId'),
    )
    await ana.addMember({ groupId: closed.groupId, userId: 'bruno' })
    await ana.addMember({ groupId: closed.groupId, userId: 'bruno' })

    const bruno2 = { userId: 'bruno', userName: 'Bruno', seq: 2 }
    await eventually(() =>
      expect(joined).toEqual([
        { ...bruno2, groupId: open.groupId },
        { ...bruno2, groupId: closed.groupId, by: 'ana' },
      ]),
    )
    await ana.sendMessage(text(closed.groupId, 'olá'))
    await eventually(() => expect(received).toMatchObject([{ message: { content: 'olá' } }]))
  })

  it('ends for all devices at once, after the event that reports it', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const devices = [await engine.connect({ userId: 'bruno' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const left = devices.map((device) => collect(device, 'user_left_group'))
    const received = devices.map((device) => collect(device, 'new_message'))
    await ana.sendMessage(text(groupId, 'before'))
    await eventually(() => expect(received.map((events) => events.length)).toEqual([1, 1]))
    await ana.removeMember({ groupId, userId: 'bruno' })
    await ana.sendMessage(text(groupId, 'after'))

    await expect(devices[0]?.getHistory({ groupId })).rejects.toMatchObject(refusal('not_found', 'groupId'))
    await eventually(() => expect(left.map((events) => events.length)).toEqual([1, 1]))
    expect(left[0]).toEqual([{ userId: 'bruno', userName: 'bruno', groupId, seq: 3, by: 'ana' }])
    expect(received.flat().map(({ message }) => message.content)).toEqual(['before', 'before'])
    expect((await devices[0]?.getGroups({}))?.groups).toEqual([])
  })

  it('is changed only by moderators and admins, and never against a higher role', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const eva = await engine.connect({ userId: 'eva' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await expect(bruno.addMember({ groupId, userId: 'eva' })).rejects.toMatchObject(refusal('role_needed'))
    await expect(bruno.removeMember({ groupId, userId: 'ana' })).rejects.toMatchObject(refusal('role_needed'))
    await expect(eva.addMember({ groupId, userId: 'eva' })).rejects.toMatchObject(
      refusal('not_found', 'groupId'),
    )
    await expect(ana.removeMember({ groupId, userId: 'eva' })).rejects.toMatchObject(
      refusal('not_found', 'userId'),
    )
    await expect(eva.leaveGroup({ groupId })).rejects.toMatchObject(refusal('not_found', 'groupId'))
  })

  it('passes the admin role to the oldest member when the last admin leaves', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno', 'clara'] })
    const changed = collect(bruno, 'role_changed')
    await eventually(() => bruno.getHistory({ groupId }))
    await ana.leaveGroup({ groupId })
    await eventually(() =>
      expect(changed).toMatchObject([{ userId: 'bruno', role: 'admin', seq: 3, by: 'ana' }]),
    )
    await bruno.addMember({ groupId, userId: 'dora' })
  })
})
