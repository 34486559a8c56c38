/**
 * Names and pictures: what members are shown of one another, whichever token came last (IDN-2).
 */
import { expect, it } from 'vitest'
import type { Session } from '../../engine/session.ts'
import { eventually } from '../support/conditions.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, text } from '../support/sessions.ts'

/** Every place where Ana is shown what Bruno is called. */
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
  'a new name is shown everywhere, on old messages too, and told once: $mode',
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
    // At once, whether or not the log has committed it.
    expect(await shown(ana, groupId)).toEqual(new Set(['Bruno Schulz']))
    await first.sendMessage(text(groupId, 'new'))
    expect(await shown(ana, groupId)).toEqual(new Set(['Bruno Schulz']))
    const members = (await ana.getMembers({ groupId })).members
    expect(members.map(({ picture }) => picture)).toEqual([undefined, 'https://x/b.png'])
    expect(new Set(updates.map(({ name, picture }) => `${name} ${picture}`))).toEqual(
      new Set(['Bruno Maier https://x/b.png', 'Bruno Schulz https://x/b.png']),
    )

    // A token that says nothing changes nothing.
    second.close()
    await engine.connect({ userId: 'bruno' })
    await engine.request({ userId: 'bruno' }, 'send_message', text(groupId, 'by http'))
    expect(await shown(ana, groupId)).toEqual(new Set(['Bruno Schulz']))
    // One over HTTP counts as any other.
    await engine.request({ userId: 'bruno', name: 'Bruno S.' }, 'get_groups', {})
    await eventually(async () => expect(await shown(ana, groupId)).toEqual(new Set(['Bruno S.'])))
  },
)

it('who joins by a token without a name is called as before, also after a restart', async () => {
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
