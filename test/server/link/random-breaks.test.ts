import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/conditions.ts'
import { modes } from '../../support/engines.ts'
import '../../support/fixed-seed.ts'
import { TestClient } from './harness.ts'
import { World } from './reattach-world.ts'

type Step =
  | { readonly do: 'post'; readonly who: number; readonly group: number }
  | { readonly do: 'break'; readonly who: number }
  /** Davi is removed from a group, or added to it. */
  | { readonly do: 'remove' | 'add'; readonly group: number }
  /** Clara connects again, and resumes from the beginning. */
  | { readonly do: 'reconnect'; readonly who: number }
  | { readonly do: 'crash' | 'replace' | 'turn' | 'settle' }

const RUNS = Number(process.env['LINK_RUNS'] ?? 15)
/** For what hangs, on a busy machine. */
const LIMIT_MS = 60_000 + RUNS * 10_000
const FRONTS = 2
const USERS = ['ana', 'bruno', 'clara', 'davi']
const GROUPS = ['g0', 'g1', 'g2']

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('post' as const), who: fc.nat(3), group: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), who: fc.nat(FRONTS - 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'add' as const), group: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), who: fc.nat(FRONTS - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'replace' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'settle' as const) }) },
)

const steps = fc.array(step, { minLength: 10, maxLength: 60, size: 'max' })
const DAVI = 'davi'

/** What a client knows of a group after gaps, in the order in which it arrived. */
function known(client: TestClient, groupId: string): { readonly seqs: number[]; readonly posts: string[] } {
  const events = eventsOf(client, groupId)
  return {
    seqs: events.map(({ seq }) => seq),
    posts: withoutGaps(events).flatMap(({ post }) => post ?? []),
  }
}

interface Seen {
  readonly seq: number
  readonly post?: string
  readonly gap?: { readonly from: number; readonly to: number }
  /** Davi has joined or left. */
  readonly member?: boolean
}

/** The durable events of a group. */
function eventsOf({ events }: TestClient, groupId: string): Seen[] {
  return events.flatMap((event): Seen[] => {
    switch (event.event) {
      case 'new_message': {
        const { seq, content } = event.fields.message
        return event.fields.message.groupId === groupId ? [{ seq, post: content }] : []
      }
      case 'gap':
        return event.fields.groupId === groupId ? [{ seq: event.fields.seq, gap: event.fields }] : []
      case 'user_joined_group':
      case 'user_left_group': {
        const { seq, userId } = event.fields
        if (event.fields.groupId !== groupId) return []
        return [{ seq, ...(userId === DAVI && { member: event.event === 'user_joined_group' }) }]
      }
      default:
        return []
    }
  })
}

function withoutGaps(events: readonly Seen[]): Seen[] {
  const gaps = events.flatMap(({ gap }) => gap ?? [])
  return events.filter(({ seq }) => !gaps.some(({ from, to }) => seq >= from && seq <= to))
}

/** The posts while Davi was a member, by the events of somebody who always was. */
function whileMember(events: readonly Seen[]): string[] {
  let isMember = true
  return withoutGaps(events).flatMap(({ post, member }) => {
    isMember = member ?? isMember
    return isMember ? (post ?? []) : []
  })
}

async function run(world: World, steps: readonly Step[]): Promise<void> {
  const fronts = [await world.front(), await world.front()]
  const frontOf = (i: number) => (fronts[i % FRONTS] as (typeof fronts)[number]).front
  const clients = await Promise.all(USERS.map((userId, i) => frontOf(i).open(userId)))
  const [ana, bruno, clara, davi] = clients as [TestClient, TestClient, TestClient, TestClient]
  for (const groupId of GROUPS) {
    await ana.request('create_group', { kind: 'group', groupId, members: USERS.slice(1) })
  }
  await eventually(() => expect(clients.every(({ topics }) => topics.size === 2 * GROUPS.length)).toBe(true))
  const resumed: TestClient[] = []
  const pending: Promise<unknown>[] = []
  const acknowledged = new Map<string, string[]>(GROUPS.map((groupId) => [groupId, []]))
  for (const [i, one] of steps.entries()) {
    const groupId = GROUPS['group' in one ? one.group : 0] as string
    switch (one.do) {
      case 'post': {
        const post = { groupId, content: `${i}`, tempId: `t${i}` }
        const done = (clients[one.who] as TestClient).request('send_message', post)
        pending.push(
          done.then(
            () => acknowledged.get(groupId)?.push(post.content),
            // Davi may not be a member; what may have been posted nevertheless is not known.
            (error: unknown) => one.who === 3 || Promise.reject(error),
          ),
        )
        break
      }
      case 'remove':
      case 'add': {
        const name = one.do === 'remove' ? 'remove_member' : 'add_member'
        pending.push(ana.request(name, { groupId, userId: DAVI }).catch(() => {}))
        break
      }
      case 'reconnect': {
        const again = new TestClient(frontOf(one.who))
        again.open({ userId: 'clara' })
        resumed.push(again)
        const connected = again.next('connected')
        const groups = GROUPS.map((id) => [id, 0] as const)
        pending.push(connected.then(() => again.request('resume', { groups })))
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
  await Promise.all(pending)
  for (const groupId of GROUPS) {
    const expected = acknowledged.get(groupId) ?? []
    // Nothing is lost, nothing comes twice, and everybody sees the same order (RES-1, ORD-1).
    await eventually(() => expect(known(ana, groupId).posts).toEqual(expect.arrayContaining(expected)))
    for (const client of [ana, bruno, clara]) {
      await eventually(() => expect(known(client, groupId).posts).toEqual(known(ana, groupId).posts))
      const { seqs } = known(client, groupId)
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
    }
    await eventually(() => expect(known(davi, groupId).posts).toEqual(whileMember(eventsOf(ana, groupId))))
    for (const client of resumed) {
      // Missed and live events may arrive at the same time.
      const sorted = (posts: readonly string[]) => [...posts].sort()
      await eventually(() =>
        expect(sorted(known(client, groupId).posts)).toEqual(sorted(known(ana, groupId).posts)),
      )
    }
    expect(new Set(known(ana, groupId).posts).size).toBe(known(ana, groupId).posts.length)
  }
  for (const client of clients) expect([client.closedBy, client.of('connected').length]).toEqual([null, 1])
}

describe.each([
  { fanout: 'immediate', shards: 'one shard', start: modes[0]?.start },
  { fanout: 'committed', shards: 'three shards', start: modes[1]?.start },
] as const)('messages through two links that break at random ($fanout, $shards)', ({ fanout, start }) => {
  it(
    'reach every member once and in order, by live events alone',
    async () => {
      const property = fc.asyncProperty(steps, async (chosen) =>
        run(await World.start({ presenceGraceMs: 0, fanout }, start), chosen),
      )
      await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
    },
    LIMIT_MS,
  )
})
