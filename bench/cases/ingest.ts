/**
 * Ingest: 64 senders in groups of 4, each with 64 messages in flight; `message_sent` per second.
 *
 * Each answer means that the message is committed (durable defaults). Its time is measured from the
 * moment at which the message is sent: in a closed loop, when the previous one was answered. Before, while the
 * server is idle, a loop with better-sqlite3 alone inserts into the same table: the yardstick.
 */
import { events } from '../../protocol/events.ts'
import { Crowd, RECENT_REQUESTS, until } from '../load/crowd.ts'
import { latencyHistogram } from '../load/latency.ts'
import type { LeanClient } from '../load/lean-client.ts'
import { watchCores } from '../load/process-figures.ts'
import { bareInsertsASecond } from '../load/sqlite-loop.ts'
import type { CaseInput, Figures } from './case.ts'

const SENDERS = 64
const GROUP_SIZE = 4
const WINDOW = RECENT_REQUESTS
const SECONDS = 10
const QUICK_SECONDS = 4
const WARM_UP_MS = 1_000
const CONTENT = 'a message of about the usual length'

export async function ingestCase(input: CaseInput): Promise<Figures> {
  const bare = bareInsertsASecond(CONTENT)
  const crowd = new Crowd(input)
  await crowd.connect(SENDERS)
  for (let i = 0; i < SENDERS; i += GROUP_SIZE) {
    crowd.group(`g${i}`, crowd.clients.slice(i, i + GROUP_SIZE))
  }
  await crowd.expect(events.group_created.code, SENDERS)

  const histogram = latencyHistogram()
  /** By client and ref. */
  const sentAt = crowd.clients.map(() => new Float64Array(RECENT_REQUESTS))
  const sent = new Uint32Array(SENDERS)
  const answered = new Uint32Array(SENDERS)
  let measuring = false
  let stopped = false
  const sendNext = (client: LeanClient) => {
    const { index } = client
    const number = sent[index] as number
    sent[index] = number + 1
    const groupId = `g${index - (index % GROUP_SIZE)}`
    const fields = { groupId, content: CONTENT, tempId: `t${number}` }
    const at = performance.now()
    ;(sentAt[index] as Float64Array)[crowd.request(client, 'send_message', fields)] = at
  }
  crowd.onEvent = (client, code, bytes, start) => {
    if (code !== events.message_sent.code) return
    const { index } = client
    ;(answered[index] as number) += 1
    if (measuring) {
      const ms = performance.now() - ((sentAt[index] as Float64Array)[bytes[start + 2] as number] as number)
      histogram.recordValue(Math.max(1, Math.round(ms * 1_000)))
    }
    if (!stopped) sendNext(client)
  }
  for (const client of crowd.clients) for (let i = 0; i < WINDOW; i++) sendNext(client)

  await pause(WARM_UP_MS)
  const coresBusy = watchCores(input.pid)
  const startedAt = performance.now()
  measuring = true
  await pause((input.quick ? QUICK_SECONDS : SECONDS) * 1_000)
  measuring = false
  const seconds = (performance.now() - startedAt) / 1_000
  const cores = coresBusy()
  stopped = true
  const total = () => sent.reduce((sum, count) => sum + count, 0)
  await until(
    () => answered.reduce((sum, count) => sum + count, 0) >= total(),
    () => `expected ${total()} answers, came ${crowd.counts[events.message_sent.code]}`,
  )
  // The sum of what the four of a group have sent is what each of them has got.
  await crowd.checkPosts(({ index }) => {
    const first = index - (index % GROUP_SIZE)
    return sent.subarray(first, first + GROUP_SIZE).reduce((sum, count) => sum + count, 0)
  })
  const { lost, refused } = crowd
  crowd.end()
  return {
    'message_sent/s': histogram.totalCount / seconds,
    'bare inserts/s': bare,
    'of bare better-sqlite3': histogram.totalCount / seconds / bare,
    'p50 ms': histogram.getValueAtPercentile(50) / 1_000,
    'p99 ms': histogram.getValueAtPercentile(99) / 1_000,
    lost,
    refused,
    ...cores,
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
