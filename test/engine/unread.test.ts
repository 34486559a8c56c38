import { describe, expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { text } from '../support/sessions.ts'

/** What a new session of the user is told, and what the list of groups says. */
async function counts(engine: Engine, userId: string) {
  const session = await engine.connect({ userId })
  const [summary] = session.connected.groups
  const { groups } = await session.getGroups({})
  session.close()
  expect(groups[0]).toMatchObject({ unread: summary?.unread, mentions: summary?.mentions })
  return { unread: summary?.unread, mentions: summary?.mentions }
}

describe.each(modes)('unread counts ($mode)', ({ start }) => {
  it('are the messages of others since one joined, exact, also after a restart', async () => {
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

  it('begin anew for who leaves and comes back', async () => {
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

describe.each(modes)('get_groups ($mode)', ({ start }) => {
  it('lists the most recently active first, in pages that meet', async () => {
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
