/**
 * Reading: 10,000 clients in groups of 10, all of them reading and typing.
 *
 * Three parts, one after the other, each on an open schedule as in `small-groups`. First messages alone.
 * Then the nine others read each message when it arrives, and each sender types before: the case shows
 * what that costs the deliveries. Then twice the messages without typing: 18,000 receipts per second. At
 * the end, no user has unread messages, and each newest message has nine readers.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Histogram } from 'hdr-histogram-js'
import { decodeEvent } from '../../protocol/codec.ts'
import { events } from '../../protocol/events.ts'
import { Crowd, until } from '../load/crowd.ts'
import { latencyHistogram } from '../load/latency.ts'
import type { LeanClient } from '../load/lean-client.ts'
import { watchCores } from '../load/process-figures.ts'
import type { CaseInput, Figures } from './case.ts'

const CLIENTS = 10_000
const GROUP_SIZE = 10
const READERS = GROUP_SIZE - 1
const MESSAGES_A_SECOND = 1_000
const BUSY_MESSAGES_A_SECOND = 2_000
const SECONDS = 12
const QUICK_SECONDS = 6
const WARM_UP_SECONDS = 2
/** Groups whose counts are checked at the end. */
const SAMPLE = 100

const MARK = Buffer.from('due:')
/** When it was due, and who sent it. */
const DIGITS = 12
const INDEX_DIGITS = 5

interface Part {
  readonly messagesASecond: number
  readonly seconds: number
  readonly reads: boolean
  readonly types: boolean
  readonly histogram: Histogram | null
}

export async function readingCase(input: CaseInput): Promise<Figures> {
  const crowd = new Crowd(input)
  await crowd.connect(CLIENTS)
  for (let i = 0; i < CLIENTS / GROUP_SIZE; i++) {
    crowd.group(`g${i}`, crowd.clients.slice(i * GROUP_SIZE, (i + 1) * GROUP_SIZE))
  }
  await crowd.expect(events.group_created.code, CLIENTS)

  const seconds = input.quick ? QUICK_SECONDS : SECONDS
  const alone = { messagesASecond: MESSAGES_A_SECOND, reads: false, types: false }
  const chatting = { ...alone, reads: true, types: true }
  const busy = { messagesASecond: BUSY_MESSAGES_A_SECOND, reads: true, types: false }
  const histograms = { alone: latencyHistogram(), chatting: latencyHistogram(), busy: latencyHistogram() }
  await run(crowd, { ...alone, seconds: WARM_UP_SECONDS, histogram: null })
  await run(crowd, { ...alone, seconds, histogram: histograms.alone })
  await run(crowd, { ...chatting, seconds: WARM_UP_SECONDS, histogram: null })
  const coresBusy = watchCores(input.pid)
  await run(crowd, { ...chatting, seconds, histogram: histograms.chatting })
  const cores = coresBusy()
  const receiptsASecond = await run(crowd, { ...busy, seconds, histogram: histograms.busy })
  await checkCounts(crowd)
  const { lost, refused } = crowd
  crowd.end()
  const p99 = (histogram: Histogram) => histogram.getValueAtPercentile(99) / 1_000
  return {
    lost,
    refused,
    'messages alone p99 ms': p99(histograms.alone),
    'with reading p99 ms': p99(histograms.chatting),
    'p99 factor': p99(histograms.chatting) / p99(histograms.alone),
    'receipts/s': receiptsASecond,
    'p99 ms at that': p99(histograms.busy),
    ...cores,
  }
}

