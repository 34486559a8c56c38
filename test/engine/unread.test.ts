import { describe, expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import type { Session } from '../../engine/hub/session.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { collect, text } from '../support/sessions.ts'

/** The counts in `connected` of a new session, and in the list of groups. */
async function counts(engine: Engine, userId: string) {
  const session = await engine.connect({ userId })
  const [summary] = session.connected.groups
  const { groups } = await session.getGroups({})
  session.close()
  expect(groups[0]).toMatchObject({ unread: summary?.unread, mentions: summary?.mentions })
  return { unread: summary?.unread, mentions: summary?.mentions }
}

describe.each(modes)('unread counts ($mode)', ({ start }) => {
  // UNR-1
  it('are the messages of others since the user joined, exact, also after a restart', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await Promise.all(Array.from({ length: 300 }, (_, i) => ana.sendMessage(text(groupId, `${i}`))))
    await Promise.all(Array.from({ length: 7 }, (_, i) => bruno.sendMessage(text(groupId, `${i}`))))
    await ana.addMember({ groupId, userId: 'clara' })
    await ana.sendMessage({ ...text(groupId, 'olá'), mentions: ['clara', 'bruno', 'ana'] })

    const expected = {
      ana: { unread: 7, mentions: 0 },
      bruno: { unread: 301, mentions: 1 },
      clara: { unread: 1, mentions: 1 },
    }
    const actual = async (of: Engine) => ({
      ana: await counts(of, 'ana'),
      bruno: await counts(of, 'bruno'),
      clara: await counts(of, 'clara'),
    })
    expect(await actual(engine)).toEqual(expected)
    await engine.close()
    expect(await actual(await start({ dataDir }))).toEqual(expected)
  })

  it('start from zero for a member who leaves and rejoins', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'], visibility: 'open' })
    await ana.sendMessage(text(groupId, 'um'))
    await bruno.sendMessage(text(groupId, 'dois'))
    await bruno.leaveGroup({ groupId })
    await ana.sendMessage(text(groupId, 'três'))
    await bruno.joinGroup({ groupId })
    await ana.sendMessage(text(groupId, 'quatro'))
    await bruno.sendMessage(text(groupId, 'cinco'))
    expect(await counts(engine, 'bruno')).toEqual({ unread: 1, mentions: 0 })
    expect(await counts(engine, 'ana')).toEqual({ unread: 2, mentions: 0 })
  })
})

describe.each(modes)('a read message ($mode)', ({ start }) => {
  const read = (session: Session, ...messageIds: readonly string[]) =>
    session.messageRead({ messageIds, groupId: (messageIds[0] as string).split(':')[0] as string })

  // UNR-1
  it('is no longer unread, on all devices, at once and after a restart', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const ids: string[] = []
    for (let i = 0; i < 20; i++) {
      const mentions = i % 2 === 0 ? ['bruno'] : []
      ids.push((await ana.sendMessage({ ...text(groupId, `${i}`), mentions })).message.messageId)
    }
    const laptop = await engine.connect({ userId: 'bruno' })
    const received = collect(laptop, 'message_read')
    for (const [i, id] of ids.slice(0, 15).entries()) {
      await read(bruno, id)
      // The counts of a session that connects directly afterwards include what is acknowledged.
      expect(await counts(engine, 'bruno')).toEqual({ unread: 19 - i, mentions: Math.floor((19 - i) / 2) })
    }
    await expect.poll(() => received.flatMap(({ messageIds }) => messageIds)).toEqual(ids.slice(0, 15))
    await ana.deleteMessage({ messageId: ids[16] as string })
    await ana.recallMessage({ messageId: ids[3] as string })
    const expected = { unread: 4, mentions: 1 }
    expect(await counts(engine, 'bruno')).toEqual(expected)
    const receipts = await ana.getReceipts({ messageId: ids[7] as string })
    expect(receipts.read.map(([userId]) => userId)).toEqual(['bruno'])
    await engine.close()

    const again = await start({ dataDir })
    expect(await counts(again, 'bruno')).toEqual(expected)
    const later = await again.connect({ userId: 'ana' })
    expect(await later.getReceipts({ messageId: ids[7] as string })).toEqual(receipts)
    expect(await later.getReceipts({ messageId: ids[17] as string })).toMatchObject({ readCount: 0 })
  })

  it('may be older than the messages in memory', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const sent = await Promise.all(
      Array.from({ length: 900 }, (_, i) => ana.sendMessage(text(groupId, `${i}`))),
    )
    const ids = sent.map(({ message }) => message.messageId)
    const received = collect(ana, 'message_read')
    await Promise.all([
      read(bruno, ...ids.slice(0, 400)),
      bruno.messageDelivered({ messageIds: ids.slice(300, 800) }),
    ])
    await expect.poll(() => received.flatMap(({ messageIds }) => messageIds)).toEqual(ids.slice(0, 400))
    expect(await counts(engine, 'bruno')).toEqual({ unread: 500, mentions: 0 })
    const of = (i: number) => ana.getReceipts({ messageId: ids[i] as string })
    expect(await of(0)).toMatchObject({ deliveredCount: 1, readCount: 1 })
    expect(await of(799)).toMatchObject({ deliveredCount: 1, readCount: 0 })
    expect(await of(800)).toMatchObject({ deliveredCount: 0, readCount: 0 })
  })
})

describe.each(modes)('get_groups ($mode)', ({ start }) => {
  it('lists the most recently active groups first, in pages without gaps', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const ids = []
    for (let i = 0; i < 7; i++) ids.push((await ana.createGroup({ kind: 'group', name: `${i}` })).groupId)
    await ana.sendMessage(text(ids[2] as string, 'the newest'))
    const listed: string[] = []
    for (let cursor: string | undefined, page = 0; page === 0 || cursor; page++) {
      const answer = await ana.getGroups({ limit: 3, cursor })
      expect(answer.groups.length).toBe([3, 3, 1][page])
      listed.push(...answer.groups.map(({ group }) => group.groupId))
      cursor = answer.cursor
    }
    expect(listed[0]).toBe(ids[2])
    expect([...listed].sort()).toEqual([...ids].sort())
    await expect(ana.getGroups({ cursor: 'no cursor' })).rejects.toMatchObject({ field: 'cursor' })
  })
})
