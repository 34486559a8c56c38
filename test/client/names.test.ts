/**
 * Names that changed while the client was disconnected (IDN-2): `user_updated` is not replayed.
 */
import { expect, it } from 'vitest'
import { ChatClient } from '../../client/chat-client.ts'
import { startRows, wires } from '../server/rows/harness.ts'
import { eventually } from '../support/conditions.ts'
import { aMessage } from '../support/scripted-server.ts'
import { aConnectedStage, reconnect } from './harness.ts'

const groupId = 'kitchen'

function updatesOf(client: ChatClient): readonly string[] {
  const updates: string[] = []
  client.on('user_updated', ({ userId, name, picture }) => updates.push(`${userId} ${name} ${picture}`))
  return updates
}

const member = (name: string, picture?: string) =>
  ({ userId: 'bruno', name, role: 'member', joinedAt: 0, mutedUntil: undefined, picture }) as const

it('a missed update is emitted once anything names the user, and only then', async () => {
  const stage = await aConnectedStage([[groupId, 10]])
  const { client, clock, peer } = stage
  const updates = updatesOf(client)
  const list = async (name: string, picture?: string) => {
    const asked = client.getMembers({ groupId })
    const { ref } = await current.next('get_members')
    current.say('members', { groupId, members: [member(name, picture)] }, ref)
    await asked
  }
  let current = peer
  peer.say('new_message', { message: aMessage(groupId, 11, { senderName: 'Bruno' }) })
  await list('Bruno', 'p')
  await list('Bruno')
  expect(updates).toEqual([])
  current = await reconnect(stage, peer, [[groupId, 11]])
  await list('Bruno Maier', 'p')
  expect(updates).toEqual(['bruno Bruno Maier p'])
  await list('Bruno Maier', 'q')
  expect(updates).toEqual(['bruno Bruno Maier p', 'bruno Bruno Maier q'])
  // An answer that was on its way when the update came has the older name.
  current.say('user_updated', { userId: 'bruno', name: 'B.', picture: 'q', at: 1 })
  await list('Bruno Maier', 'q')
  expect(updates.slice(2)).toEqual(['bruno B. q'])
  clock.advance(10_000)
  await list('B.', 'q')
  expect(updates).toHaveLength(3)
  await list('Bruno S.', 'q')
  expect(updates.slice(3)).toEqual(['bruno Bruno S. q'])
})

it('a real server names the partner of a direct chat when the client is connected again', async () => {
  const rows = await startRows(wires[0].protocol)
  const client = new ChatClient({ url: rows.server.url, token: () => rows.tokenOf('ana') })
  const updates = updatesOf(client)
  try {
    await client.connect()
    await client.createGroup({ kind: 'direct', members: ['bruno'] })
    client.close()
    await rows.device('bruno')
    await client.connect()
    await eventually(() => expect(updates).toEqual(['bruno Bruno undefined']))
  } finally {
    client.close()
  }
})
