/**
 * Small groups: 10,000 clients in groups of 10, 1,000 messages per second, open loop.
 *
 * A message is due every millisecond, whether or not earlier ones have arrived. Its content contains the
 * time at which it was due, and the latency of its ten deliveries is measured from then, so that a stall
 * of the server, or of the sender, shows (no coordinated omission).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Histogram } from 'hdr-histogram-js'
import { events } from '../../protocol/events.ts'
import { Crowd, until } from '../load/crowd.ts'
import { latencyHistogram } from '../load/latency.ts'
import type { LeanClient } from '../load/lean-client.ts'
import { watchCores } from '../load/process-figures.ts'
import type { CaseInput, Figures } from './case.ts'

const CLIENTS = 10_000
const GROUP_SIZE = 10
const MESSAGES_A_SECOND = 1_000
const SECONDS = 20
const QUICK_SECONDS = 8
/** Messages of the warm-up, sent at the same rate and not counted. */
const WARM_UP_SECONDS = 2

const MARK = Buffer.from('due:')
const DIGITS = 12

export async function smallGroupsCase(input: CaseInput): Promise<Figures> {
  const crowd = new Crowd(input)
  await crowd.connect(CLIENTS)
  const groups = CLIENTS / GROUP_SIZE
  for (let i = 0; i < groups; i++) {
    crowd.group(`g${i}`, crowd.clients.slice(i * GROUP_SIZE, (i + 1) * GROUP_SIZE))
  }
  await crowd.expect(events.group_created.code, CLIENTS)

  const seconds = input.quick ? QUICK_SECONDS : SECONDS
  const byGroup = new Uint32Array(groups)
  await sendOnSchedule(crowd, WARM_UP_SECONDS, byGroup, null)
  const histogram = latencyHistogram()
  const coresBusy = watchCores(input.pid)
  const sent = await sendOnSchedule(crowd, seconds, byGroup, histogram)
  const cores = coresBusy()
  await crowd.checkPosts(({ index }) => byGroup[Math.floor(index / GROUP_SIZE)] as number)
  const delivered = histogram.totalCount
  const { lost, refused } = crowd
  crowd.end()
  return {
    messages: sent,
    expected: sent * GROUP_SIZE,
    delivered,
    lost,
    refused,
    'p50 ms': histogram.getValueAtPercentile(50) / 1_000,
    'p99 ms': histogram.getValueAtPercentile(99) / 1_000,
    'p99.9 ms': histogram.getValueAtPercentile(99.9) / 1_000,
    'max ms': histogram.maxValue / 1_000,
    ...cores,
  }
}

/** Sends for that time, counts by group, and waits for every delivery; returns the number of messages. */
async function sendOnSchedule(
  crowd: Crowd,
  seconds: number,
  byGroup: Uint32Array,
  histogram: Histogram | null,
): Promise<number> {
  const total = seconds * MESSAGES_A_SECOND
  const intervalUs = 1_000_000 / MESSAGES_A_SECOND
  const before = crowd.counts[events.new_message.code] as number
  const startUs = nowUs() + 1_000
  crowd.onEvent = (_client, code, bytes, start, end) => {
    if (code !== events.new_message.code || !histogram) return
    histogram.recordValue(Math.max(1, nowUs() - dueUsOf(bytes, start, end)))
  }
  for (let sent = 0; sent < total; ) {
    const dueUs = Math.round(startUs + sent * intervalUs)
    if (dueUs > nowUs()) {
      // The event loop continues: deliveries are received until the next message is due.
      await nextTurn()
      continue
    }
    // A pseudo-random walk through all clients, the same each time.
    const sender = crowd.clients[(sent * 7_919) % CLIENTS] as LeanClient
    const content = `due:${String(dueUs).padStart(DIGITS, '0')} a message of about the usual length`
    const group = Math.floor(sender.index / GROUP_SIZE)
    ;(byGroup[group] as number) += 1
    crowd.request(sender, 'send_message', { groupId: `g${group}`, content, tempId: `${startUs}-${sent}` })
    sent += 1
  }
  const expected = before + total * GROUP_SIZE
  await until(
    () => (crowd.counts[events.new_message.code] as number) >= expected,
    () =>
      `expected ${total * GROUP_SIZE} deliveries, came ${(crowd.counts[events.new_message.code] as number) - before}`,
    15_000,
  )
  crowd.onEvent = null
  return total
}

function dueUsOf(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(MARK, start) + MARK.length
  if (at < MARK.length || at + DIGITS > end) throw new Error('a delivery without its mark')
  let value = 0
  for (let i = at; i < at + DIGITS; i++) value = value * 10 + ((bytes[i] as number) - 48)
  return value
}

/** Microseconds since this process began: one clock for senders and receivers. */
function nowUs(): number {
  return Math.floor(performance.now() * 1_000)
}
