import { describe, expect, it } from 'vitest'
import { createEngine } from '../../engine/engine.ts'
import { eventually } from '../support/conditions.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'
import { blockWrites } from '../support/storage.ts'

describe.each(modes)('changes of messages ($mode)', ({ start }) => {
  it('are the same in history before and after a restart', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const ids: string[] = []
    for (const content of ['edited', 'deleted', 'recalled', 'pinned', 'loved']) {
      ids.push((await ana.sendMessage(text(groupId, content))).message.messageId)
    }
    const [edited, deleted, recalled, pinned, loved] = ids as [string, string, string, string, string]
    await Promise.all([
      ana.editMessage({ messageId: edited, content: 'edited once' }),
      ana.editMessage({ messageId: edited, content: 'edited twice' }),
      ana.deleteMessage({ messageId: deleted }),
      ana.recallMessage({ messageId: recalled }),
      ana.pinMessage({ messageId: pinned }),
      ana.react({ messageId: loved, emoji: '❤️' }),
    ])
    const before = await ana.getHistory({ groupId })
    expect(before.messages.map(({ content }) => content)).toEqual(['edited twice', '', '', 'pinned', 'loved'])
    const seqs = collect(ana, 'message_edited')
    await engine.close()

    const again = await (await start({ dataDir })).connect({ userId: 'ana' })
    expect(await again.getHistory({ groupId })).toEqual(before)
    expect((await again.getPins({ groupId })).messages).toEqual([before.messages[3]])
    expect(seqs).toEqual([])
    await again.unpinMessage({ messageId: pinned })
    await again.unreact({ messageId: loved, emoji: '❤️' })
    const { messages } = await again.getHistory({ groupId })
    expect(messages.slice(3).map(({ pinnedAt, reactions }) => [pinnedAt, reactions])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ])
  })

  it('of messages that are not in memory build on one another', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const { message } = await ana.sendMessage(text(groupId, 'old'))
    const { messageId } = message
    await Promise.all(Array.from({ length: 700 }, (_, i) => ana.sendMessage(text(groupId, `${i}`))))
    // All at once, from two sides: none is lost.
    const emoji = Array.from({ length: 10 }, (_, i) => `:e${i}:`)
    await Promise.all([
      ...emoji.flatMap((one) => [ana, bruno].map((user) => user.react({ messageId, emoji: one }))),
      ana.editMessage({ messageId, content: 'old but better' }),
    ])
    const { messages } = await bruno.getHistory({ groupId, limit: 1, after: message.seq - 1 })
    expect(messages[0]).toMatchObject({ messageId, content: 'old but better' })
    expect(messages[0]?.reactions?.map(({ userIds }) => [...userIds].sort())).toEqual(
      emoji.map(() => ['ana', 'bruno']),
    )
  })

  it('are refused while storage rejects writes, and history contains what was acknowledged', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const { message } = await ana.sendMessage(text(groupId, 'stored'))
    const { messageId } = message
    const unblock = blockWrites(dataDir)
    const unavailable = refusal('storage_unavailable')
    await expect(ana.editMessage({ messageId, content: 'x' })).rejects.toMatchObject(unavailable)
    await expect(ana.deleteMessage({ messageId })).rejects.toMatchObject(unavailable)
    await expect(ana.muteGroup({ groupId })).rejects.toMatchObject(unavailable)
    unblock()
    await eventually(() => expect(engine.health()).toEqual({ ready: true }))
    await ana.deleteMessage({ messageId })
    expect((await ana.getHistory({ groupId })).messages).toMatchObject([{ content: '', deletedBy: 'ana' }])
  })
})

describe('changes with FANOUT=committed', () => {
  it('are not shown before they are committed, neither in events nor in history', async () => {
    const dataDir = temporaryFolder()
    const engine = await startInline({ dataDir, fanout: 'committed' })
    const ana = await engine.connect({ userId: 'ana' })
    const edits = collect(ana, 'message_edited')
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const { message } = await ana.sendMessage(text(groupId, 'first'))
    const unblock = blockWrites(dataDir)
    const edit = ana.editMessage({ messageId: message.messageId, content: 'second' })
    const history = async () => (await ana.getHistory({ groupId })).messages.map(({ content }) => content)
    expect(await history()).toEqual(['first'])
    await expect(edit).rejects.toMatchObject(refusal('storage_unavailable'))
    expect(await history()).toEqual(['first'])
    expect(edits).toEqual([])
    unblock()
    await eventually(() => expect(edits).toHaveLength(1))
    expect(await history()).toEqual(['second'])
  })

  it('of pins are not listed before they are committed', async () => {
    const dataDir = temporaryFolder()
    const engine = await startInline({ dataDir, fanout: 'committed' })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const ids: string[] = []
    for (const content of ['unpinned', 'again', 'deleted', 'pinned']) {
      ids.push((await ana.sendMessage(text(groupId, content))).message.messageId)
    }
    const [unpinned, again, deleted, pinned] = ids as [string, string, string, string]
    for (const messageId of [unpinned, again, deleted]) await ana.pinMessage({ messageId })
    const unblock = blockWrites(dataDir)
    const changes = [
      ana.unpinMessage({ messageId: unpinned }),
      ana.unpinMessage({ messageId: again }),
      ana.deleteMessage({ messageId: deleted }),
      ana.pinMessage({ messageId: again }),
      ana.pinMessage({ messageId: pinned }),
    ]
    const pins = async (limit = 9, cursor?: string) => {
      const page = await ana.getPins({ groupId, limit, cursor })
      return { listed: page.messages.map(({ content }) => content), next: page.cursor }
    }
    expect((await pins()).listed).toEqual(['again', 'deleted', 'unpinned'])
    const { listed, next } = await pins(2)
    expect([listed, (await pins(9, next)).listed]).toEqual([['again', 'deleted'], ['unpinned']])
    for (const change of changes) await expect(change).rejects.toMatchObject(refusal('storage_unavailable'))
    unblock()
    await eventually(async () => expect((await pins()).listed).toEqual(['pinned', 'again']))
  })
})

describe('a group’s rules', () => {
  it('remain in effect after a restart: bans, mutes, roles, invitations', async () => {
    const dataDir = temporaryFolder()
    const first = await createEngine({ dataDir, shards: 'inline' })
    const ana = await first.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({
      kind: 'group',
      members: ['bruno', 'max'],
      visibility: 'open',
    })
    await ana.banMember({ groupId, userId: 'leo' })
    await ana.muteMember({ groupId, userId: 'bruno' })
    await ana.setRole({ groupId, userId: 'max', role: 'moderator' })
    await ana.inviteMember({ groupId, userId: 'eva' })
    await ana.updateGroup({ groupId, visibility: 'private', topic: 'bread' })
    await first.close()

    const engine = await startInline({ dataDir })
    const session = (userId: string) => engine.connect({ userId })
    const [leo, bruno, max, eva] = [
      await session('leo'),
      await session('bruno'),
      await session('max'),
      await session('eva'),
    ]
    expect(max.connected.groups[0]?.group).toMatchObject({ topic: 'bread', visibility: 'private' })
    // IDN-7: to a banned user a private group does not exist.
    await expect(leo.joinGroup({ groupId })).rejects.toMatchObject(refusal('not_found', 'groupId'))
    await expect(bruno.sendMessage(text(groupId, 'x'))).rejects.toMatchObject(refusal('muted'))
    await max.muteMember({ groupId, userId: 'bruno', until: 0 })
    await bruno.sendMessage(text(groupId, 'x'))
    await eva.joinGroup({ groupId })
    await eva.sendMessage(text(groupId, 'y'))
  })
})
