import { expect, it } from 'vitest'
import { modes } from '../support/engines.ts'
import { collect, text } from '../support/sessions.ts'

// INP-2: a user who is not connected is a row, not an actor.
it.each(modes)('a group of users who are not connected loads none of them ($mode)', async ({ start }) => {
  const engine = await start()
  const ana = await engine.connect({ userId: 'ana' })
  const members = Array.from({ length: 300 }, (_, i) => `stranger-${i}`)
  const { groupId } = await ana.createGroup({ kind: 'group', members })
  for (const userId of ['late-1', 'late-2']) await ana.addMember({ groupId, userId })
  await ana.removeMember({ groupId, userId: 'late-2' })
  const users = async () => (await engine.stats()).shards.reduce((sum, shard) => sum + shard.users, 0)
  expect(await users()).toBe(1)
  // One of them connects: they are a member, and receive what is posted.
  const stranger = await engine.connect({ userId: 'stranger-7' })
  expect(stranger.connected.groups.map(({ group }) => group.groupId)).toEqual([groupId])
  const got = collect(stranger, 'new_message')
  await ana.sendMessage(text(groupId, 'hello'))
  await expect.poll(() => got.map(({ message }) => message.content)).toEqual(['hello'])
  expect((await engine.connect({ userId: 'late-2' })).connected.groups).toEqual([])
})
