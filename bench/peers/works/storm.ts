/**
 * Reconnect storm: the server is killed (`kill -9`) with all members connected, and started again at once.
 *
 * Every member reconnects, authenticates and subscribes. The time is counted from the moment at which the new
 * process accepts connections until the last member is live; then one post in each group has to arrive at
 * all its members.
 */
import { PeerCrowd } from '../load/peer-crowd.ts'
import { contentOf, nowUs } from '../load/post-content.ts'
import { watchUsage } from '../load/usage.ts'
import { prepare, wires } from '../load/wires.ts'
import { reconnectAll } from './reconnection.ts'
import type { Figures, Restart, WorkInput } from './work.ts'

const GROUP_SIZE = 10
const DEADLINE_MS = 60_000

export async function stormWork(input: WorkInput, restart: Restart): Promise<Figures> {
  const layout = { connections: input.connections, groupSize: GROUP_SIZE }
  await prepare(input.wire, input, layout)
  const crowd = new PeerCrowd(input, wires[input.wire](input.secret), layout)
  await crowd.connect()
  const stop = reconnectAll(crowd)
  const { pid, awayMs } = await restart('kill')
  const used = watchUsage(pid)
  const startedAt = performance.now()
  await crowd.allLive(input.connections, DEADLINE_MS)
  const seconds = (performance.now() - startedAt) / 1_000
  const usage = used()
  stop()
  const firsts = crowd.members.filter(({ index }) => index % GROUP_SIZE === 0)
  const before = crowd.deliveries
  for (const member of firsts) crowd.post(member, contentOf(nowUs(), member.index, 0))
  const expected = before + firsts.length * crowd.receivers(GROUP_SIZE)
  await crowd.settle(expected, DEADLINE_MS / 4)
  crowd.end()
  return {
    's until all live': seconds,
    's away': awayMs / 1_000,
    'failed attempts': crowd.failedAttempts,
    'server CPU s': usage.serverSeconds,
    missing: expected - crowd.deliveries,
    'load cores': usage.loadCores,
    'other cores': usage.otherCores,
  }
}
