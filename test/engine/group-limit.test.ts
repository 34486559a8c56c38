import { describe, expect, it } from 'vitest'
import type { Session } from '../../engine/hub/session.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { refusal } from '../support/sessions.ts'

const open = (groupId: string) => ({ kind: 'group', visibility: 'open', groupId }) as const
const full = refusal('limit_reached')
/** The calls that were answered with success. */
const accepted = async (calls: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled').length

// INP-2
describe.each(modes)('the limit of groups of a user ($mode)', ({ start }) => {
  it('applies to groups that the user creates, also to many at once', async () => {
    const engine = await start({ maxGroupsPerUser: 3 })
    const ana = await engine.connect({ userId: 'ana' })
    const made = Array.from({ length: 8 }, (_, i) => ana.createGroup(open(`g${i}`)))
    expect(await accepted(made)).toBe(3)
    await expect(ana.createGroup({ kind: 'group' })).rejects.toMatchObject({
      ...full,
      message: 'a user must be in at most 3 groups',
    })
    await expect(ana.createGroup({ kind: 'direct', members: ['bruno'] })).rejects.toMatchObject(full)
    const [first] = (await ana.getGroups({})).groups
    await ana.leaveGroup({ groupId: first?.group.groupId ?? '' })
    await expect.poll(() => accepted([ana.createGroup({ kind: 'group' })])).toBe(1)
  })

  it('applies to groups that the user joins, is invited to, or is added to', async () => {
    const engine = await start({ maxGroupsPerUser: 2 })
    const boss = await engine.connect({ userId: 'boss' })
    const other = await engine.connect({ userId: 'other' })
    const ana = await engine.connect({ userId: 'ana' })
    await boss.createGroup(open('a'))
    await boss.createGroup({ kind: 'group', groupId: 'private' })
    await other.createGroup(open('b'))
    await other.createGroup(open('c'))
    await boss.inviteMember({ groupId: 'private', userId: 'ana' })
    await ana.joinGroup({ groupId: 'a' })
    await ana.joinGroup({ groupId: 'b' })
    await expect.poll(() => refusedWith(ana.joinGroup({ groupId: 'c' }))).toBe('limit_reached')
    await expect(ana.joinGroup({ groupId: 'private' })).rejects.toMatchObject(full)
    await expect(other.addMember({ groupId: 'c', userId: 'ana' })).rejects.toMatchObject(
      refusal('limit_reached', 'userId'),
    )
    const third = await engine.connect({ userId: 'third' })
    const withAna = { kind: 'group', members: ['someone', 'ana'] } as const
    await expect(third.createGroup(withAna)).rejects.toMatchObject(refusal('limit_reached', 'members'))
    await expect(third.createGroup({ kind: 'direct', members: ['ana'] })).rejects.toMatchObject(
      refusal('limit_reached', 'members'),
    )
    // A member may join again, and there is room again after a leave.
    await ana.joinGroup({ groupId: 'a' })
    await ana.leaveGroup({ groupId: 'a' })
    await expect.poll(() => refusedWith(ana.joinGroup({ groupId: 'private' }))).toBe('none')
  })

  it('applies to users who are not connected, and after a restart', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir, maxGroupsPerUser: 2 })
    const boss = await first.connect({ userId: 'boss' })
    await boss.createGroup(open('a'))
    await boss.createGroup(open('b'))
    const other = await first.connect({ userId: 'other' })
    await other.createGroup(open('c'))
    for (const groupId of ['a', 'b']) await first.request({ userId: 'ana' }, 'join_group', { groupId })
    const join = { groupId: 'c' }
    await expect(first.request({ userId: 'ana' }, 'join_group', join)).rejects.toMatchObject(full)
    await expect(first.request({ userId: 'ana' }, 'create_group', open('d'))).rejects.toMatchObject(full)
    await first.close()

    const engine = await start({ dataDir, maxGroupsPerUser: 2 })
    const ana = await engine.connect({ userId: 'ana' })
    await expect.poll(() => refusedWith(ana.joinGroup(join))).toBe('limit_reached')
    await expect(ana.createGroup(open('d'))).rejects.toMatchObject(full)
  })
})

it('does not count an existing direct chat again', async () => {
  const engine = await startInline({ maxGroupsPerUser: 1 })
  const ana = await engine.connect({ userId: 'ana' })
  const { groupId } = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
  const again = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
  expect(again.groupId).toBe(groupId)
  const bruno = await engine.connect({ userId: 'bruno' })
  expect((await bruno.createGroup({ kind: 'direct', members: ['ana'] })).groupId).toBe(groupId)
})

it('is off if it is 0', async () => {
  const engine = await startInline({ maxGroupsPerUser: 0 })
  const ana = await engine.connect({ userId: 'ana' })
  for (let i = 0; i < 20; i++) await ana.createGroup({ kind: 'group' })
  expect((await ana.getGroups({})).groups).toHaveLength(20)
})

/** The code of the refusal, or `none`. */
async function refusedWith(call: ReturnType<Session['joinGroup']>): Promise<string> {
  try {
    await call
    return 'none'
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}
