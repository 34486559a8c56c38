/**
 * Large group: 1,000 members, closed loop with 16 messages in flight; deliveries per second.
 *
 * The next message is sent when one is answered (`message_sent`, durable). The bare peer of `peers/`
 * implements as much of the protocol as this case needs.
 */
import { events } from '../../protocol/events.ts'
import { Crowd, until } from '../load/crowd.ts'
import type { LeanClient } from '../load/lean-client.ts'
import { watchCores } from '../load/process-figures.ts'
import type { CaseInput, Figures } from './case.ts'

const MEMBERS = 1_000
const IN_FLIGHT = 16
const SECONDS = 8
const QUICK_SECONDS = 3
const WARM_UP_MS = 1_000
const CONTENT = 'a message of about the usual length, as people write them'

export async function largeGroupCase(input: CaseInput): Promise<Figures> {
  const crowd = new Crowd(input)
  await crowd.connect(MEMBERS)
  crowd.group('large', crowd.clients)
  await crowd.expect(events.group_created.code, MEMBERS)

  let sent = 0
  let stopped = false
  const sendNext = (client: LeanClient) => {
    sent += 1
    crowd.request(client, 'send_message', { groupId: 'large', content: CONTENT, tempId: `t${sent}` })
  }
  let frameBytes = 0
  crowd.onEvent = (client, code, _bytes, start, end) => {
    if (code === events.new_message.code) frameBytes = end - start
    else if (code === events.message_sent.code && !stopped) sendNext(client)
  }
  // Sixteen members write, each with one message in flight.
  for (const client of crowd.clients.slice(0, IN_FLIGHT)) sendNext(client)

  const { code } = events.new_message
  await pause(WARM_UP_MS)
  const coresBusy = watchCores(input.pid)
  const startedAt = performance.now()
  const before = crowd.counts[code] as number
  await pause((input.quick ? QUICK_SECONDS : SECONDS) * 1_000)
  const deliveries = (crowd.counts[code] as number) - before
  const seconds = (performance.now() - startedAt) / 1_000
  const cores = coresBusy()
  stopped = true
  await until(
    () => (crowd.counts[code] as number) >= sent * MEMBERS,
    () => `expected ${sent * MEMBERS} deliveries, came ${crowd.counts[code]}`,
  )
  await crowd.checkPosts(() => sent)
  const { lost, refused } = crowd
  crowd.end()
  return {
    'deliveries/s': deliveries / seconds,
    'messages/s': deliveries / seconds / MEMBERS,
    'bytes/message': frameBytes,
    lost,
    refused,
    ...cores,
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
