/**
 * Large group: 1,000 members in one group, closed loop, with 1 and then 16 posts under way.
 *
 * The next post leaves when the one before is acknowledged, or, where a peer acknowledges nothing, when
 * its sender has received it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Member } from '../load/member.ts'
import { PeerCrowd } from '../load/peer-crowd.ts'
import { contentOf, markOf, nowUs } from '../load/post-content.ts'
import { watchUsage } from '../load/usage.ts'
import { prepare, wires } from '../load/wires.ts'
import type { Figures, WorkInput } from './work.ts'

const MEMBERS = 1_000
const IN_FLIGHT = [1, 16] as const
const SECONDS = 6
const QUICK_SECONDS = 1.5
const WARM_UP_MS = 500
const SETTLE_MS = 15_000
const REPEAT_MS = 100

export async function largeGroupWork(input: WorkInput): Promise<Figures> {
  const size = Math.min(MEMBERS, input.connections)
  const layout = { connections: size, groupSize: size }
  await prepare(input.wire, input, layout)
  const crowd = new PeerCrowd(input, wires[input.wire](input.secret), layout)
  await crowd.connect()
  const figures: Record<string, number | null> = {}
  for (const inFlight of IN_FLIGHT) {
    for (const [name, value] of Object.entries(await loop(crowd, inFlight, input))) {
      figures[`${name}, ${inFlight}`] = value
    }
  }
  figures['closed'] = crowd.closed
  crowd.end()
  return figures
}

async function loop(
  crowd: PeerCrowd,
  inFlight: number,
  { pid, quick, seconds }: WorkInput,
): Promise<Figures> {
  const { members } = crowd
  const receivers = crowd.receivers(members.length)
  const before = crowd.deliveries
  let isOpen = true
  let sent = 0
  const send = (member: Member) => {
    if (!isOpen) return
    crowd.post(member, contentOf(nowUs(), member.index, sent))
    sent += 1
  }
  if (crowd.acknowledges) crowd.onAcknowledged = send
  else {
    crowd.onDelivery = (member, bytes, start, end) => {
      if (markOf(bytes, start, end).sender === member.index) send(member)
    }
  }
  crowd.onRefused = (member) => setTimeout(send, REPEAT_MS, member)
  for (const member of members.slice(0, inFlight)) send(member)
  await delay(WARM_UP_MS)

  const used = watchUsage(pid)
  const deliveriesBefore = crowd.deliveries
  await delay((seconds ?? (quick ? QUICK_SECONDS : SECONDS)) * 1_000)
  const deliveries = crowd.deliveries - deliveriesBefore
  const usage = used()
  isOpen = false
  const refused = crowd.refusals
  await crowd.settle(before + (sent - refused) * receivers, SETTLE_MS)
  return {
    'deliveries/s': deliveries / usage.seconds,
    'CPU s/million': (usage.serverSeconds * 1e6) / deliveries,
    missing: before + (sent - refused) * receivers - crowd.deliveries,
    'load cores': usage.loadCores,
    'other cores': usage.otherCores,
  }
}
