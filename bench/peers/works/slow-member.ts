/**
 * Slow member: one member of a group of ten stops reading while 1,000 posts of 4 KB a second go to the group.
 *
 * Shown is what that costs the nine others, and the server's memory; whether the server closes the
 * connection; and, after the member reads again, or reconnects and recovers, how many posts it never got.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { residentBytes } from '../../load/process-figures.ts'
import type { Member } from '../load/member.ts'
import { PeerCrowd } from '../load/peer-crowd.ts'
import { markOf } from '../load/post-content.ts'
import { prepare, wires } from '../load/wires.ts'
import { percentile, runSchedule } from './schedule.ts'
import type { Figures, WorkInput } from './work.ts'

const GROUP_SIZE = 10
const MORE = 'x'.repeat(4_000)
const MESSAGES_A_SECOND = 1_000
const SECONDS = 6
const QUICK_SECONDS = 4
/** The member reads what is left, and notices a closed connection. */
const NOTICE_MS = 1_000
const CATCH_UP_MS = 8_000
const MIB = 2 ** 20

export async function slowMemberWork(input: WorkInput): Promise<Figures> {
  const { pid } = input
  const layout = { connections: GROUP_SIZE, groupSize: GROUP_SIZE }
  await prepare(input.wire, input, layout)
  const crowd = new PeerCrowd(input, wires[input.wire](input.secret), layout, { recovers: true })
  await crowd.connect()
  const slow = crowd.members.at(-1) as Member
  const senders = crowd.members.slice(0, -1)
  const seconds = input.seconds ?? (input.quick ? QUICK_SECONDS : SECONDS)
  const schedule = {
    messagesASecond: MESSAGES_A_SECOND,
    groupSize: GROUP_SIZE,
    more: MORE,
    senders,
    settleMs: 10_000,
  }
  const before = await runSchedule(crowd, pid, { ...schedule, seconds: 1 })

  const bytesBefore = residentBytes(pid)
  const closedBefore = crowd.closed
  const seen = new Set<number>()
  slow.client?.pause()
  let largest = bytesBefore
  const watch = setInterval(() => {
    largest = Math.max(largest, residentBytes(pid))
  }, 100)
  const during = await runSchedule(crowd, pid, {
    ...schedule,
    seconds,
    except: slow,
    onExcept: (number) => seen.add(number),
  })
  clearInterval(watch)
  crowd.onDelivery = (member, bytes, start, end) => {
    if (member === slow) seen.add(markOf(bytes, start, end).number)
  }
  slow.client?.resume()
  await delay(NOTICE_MS)
  const isClosed = crowd.closed > closedBefore
  if (isClosed && !slow.isLive) crowd.open(slow)
  const deadline = performance.now() + CATCH_UP_MS
  while (seen.size < during.sent && performance.now() < deadline) await delay(50)
  crowd.end()
  return {
    'p99 ms before': percentile(before.histogram, 99),
    'p99 ms during': percentile(during.histogram, 99),
    'MiB more': (largest - bytesBefore) / MIB,
    'slow closed': isClosed ? 1 : 0,
    'slow missed': during.sent - seen.size,
    missing: during.missing,
    'load cores': during.usage.loadCores,
    'other cores': during.usage.otherCores,
  }
}
