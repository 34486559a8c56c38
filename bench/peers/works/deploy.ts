/**
 * Deploy: the server is stopped as its documentation says (SIGTERM) and started again with its data, while
 * 1,000 members in groups of ten receive 200 posts a second.
 *
 * Whose connection is closed reconnects and recovers what the peer offers. A post that is due while its
 * sender is away waits; one without an acknowledgement is sent again, where a peer acknowledges. Lost are
 * deliveries that never came, twins those that came twice.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Member } from '../load/member.ts'
import { PeerCrowd } from '../load/peer-crowd.ts'
import { contentOf, nowUs } from '../load/post-content.ts'
import { watchUsage } from '../load/usage.ts'
import { prepare, wires } from '../load/wires.ts'
import { Received } from './received.ts'
import { reconnectAll } from './reconnection.ts'
import { percentile } from './schedule.ts'
import type { Figures, Restart, WorkInput } from './work.ts'

const GROUP_SIZE = 10
const MEMBERS = 1_000
const MESSAGES_A_SECOND = 200
const SECONDS = 12
const QUICK_SECONDS = 5
const RESTART_AFTER_S = 1
const STEP = 7_919
const SETTLE_MS = 2_000
const DEADLINE_MS = 40_000

export async function deployWork(input: WorkInput, restart: Restart): Promise<Figures> {
  const size = Math.min(MEMBERS, input.connections)
  const layout = { connections: size, groupSize: GROUP_SIZE }
  await prepare(input.wire, input, layout)
  const crowd = new PeerCrowd(input, wires[input.wire](input.secret), layout, { recovers: true })
  await crowd.connect()
  const total = Math.round((input.seconds ?? (input.quick ? QUICK_SECONDS : SECONDS)) * MESSAGES_A_SECOND)
  const received = new Received(crowd, total)
  /** Posts of members who are away. */
  const waiting = new Map<Member, string[]>()
  if (crowd.acknowledges) for (const member of crowd.members) member.unacknowledged = new Map()
  crowd.onLive = (member) => {
    crowd.repeatUnacknowledged(member)
    for (const content of waiting.get(member) ?? []) crowd.post(member, content)
    waiting.delete(member)
  }
  const stop = reconnectAll(crowd)
  const senderOf = (number: number) => crowd.members[(number * STEP) % size] as Member

  let restarted: ReturnType<Restart> | null = null
  let secondsAway = 0
  const used = watchUsage(process.pid)
  const startUs = nowUs()
  for (let number = 0; number < total; ) {
    const dueUs = Math.round(startUs + (number * 1_000_000) / MESSAGES_A_SECOND)
    if (dueUs > nowUs()) {
      await delay(1)
      continue
    }
    const sender = senderOf(number)
    const content = contentOf(dueUs, sender.index, number)
    if (sender.isLive) crowd.post(sender, content)
    else waiting.set(sender, [...(waiting.get(sender) ?? []), content])
    number += 1
    if (number === RESTART_AFTER_S * MESSAGES_A_SECOND) {
      const downAt = performance.now()
      restarted = restart('stop')
      void restarted
        .then(() => crowd.allLive(size, DEADLINE_MS))
        .then(
          () => {
            secondsAway = (performance.now() - downAt) / 1_000
          },
          () => {},
        )
    }
  }
  await restarted
  await crowd.allLive(size, DEADLINE_MS)
  await delay(SETTLE_MS)
  const usage = used()
  stop()
  crowd.end()
  let lost = 0
  for (let number = 0; number < total; number++) {
    const sender = senderOf(number)
    const first = sender.group * GROUP_SIZE
    for (const member of crowd.members.slice(first, first + GROUP_SIZE)) {
      if (member !== sender && !received.has(member, number)) lost += 1
    }
  }
  return {
    'sockets closed': crowd.closed,
    lost,
    twins: received.twins,
    's until all live': secondsAway,
    'p99 ms': percentile(received.histogram, 99),
    'load cores': usage.loadCores,
    'other cores': null,
  }
}
