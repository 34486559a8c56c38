/**
 * Jitter: members on bad networks. Each is cut every 15 s and away for 2 s; a member who is never cut posts
 * 120 times, twice a second, to the one group of all.
 *
 * A message that was posted while a member was away has to reach them after they are back: lost are those that
 * never did, twins those that came twice. The latency counts from the intended time, so that the 2 s away are
 * in it. Members recover by what the peer's documentation offers.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Member } from '../load/member.ts'
import { PeerCrowd } from '../load/peer-crowd.ts'
import { contentOf } from '../load/post-content.ts'
import { watchUsage } from '../load/usage.ts'
import { prepare, wires } from '../load/wires.ts'
import { Received } from './received.ts'
import { percentile } from './schedule.ts'
import type { Figures, WorkInput } from './work.ts'

const MEMBERS = 2_000
const POSTS = 120
const QUICK_MEMBERS = 500
const QUICK_POSTS = 20
const POST_EVERY_MS = 500
const CUT_EVERY_MS = 15_000
const AWAY_MS = 2_000
const SETTLE_MS = 2_000
const DEADLINE_MS = 30_000

export async function jitterWork(input: WorkInput): Promise<Figures> {
  const size = Math.min(input.quick ? QUICK_MEMBERS : MEMBERS, input.connections)
  const posts = input.seconds ? Math.ceil(input.seconds * 2) : input.quick ? QUICK_POSTS : POSTS
  const layout = { connections: size + 1, groupSize: size + 1 }
  await prepare(input.wire, input, layout)
  const crowd = new PeerCrowd(input, wires[input.wire](input.secret), layout, { recovers: true })
  await crowd.connect()
  const poster = crowd.members.at(-1) as Member
  const readers = crowd.members.slice(0, -1)
  const received = new Received(crowd, posts)
  crowd.onClosed = (member) => {
    setTimeout(() => crowd.open(member), AWAY_MS)
  }

  let isOn = true
  const cuts = new Set<NodeJS.Timeout>()
  const cut = (member: Member) => {
    if (!isOn) return
    crowd.cut(member)
    setTimeout(() => crowd.open(member), AWAY_MS)
    later(member, CUT_EVERY_MS)
  }
  const later = (member: Member, ms: number) => {
    const timer = setTimeout(() => {
      cuts.delete(timer)
      cut(member)
    }, ms)
    cuts.add(timer)
  }
  // The first cuts spread over one interval, in the order of the members.
  for (const member of readers) later(member, (member.index / size) * CUT_EVERY_MS)

  const used = watchUsage(input.pid)
  const startMs = performance.now()
  for (let number = 0; number < posts; number++) {
    await delay(Math.max(0, startMs + number * POST_EVERY_MS - performance.now()))
    crowd.post(
      poster,
      contentOf(Math.floor((startMs + number * POST_EVERY_MS) * 1_000), poster.index, number),
    )
  }
  isOn = false
  for (const timer of cuts) clearTimeout(timer)
  await crowd.allLive(crowd.members.length, DEADLINE_MS)
  await delay(SETTLE_MS)
  const usage = used()
  crowd.end()
  let lost = 0
  for (const member of readers) {
    for (let number = 0; number < posts; number++) if (!received.has(member, number)) lost += 1
  }
  return {
    lost,
    'lost %': (lost * 100) / (posts * size),
    twins: received.twins,
    'p50 ms': percentile(received.histogram, 50),
    'p99 ms': percentile(received.histogram, 99),
    'server CPU s': usage.serverSeconds,
    'load cores': usage.loadCores,
    'other cores': usage.otherCores,
  }
}
