/**
 * Cost growth: deliveries per CPU second of the server in 10, 100, 1,000 and 10,000 groups.
 *
 * The same 100 clients, the same rate and the same ten members a group in every part; only the number of
 * groups that the messages go to grows, in turn through all of them. Every part is an open schedule.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { events } from '../../protocol/events.ts'
import { Crowd } from '../load/crowd.ts'
import type { LeanClient } from '../load/lean-client.ts'
import { cpuSeconds, watchCores } from '../load/process-figures.ts'
import type { CaseInput, Figures } from './case.ts'

const CLIENTS = 100
const GROUP_SIZE = 10
const PARTS = [10, 100, 1_000, 10_000] as const
const MESSAGES_A_SECOND = 2_000
const SECONDS = 10
const QUICK_SECONDS = 5
/** Groups are created this many at a time. */
const AT_ONCE = 100
const CONTENT = 'a message of about the usual length, as people write them'

export async function costGrowthCase(input: CaseInput): Promise<Figures> {
  const crowd = new Crowd(input)
  await crowd.connect(CLIENTS)
  const total = (input.quick ? QUICK_SECONDS : SECONDS) * MESSAGES_A_SECOND
  const figures: Record<string, number> = {}
  let groups = 0
  let sent = 0
  const deliveries = () => crowd.counts[events.new_message.code] as number
  const firstOf = (group: number) => (group * GROUP_SIZE) % CLIENTS
  const coresBusy = watchCores(input.pid)
  for (const part of PARTS) {
    for (; groups < part; groups++) {
      crowd.group(`g${groups}`, crowd.clients.slice(firstOf(groups), firstOf(groups) + GROUP_SIZE))
      if (groups % AT_ONCE === AT_ONCE - 1)
        await crowd.expect(events.group_created.code, (groups + 1) * GROUP_SIZE)
    }
    await crowd.expect(events.group_created.code, groups * GROUP_SIZE)
    // The first messages to a group load it; they are not counted.
    await post(Math.max(part, MESSAGES_A_SECOND), part)
    const [before, cpuBefore] = [deliveries(), cpuSeconds(input.pid)]
    await post(total, part)
    figures[`deliveries/CPU s, ${part}`] = (deliveries() - before) / (cpuSeconds(input.pid) - cpuBefore)
  }
  await crowd.ping()
  const { lost, refused } = crowd
  const cores = coresBusy()
  crowd.end()
  const costs = PARTS.map((part) => figures[`deliveries/CPU s, ${part}`] as number)
  return { ...figures, 'least of most': Math.min(...costs) / Math.max(...costs), lost, refused, ...cores }

  /** Sends on schedule, in turn to the first `part` groups, and waits for every delivery. */
  async function post(count: number, part: number): Promise<void> {
    const startedAt = performance.now()
    for (let i = 0; i < count; ) {
      if (startedAt + (i * 1_000) / MESSAGES_A_SECOND > performance.now()) {
        await delay(1)
        continue
      }
      const group = (i * 7_919) % part
      const sender = crowd.clients[firstOf(group) + (i % GROUP_SIZE)] as LeanClient
      crowd.request(sender, 'send_message', { groupId: `g${group}`, content: CONTENT, tempId: `t${sent}` })
      sent += 1
      i += 1
    }
    await crowd.expect(events.new_message.code, sent * GROUP_SIZE)
  }
}
