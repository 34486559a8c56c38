/**
 * What outlives a membership: a mute, and the fact that a user left by choice. Also: typing of invisible
 * users is not shown.
 */
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'

describe.each(modes)('former members, $mode', ({ start }) => {
  // GRP-2
  it('stay muted, however they leave and rejoin, also after a restart', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const [ana, bruno] = [await first.connect({ userId: 'ana' }), await first.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', visibility: 'open', members: ['bruno'] })
    const { message } = await ana.sendMessage(text(groupId, 'rules'))
    await ana.muteMember({ groupId, userId: 'bruno' })
    const isMuted = async (session: typeof bruno) => {
      const { messageId } = message
      await expect(session.sendMessage(text(groupId, 'spam'))).rejects.toMatchObject(refusal('muted'))
      await expect(session.react({ messageId, emoji: '👍' })).rejects.toMatchObject(refusal('muted'))
      await expect(session.typingStart({ groupId })).rejects.toMatchObject(refusal('muted'))
      const signal = session.signal({ groupId, kind: 'k', payload: 'spam' })
      await expect(signal).rejects.toMatchObject(refusal('muted'))
      await session.signal({ groupId, toUserId: 'ana', kind: 'call', payload: '' })
    }
    await isMuted(bruno)
    await bruno.leaveGroup({ groupId })
    await bruno.joinGroup({ groupId })
    await isMuted(bruno)
    await ana.removeMember({ groupId, userId: 'bruno' })
    await first.close()

    const engine = await start({ dataDir })
    const [anaAgain, again] = [
      await engine.connect({ userId: 'ana' }),
      await engine.connect({ userId: 'bruno' }),
    ]
    await anaAgain.addMember({ groupId, userId: 'bruno' })
    await isMuted(again)
    await anaAgain.banMember({ groupId, userId: 'bruno' })
    await anaAgain.addMember({ groupId, userId: 'bruno' })
    await isMuted(again)
    await anaAgain.muteMember({ groupId, userId: 'bruno', until: 0 })
    await again.leaveGroup({ groupId })
    await again.joinGroup({ groupId })
    await again.sendMessage(text(groupId, 'sorry'))
  })

  // GRP-3
  it('rejoin only by their own request if they left by choice, otherwise when they are added', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const [ana, bruno] = [await first.connect({ userId: 'ana' }), await first.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno', 'clara'] })
    const invited = collect(bruno, 'group_invited')
    await bruno.leaveGroup({ groupId })
    await ana.addMember({ groupId, userId: 'bruno' })
    await ana.addMember({ groupId, userId: 'bruno' })
    await eventually(() => expect(invited).toMatchObject([{ groupId, by: 'ana' }]))
    expect((await bruno.getGroups({})).groups).toEqual([])
    await bruno.declineInvitation({ groupId })
    await ana.removeMember({ groupId, userId: 'clara' })
    await first.close()

    const engine = await start({ dataDir })
    const again = await engine.connect({ userId: 'ana' })
    await again.addMember({ groupId, userId: 'bruno' })
    await again.addMember({ groupId, userId: 'clara' })
    const members = async () => (await again.getMembers({ groupId })).members.map(({ userId }) => userId)
    expect(await members()).toEqual(['ana', 'clara'])
    const brunoAgain = await engine.connect({ userId: 'bruno' })
    await brunoAgain.joinGroup({ groupId })
    expect(await members()).toEqual(['ana', 'clara', 'bruno'])
    await again.removeMember({ groupId, userId: 'bruno' })
    await again.addMember({ groupId, userId: 'bruno' })
    expect(await members()).toEqual(['ana', 'clara', 'bruno'])
  })

  // PRS-4
  it('nobody sees the typing of invisible users, or of users who become invisible', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const posts: string[] = []
    for (const session of [ana, bruno]) session.on('new_message', () => posts.push('seen'))
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await ana.sendMessage(text(groupId, 'both are there'))
    await eventually(() => expect(posts.length).toBe(2))
    const seen: string[] = []
    ana.on('user_typing', ({ userId }) => seen.push(`${userId} types`))
    ana.on('user_stopped_typing', ({ userId }) => seen.push(`${userId} stopped`))
    await bruno.typingStart({ groupId })
    await bruno.updateStatus({ status: 'offline' })
    await eventually(() => expect(seen).toEqual(['bruno types', 'bruno stopped']))
    await bruno.typingStart({ groupId })
    await bruno.typingStop({ groupId })
    await bruno.updateStatus({ status: 'busy' })
    await bruno.typingStart({ groupId })
    await eventually(() => expect(seen).toEqual(['bruno types', 'bruno stopped', 'bruno types']))
    await bruno.typingStop({ groupId })
  })
})
