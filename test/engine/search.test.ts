import { describe, expect, it } from 'vitest'
import type { Session } from '../../engine/hub/session.ts'
import { SearchIndex } from '../../engine/search/search-index.ts'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { refusal, text } from '../support/sessions.ts'

const contents = async (session: Session, query: string) =>
  (await session.search({ query })).hits.map(({ message }) => message.content)
const finds = (session: Session, query: string, expected: readonly string[]) =>
  eventually(async () => expect(await contents(session, query)).toEqual(expected))

describe.each(modes)('search ($mode)', ({ start }) => {
  it('finds messages in all groups of the user, across restarts, with and without its file', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    for (const name of ['one', 'two', 'three']) {
      const { groupId } = await ana.createGroup({ kind: 'group', name })
      const { message } = await ana.sendMessage(text(groupId, `bread ${name}`))
      // Messages of different groups and one millisecond have no order.
      await eventually(() => expect(Date.now()).toBeGreaterThan(message.createdAt))
    }
    const all = ['bread three', 'bread two', 'bread one']
    await finds(ana, 'bread', all)
    await engine.close()

    const again = await start({ dataDir })
    await finds(await again.connect({ userId: 'ana' }), 'bread', all)
    expect((await again.stats()).search).toEqual({ lag: 0, lagMs: 0, indexed: 0, documents: 3 })
    await again.close()

    SearchIndex.remove(dataDir)
    const restarted = await start({ dataDir })
    await finds(await restarted.connect({ userId: 'ana' }), 'bread', all)
    expect((await restarted.stats()).search.indexed).toBe(3)
  })

  it('indexes many messages in time, and reports its lag', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => ana.sendMessage(text(groupId, `bread ${i}`))))
    await eventually(async () => {
      expect((await engine.stats()).search).toMatchObject({ lag: 0, indexed: 1_000, documents: 1_000 })
    })
    expect(await contents(ana, 'bread 512')).toEqual(['bread 512'])
    const { hits, hasMore } = await ana.search({ query: 'bread', limit: 100 })
    expect([hits.length, hasMore]).toEqual([100, true])
  })

  it('returns an empty page for a query without words, and refuses groups of which the caller is not a member', async () => {
    const engine = await start()
    const [ana, eva] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'eva' })]
    const { groupId } = await ana.createGroup({ kind: 'group' })
    expect(await ana.search({ query: '?!' })).toEqual({ hits: [], hasMore: false }) // SRC-1
    await expect(ana.search({ query: 'a', cursor: 'b' })).rejects.toMatchObject(
      refusal('bad_request', 'cursor'),
    )
    await expect(eva.search({ query: 'bread', groupId })).rejects.toMatchObject(
      refusal('not_found', 'groupId'),
    )
    expect(await ana.search({ query: 'bread', groupId })).toEqual({ hits: [], hasMore: false })
  })

  it('finds users by their names, among them partners of direct chats', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana', name: 'Ana Souza' })
    const other = await engine.connect({
      userId: 'u7',
      name: 'João da Silva',
      picture: 'https://example.org/j.png',
    })
    const { groupId } = await ana.createGroup({ kind: 'direct', members: ['u7'] })
    await other.joinGroup({ groupId })
    const joao = {
      userId: 'u7',
      name: 'João da Silva',
      status: 'online',
      picture: 'https://example.org/j.png',
    }
    const expected = { users: [expect.objectContaining(joao)] }
    await eventually(async () => expect(await ana.searchUsers({ query: 'silv joa' })).toEqual(expected))
    expect(await ana.searchUsers({ query: 'u7' })).toEqual(expected)
    expect(await ana.searchUsers({ query: 'maria' })).toEqual({ users: [] })
    expect(await ana.getContacts({})).toEqual(expected)
  })
})
