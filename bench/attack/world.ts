/**
 * World: the data folder that the attacks start from, written by the engine itself.
 *
 * The attacker is in 1,000 groups, 100 of them with the same 200 victims, in five groups of 5,000,
 * and has posted 20,000 messages. The innocent pairs have a group for each pair.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createEngine, type Engine } from '../../engine/engine.ts'
import { ATTACKER } from './attacker.ts'

export const PAIRS = 20
export const VICTIMS = 200
export const GROUPS = 1_000
export const OWN_POSTS = 20_000
const SHARED_GROUPS = 100
const LARGE_GROUPS = 5
const LARGE_GROUP_MEMBERS = 5_000
const AT_ONCE = 100

export async function prepareWorld(dataDir: string): Promise<void> {
  const engine = await createEngine({ dataDir, shards: 2 })
  const by = (userId: string) => ({ userId })
  for (let i = 0; i < PAIRS; i++) {
    const fields = { kind: 'group', groupId: `pair${i}`, members: [`b${i}`] } as const
    await engine.request(by(`a${i}`), 'create_group', fields)
  }
  const victims = Array.from({ length: VICTIMS }, (_, i) => `v${i}`)
  await inBatches(GROUPS, 20, (i) =>
    engine.request(by(ATTACKER), 'create_group', {
      kind: 'group',
      groupId: `m${i}`,
      members: i < SHARED_GROUPS ? victims : [],
    }),
  )
  for (let i = 0; i < LARGE_GROUPS; i++) await makeLargeGroup(engine, `large${i}`)
  await inBatches(OWN_POSTS, AT_ONCE, (i) =>
    engine.request(by(ATTACKER), 'send_message', { groupId: 'm0', content: `own ${i}`, tempId: `own${i}` }),
  )
  // Indexing is not measured.
  while ((await engine.stats()).search.documents < OWN_POSTS) await delay(100)
  await engine.close()
}

async function makeLargeGroup(engine: Engine, groupId: string): Promise<void> {
  await engine.request({ userId: 'boss' }, 'create_group', { kind: 'group', groupId, members: [ATTACKER] })
  await inBatches(LARGE_GROUP_MEMBERS - 2, AT_ONCE, (i) =>
    engine.request({ userId: 'boss' }, 'add_member', { groupId, userId: `p${groupId}-${i}` }),
  )
}

/** Calls for each number below `count`, a limited number at a time. */
async function inBatches(
  count: number,
  atOnce: number,
  call: (i: number) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < count; from += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => call(from + i)))
  }
}
