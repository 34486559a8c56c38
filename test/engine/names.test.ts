/**
 * Names and pictures: members see the name and picture of the newest token of a user (IDN-2).
 */
import { expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import type { Session } from '../../engine/hub/session.ts'
import { eventually } from '../support/conditions.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, text } from '../support/sessions.ts'

/** Bruno's name in every place where Ana sees it. */
async function shown(ana: Session, groupId: string): Promise<ReadonlySet<string | undefined>> {
  const isBruno = ({ userId }: { readonly userId: string }) => userId === 'bruno'
  const members = (await ana.getMembers({ groupId })).members
  const online = (await ana.getOnlineUsers({ groupId })).users
  const direct = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
  const listed = (await ana.getGroups({})).groups.find(({ group }) => group.kind === 'direct')
  const { messages } = await ana.getHistory({ groupId })
  return new Set([
    members.find(isBruno)?.name,
    ...online.filter(isBruno).map(({ name }) => name),
    direct.members?.find(isBruno)?.name,
    listed?.group.members?.find(isBruno)?.name,
    (await ana.getContacts({})).users[0]?.name,
    ...messages.filter(({ senderId }) => senderId === 'bruno').map(({ senderName }) => senderName),
  ])
}

it.each(modes)(
  'a new name is shown everywhere, on old messages too, and announced once: $mode',
  async ({ start }) => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await ana.createGroup({ kind: 'direct', members: ['bruno'] })
    expect(await shown(ana, groupId)).toEqual(new Set(['bruno']))
    const updates = collect(ana, 'user_updated')

    const first = await engine.connect({ userId: 'bruno', name: 'Bruno Maier', picture: 'https://x/b.png' })
    await first.sendMessage(text(groupId, 'old'))
    await eventually(async () => expect(await shown(ana, groupId)).toEqual(new Set(['Bruno Maier'])))
    const second = await engine.connect({ userId: 'bruno', name: 'Bruno Schulz' })
    // At once, before or after the log has committed it.
    expect(await shown(ana, groupId)).toEqual(new Set(['Bruno Schulz']))
    await first.sendMessage(text(groupId, 'new'))
    expect(await shown(ana, groupId)).toEqual(new Set(['Bruno Schulz']))
    const members = (await ana.getMembers({ groupId })).members
    expect(members.map(({ picture }) => picture)).toEqual([undefined, 'https://x/b.png'])
    expect(new Set(updates.map(({ name, picture }) => `${name} ${picture}`))).toEqual(
      new Set(['Bruno Maier https://x/b.png', 'Bruno Schulz https://x/b.png']),
    )

    // A token without a name changes nothing.
    second.close()
    await engine.connect({ userId: 'bruno' })
    await engine.request({ userId: 'bruno' }, 'send_message', text(groupId, 'by http'))
    expect(await shown(ana, groupId)).toEqual(new Set(['Bruno Schulz']))
    // A token over HTTP counts as well.
    await engine.request({ userId: 'bruno', name: 'Bruno S.' }, 'get_groups', {})
    await eventually(async () => expect(await shown(ana, groupId)).toEqual(new Set(['Bruno S.'])))
  },
)

it('a user who joins by a token without a name has the same name as before, also after a restart', async () => {
  const dataDir = temporaryFolder()
  const engine = await startInline({ dataDir })
  const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
  const { groupId } = await ana.createGroup({ kind: 'group', visibility: 'open' })
  const bruno = await engine.connect({ userId: 'bruno', name: 'Bruno' })
  bruno.close()
  await engine.close()

  const again = await startInline({ dataDir })
  const joined = collect(await again.connect({ userId: 'ana' }), 'user_joined_group')
  await again.request({ userId: 'bruno' }, 'join_group', { groupId })
  await eventually(() => expect(joined).toMatchObject([{ userId: 'bruno', userName: 'Bruno' }]))
  const members = await again.request({ userId: 'bruno' }, 'get_members', { groupId })
  expect(members).toMatchObject({ members: [{ name: 'Ana' }, { name: 'Bruno' }] })
})

it.each(modes)('hooks get the name that others are shown, $mode', async ({ start }) => {
  const dataDir = temporaryFolder()
  const first = await start({ dataDir })
  await (await first.connect({ userId: 'bruno', name: 'Bruno' })).close()
  await first.close()

  const names: string[] = []
  const engine = await start({
    dataDir,
    hooks: {
      authorize({ user, request }) {
        if (request.event !== 'ping') names.push(user.name)
        return true
      },
      beforeMessage: ({ user }) => void names.push(user.name),
    },
  })
  const bruno = await engine.connect({ userId: 'bruno' })
  const { groupId } = await bruno.createGroup({ kind: 'group' })
  await bruno.sendMessage(text(groupId, 'x'))
  await engine.request({ userId: 'bruno' }, 'get_groups', {})
  expect(names.splice(0)).toEqual(['Bruno', 'Bruno', 'Bruno', 'Bruno'])
  // The newest token also applies to the older sessions.
  const other = await engine.connect({ userId: 'bruno', name: 'Bruno S.' })
  await bruno.getGroups({})
  await engine.request({ userId: 'bruno', name: 'B.' }, 'get_groups', {})
  await other.getGroups({})
  expect(names.splice(0)).toEqual(['Bruno S.', 'B.', 'B.'])
  const unnamed = await engine.connect({ userId: 'nobody' })
  await unnamed.getGroups({})
  expect(names).toEqual(['nobody'])
})

it.each(modes)('replayed events and typing show the current name of a user: $mode', async ({ start }) => {
  const dataDir = temporaryFolder()
  const names = async (engine: Engine) => {
    const ana = await engine.connect({ userId: 'ana' })
    const seen: string[] = []
    ana.on('user_joined_group', ({ userName }) => seen.push(userName))
    ana.on('user_left_group', ({ userName }) => seen.push(userName))
    ana.on('group_created', ({ group }) => seen.push(...(group.members ?? []).map(({ name }) => name)))
    const { groups } = await ana.getGroups({})
    await ana.resume({ groups: groups.map(({ group }) => [group.groupId, 0]) })
    await ana.close()
    return seen.sort()
  }
  const engine = await start({ dataDir })
  const ana = await engine.connect({ userId: 'ana' })
  const { groupId } = await ana.createGroup({ kind: 'group' })
  await ana.createGroup({ kind: 'direct', members: ['bruno'] })
  await ana.addMember({ groupId, userId: 'bruno' })
  await ana.addMember({ groupId, userId: 'clara' })
  await ana.removeMember({ groupId, userId: 'clara' })
  expect(await names(engine)).toEqual(['ana', 'ana', 'bruno', 'bruno', 'clara', 'clara'])
  await (await engine.connect({ userId: 'bruno', name: 'Bruno' })).close()
  // From memory.
  await eventually(async () =>
    expect(await names(engine)).toEqual(['Bruno', 'Bruno', 'ana', 'ana', 'clara', 'clara']),
  )
  await (await engine.connect({ userId: 'clara', name: 'Clara' })).close()
  await engine.close()
  // From storage.
  const again = await start({ dataDir })
  const back = await again.connect({ userId: 'ana' })
  expect(await names(again)).toEqual(['Bruno', 'Bruno', 'Clara', 'Clara', 'ana', 'ana'])
  const typing = collect(back, 'user_typing')
  const bruno = await again.connect({ userId: 'bruno' })
  await bruno.typingStart({ groupId })
  await eventually(() => expect(typing).toMatchObject([{ userId: 'bruno', userName: 'Bruno' }]))
})
