/**
 * The contract of `Views`: every implementation must pass it.
 */
import { describe, expect, it } from 'vitest'
import { logs } from '../../support/logs.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aUserEntry } from '../../support/store.ts'

const post = (groupId: string, seq: number, createdAt = seq) =>
  aPostEntry(seq, { groupId, messageId: `${groupId}:${seq}`, createdAt })

describe.each(logs)('views: $name', ({ open }) => {
  it('see what was committed before: a group with its members and its newest events', async () => {
    const { views, write } = await open()
    await write(aUserEntry('ana', 'Ana'), aGroupEntry('g'), aMemberEntry('g', 'ana'), post('g', 1))
    const group = await views.ofGroup({ read: 'group', groupId: 'g' }, 'g')
    expect(group).toMatchObject({ lastSeq: 1, members: [{ userId: 'ana', name: 'Ana' }] })
    expect(group.recent.map(({ seq }) => seq)).toEqual([1])
    await write(post('g', 2))
    expect((await views.ofGroup({ read: 'group', groupId: 'g' }, 'g')).lastSeq).toBe(2)
  })

  it('know the lease of a group that does not exist yet', async () => {
    const { views, write } = await open()
    await write({ type: 'lease', groupId: 'g', ceiling: 1_024 })
    expect(await views.ofGroup({ read: 'group', groupId: 'g' }, 'g')).toMatchObject({
      group: null,
      ceiling: 1_024,
      lastSeq: 0,
    })
  })

  it('list a page of messages from either end', async () => {
    const { views, write } = await open()
    await write(aGroupEntry('g'), post('g', 1), post('g', 2), post('g', 4))
    const page = async (after: number, before: number, newest: boolean) => {
      const query = { read: 'messages', groupId: 'g', after, before, limit: 2, newest } as const
      return (await views.ofGroup(query, 'ana')).messages.map(({ seq }) => seq)
    }
    expect([await page(0, 9, true), await page(0, 9, false), await page(1, 4, true)]).toEqual([
      [2, 4],
      [1, 2],
      [2],
    ])
  })

  it('list the groups of a user, the most recently active first, in pages that meet', async () => {
    const { views, write } = await open()
    await write(aUserEntry('ana', 'Ana'))
    for (const [groupId, at] of [
      ['a', 5],
      ['b', 9],
      ['c', 7],
    ] as const) {
      await write(aGroupEntry(groupId), aMemberEntry(groupId, 'ana'), post(groupId, 1, at))
    }
    const first = await views.ofUser({ read: 'listings', userId: 'ana', limit: 2 }, 'ana')
    expect(first.groups.map(({ group }) => group.groupId)).toEqual(['b', 'c'])
    // The lists of several nodes are merged by these keys.
    expect(first.keys).toEqual([
      [9, 'b'],
      [7, 'c'],
    ])
    const rest = await views.ofUser({ read: 'listings', userId: 'ana', limit: 2, cursor: first.next }, 'ana')
    expect(rest.groups.map(({ group }) => group.groupId)).toEqual(['a'])
    expect(rest.keys).toEqual([[5, 'a']])
  })

  it('summarize the groups of a user, so that the answers of two nodes merge into that of one', async () => {
    const posts = [
      ['a', 5],
      ['b', 9],
      ['c', 7],
      ['d', 9],
    ] as const
    const summariesOf = async (stored: readonly (readonly [groupId: string, at: number])[]) => {
      const { write, views } = await open()
      for (const [groupId, at] of stored) {
        await write(aGroupEntry(groupId), aMemberEntry(groupId, 'ana'), post(groupId, 1, at))
      }
      return await views.ofUser({ read: 'summaries', userId: 'ana', limit: 3 }, 'ana')
    }
    const whole = await summariesOf(posts)
    expect(whole.keys).toEqual([
      [9, 'b'],
      [9, 'd'],
      [7, 'c'],
    ])
    const parts = [await summariesOf(posts.slice(0, 2)), await summariesOf(posts.slice(2))]
    const merged = parts
      .flatMap(({ groups, keys }) => groups.map((summary, i) => ({ summary, key: keys[i] ?? [0, ''] })))
      .sort(({ key: [at, id] }, { key: [otherAt, otherId] }) => otherAt - at || (id < otherId ? -1 : 1))
      .slice(0, 3)
    expect(merged.map(({ summary }) => summary)).toEqual(whole.groups)
  })

  it('know nothing of a user who is not in storage', async () => {
    const { views } = await open()
    expect(await views.ofUser({ read: 'user', userId: 'nobody' }, 'nobody')).toBeNull()
    expect(await views.ofUser({ read: 'profiles', userIds: ['nobody'] }, 'ana')).toEqual([
      { name: 'nobody', picture: '' },
    ])
  })
})
