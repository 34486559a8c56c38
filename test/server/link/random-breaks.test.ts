import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/conditions.ts'
import '../../support/fixed-seed.ts'
import type { TestClient } from './harness.ts'
import { World } from './reattach-world.ts'

type Step =
  | { readonly do: 'post'; readonly who: number; readonly group: number }
  | { readonly do: 'break'; readonly who: number }
  | { readonly do: 'crash' | 'replace' | 'turn' | 'settle' }

const FRONTS = 2
const USERS = ['ana', 'bruno', 'clara', 'davi']
const GROUPS = ['g0', 'g1', 'g2']

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('post' as const), who: fc.nat(3), group: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), who: fc.nat(FRONTS - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'replace' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'settle' as const) }) },
)

/** The posts of a group as a member knows them after gaps, in the order in which they arrived. */
function known(client: TestClient, groupId: string): { readonly seqs: number[]; readonly posts: string[] } {
  const gaps = client.of('gap').filter((gap) => gap.groupId === groupId)
  const messages = client.of('new_message').filter(({ message }) => message.groupId === groupId)
  const left = messages.filter(
    ({ message }) => !gaps.some(({ from, to }) => message.seq >= from && message.seq <= to),
  )
  return {
    seqs: messages.map(({ message }) => message.seq),
    posts: left.map(({ message }) => message.content),
  }
}

async function run(steps: readonly Step[]): Promise<void> {
  const world = await World.start({ presenceGraceMs: 0 })
  const fronts = [await world.front(), await world.front()]
  const clients = await Promise.all(
    USERS.map((userId, i) => (fronts[i % FRONTS] as (typeof fronts)[number]).front.open(userId)),
  )
  const [ana] = clients as [TestClient]
  for (const groupId of GROUPS) {
    await ana.request('create_group', { kind: 'group', groupId, members: USERS.slice(1) })
  }
  await eventually(() => expect(clients.every(({ topics }) => topics.size === 2 * GROUPS.length)).toBe(true))
  const sent: Promise<unknown>[] = []
  const acknowledged = new Map<string, string[]>(GROUPS.map((groupId) => [groupId, []]))
  for (const [i, one] of steps.entries()) {
    switch (one.do) {
      case 'post': {
        const groupId = GROUPS[one.group] as string
        const post = { groupId, content: `${i}`, tempId: `t${i}` }
        const done = (clients[one.who] as TestClient).request('send_message', post)
        sent.push(done.then(() => acknowledged.get(groupId)?.push(post.content)))
        break
      }
      case 'break':
        fronts[one.who]?.proxy.cut()
        break
      case 'crash':
        await world.crash()
        break
      case 'replace':
        await world.replace()
        break
      case 'turn':
        await new Promise(setImmediate)
        break
      case 'settle':
        await ana.request('ping', {})
    }
  }
  await Promise.all(sent)
  for (const groupId of GROUPS) {
    const expected = [...(acknowledged.get(groupId) ?? [])].sort()
    for (const client of clients) {
      // Nothing is lost, and nothing comes twice (RES-1).
      await eventually(() => expect([...known(client, groupId).posts].sort()).toEqual(expected))
      const { seqs } = known(client, groupId)
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
    }
    const [first, ...others] = clients.map((client) => known(client, groupId).posts)
    for (const other of others) expect(other).toEqual(first)
  }
  for (const client of clients) expect([client.closedBy, client.of('connected').length]).toEqual([null, 1])
}

describe('messages through two links that break at random', () => {
  it('reach every member once and in order, by live events alone', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), run), {
      numRuns: Number(process.env['LINK_RUNS'] ?? 20),
    })
  })
})
