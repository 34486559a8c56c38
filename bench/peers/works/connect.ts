/**
 * Connect: members of groups of ten connect at the same time; then they do nothing.
 *
 * Each connection checks a token and subscribes to its group. Memory is the growth of the server's resident
 * set, per connection, once all are live and the server was idle (`idleBytes`); 500 others have come and left
 * before, so that code, caches and heaps that a server has after its first minute are not counted. At the end
 * one post in each group shows that every member is subscribed.
 */
import { idleBytes } from '../../load/process-figures.ts'
import { PeerCrowd } from '../load/peer-crowd.ts'
import { contentOf, nowUs } from '../load/post-content.ts'
import { watchUsage } from '../load/usage.ts'
import { prepare, wires } from '../load/wires.ts'
import type { Figures, WorkInput } from './work.ts'

const GROUP_SIZE = 10
const WARM_UP_MEMBERS = 500
const DELIVERY_DEADLINE_MS = 15_000

export async function connectWork(input: WorkInput): Promise<Figures> {
  const wire = wires[input.wire](input.secret)
  const layout = { connections: input.connections, groupSize: GROUP_SIZE }
  await prepare(input.wire, input, layout)
  const warmUp = new PeerCrowd(input, wire, layout)
  await warmUp.connect(warmUp.members.slice(0, WARM_UP_MEMBERS))
  warmUp.end()
  const bytesBefore = await idleBytes(input.pid)

  const crowd = new PeerCrowd(input, wire, layout)
  const used = watchUsage(input.pid)
  await crowd.connect()
  const usage = used()
  const bytesAfter = await idleBytes(input.pid)

  const firsts = crowd.members.filter(({ index }) => index % GROUP_SIZE === 0)
  for (const member of firsts) crowd.post(member, contentOf(nowUs(), member.index, 0))
  const expected = firsts.length * crowd.receivers(GROUP_SIZE)
  await crowd.settle(expected, DELIVERY_DEADLINE_MS)
  crowd.end()
  return {
    'connections/s': input.connections / usage.seconds,
    'server CPU ms': (usage.serverSeconds * 1_000) / input.connections,
    KiB: (bytesAfter - bytesBefore) / input.connections / 1_024,
    refused: crowd.failedAttempts,
    closed: crowd.closed,
    missing: expected - crowd.deliveries,
    'load cores': usage.loadCores,
    'other cores': usage.otherCores,
  }
}