/** Sends for that time and waits for every delivery and every `ok`; returns receipts per second. */
async function run(
  crowd: Crowd,
  { messagesASecond, seconds, reads, types, histogram }: Part,
): Promise<number> {
  const total = seconds * messagesASecond
  const intervalUs = 1_000_000 / messagesASecond
  const { counts } = crowd
  const delivered = (counts[events.new_message.code] as number) + total * GROUP_SIZE
  const okBefore = counts[events.ok.code] as number
  const ok = okBefore + (reads ? total * READERS : 0) + (types ? total : 0)
  const startUs = nowUs() + 1_000
  crowd.onEvent = (client, code, bytes, start, end) => {
    if (code !== events.new_message.code) return
    const at = bytes.indexOf(MARK, start) + MARK.length
    if (at < MARK.length || at + DIGITS + INDEX_DIGITS > end) throw new Error('a delivery without its mark')
    histogram?.recordValue(Math.max(1, nowUs() - numberAt(bytes, at, DIGITS)))
    if (!reads || numberAt(bytes, at + DIGITS, INDEX_DIGITS) === client.index) return
    const messageId = messageIdOf(bytes, start)
    const groupId = messageId.slice(0, messageId.indexOf(':'))
    crowd.request(client, 'message_read', { messageIds: [messageId], groupId })
  }
  for (let sent = 0; sent < total; ) {
    const dueUs = Math.round(startUs + sent * intervalUs)
    if (dueUs > nowUs()) {
      // At most a millisecond late, the same in all parts: a busy loop would take a core from the server.
      await wait(1)
      continue
    }
    const sender = crowd.clients[(sent * 7_919) % CLIENTS] as LeanClient
    const groupId = `g${Math.floor(sender.index / GROUP_SIZE)}`
    if (types) crowd.request(sender, 'typing_start', { groupId })
    const mark = String(dueUs).padStart(DIGITS, '0') + String(sender.index).padStart(INDEX_DIGITS, '0')
    const content = `due:${mark} a message of about the usual length`
    crowd.request(sender, 'send_message', { groupId, content, tempId: `${startUs}-${sent}` })
    sent += 1
  }
  await until(
    () =>
      (counts[events.new_message.code] as number) >= delivered && (counts[events.ok.code] as number) >= ok,
    () =>
      `${delivered - (counts[events.new_message.code] as number)} deliveries and ${ok - (counts[events.ok.code] as number)} ok missing`,
    30_000,
  )
  crowd.onEvent = null
  return reads ? (total * READERS) / ((nowUs() - startUs) / 1_000_000) : 0
}

/** Requests the unread counts of some clients, and the readers of the newest message. */
async function checkCounts(crowd: Crowd): Promise<void> {
  const listed: (() => void)[] = []
  let answered = 0
  crowd.onEvent = (client, code, bytes, start, end) => {
    if (code !== events.groups.code && code !== events.receipts.code) return
    const event = decodeEvent(bytes.subarray(start, end))
    if (event?.event === 'groups') {
      const [group] = event.fields.groups
      const messageId = group?.lastMessage?.messageId
      if (group?.unread !== 0 || messageId === undefined)
        throw new Error(`u${client.index}: ${group?.unread} unread`)
      listed.push(() => crowd.request(client, 'get_receipts', { messageId }))
    } else if (event?.event === 'receipts') {
      if (event.fields.readCount !== READERS)
        throw new Error(`${event.fields.readCount} readers, not ${READERS}`)
      answered += 1
    }
  }
  const asked = crowd.clients.filter(({ index }) => index % (CLIENTS / SAMPLE) < GROUP_SIZE)
  // The last sender has read the other messages by then: each client reads a message when it arrives.
  for (const client of asked) crowd.request(client, 'get_groups', {})
  await until(
    () => listed.length >= asked.length,
    () => `${asked.length - listed.length} lists missing`,
  )
  for (const ask of listed) ask()
  await until(
    () => answered >= asked.length,
    () => `${asked.length - answered} receipts missing`,
  )
  crowd.onEvent = null
}

/** The first text of the record in a `new_message`. */
function messageIdOf(bytes: Buffer, start: number): string {
  // [code, ref, [messageId, …]]: the inner array has a head of one or three bytes.
  const at = start + ((bytes[start + 3] as number) === 0xdc ? 6 : 4)
  const length = (bytes[at] as number) & 0x1f
  return bytes.toString('latin1', at + 1, at + 1 + length)
}

function numberAt(bytes: Buffer, at: number, digits: number): number {
  let value = 0
  for (let i = at; i < at + digits; i++) value = value * 10 + ((bytes[i] as number) - 48)
  return value
}

/** Microseconds since this process began: one clock for senders and receivers. */
function nowUs(): number {
  return Math.floor(performance.now() * 1_000)
}
