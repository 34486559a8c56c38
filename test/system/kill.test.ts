import { describe, expect, it } from 'vitest'
import type { Event } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import { eventually } from '../support/conditions.ts'
import { temporaryFolder } from '../support/engines.ts'
import { KilledSender, ResumedLog } from '../support/kill-model.ts'
import { identityOf } from '../support/log-model.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'
import { blockWrites } from '../support/storage.ts'

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 20)
const SENDERS = ['ana', 'bruno', 'clara']
const IN_FLIGHT = 40
const GROUP = 'kitchen'
/** For what hangs; a busy machine may take ten seconds to start a server. */
const LIMIT_MS = 60_000 + ROUNDS * 30_000

/** Sends over the client, and is answered by its `message_sent`. */
function use(sender: KilledSender, client: SocketClient, onAnswer: () => void): void {
  sender.use(
    (tempId) => client.send('send_message', 1, { groupId: GROUP, content: tempId, tempId }),
    onAnswer,
  )
  client.onEvent((event) => {
    if (event.event === 'message_sent') sender.answered(event.fields.tempId, event.fields.message.seq)
  })
}

async function connect(port: number, userId: string, onEvent: (event: Event) => void): Promise<SocketClient> {
  const client = new SocketClient(port, { token: await tokenOf(userId) })
  client.onEvent(onEvent)
  await client.next('connected')
  return client
}

async function wholeHistory(
  client: SocketClient,
): Promise<{ messages: Message[]; gaps: { from: number; to: number }[] }> {
  const messages: Message[] = []
  const gaps: { from: number; to: number }[] = []
  for (let after = 0, ref = 1_000; ; ref++) {
    client.send('get_history', ref, { groupId: GROUP, after, limit: 200 })
    const { fields } = await client.next('history')
    messages.push(...fields.messages)
    gaps.push(...(fields.gaps ?? []))
    if (!fields.hasMore) return { messages, gaps }
    after = fields.messages.at(-1)?.seq ?? 0
  }
}

describe(`kill -9 under load, ${ROUNDS} times on one data directory`, () => {
  // IDN-5, ORD-1, DUR-1
  it(
    'loses nothing acknowledged, stores nothing twice, uses no seq for two messages, resumes exactly',
    async () => {
      const dataDir = temporaryFolder()
      const senders = SENDERS.map((userId) => new KilledSender(userId, IN_FLIGHT))
      // Dora only listens: her log must equal the history.
      const log = new ResumedLog(GROUP)
      const dora = log.model

      for (let round = 0; round < ROUNDS; round++) {
        const server = await ServerProcess.start(dataDir)
        if (round === 0) {
          const ana = await connect(server.port, 'ana', () => {})
          ana.send('create_group', 1, { kind: 'group', groupId: GROUP, members: ['bruno', 'clara', 'dora'] })
          await ana.next('group')
          ana.ws.terminate()
        }
        log.begin()
        const listener = await connect(server.port, 'dora', (event) => log.handle(event))
        listener.send('resume', 1, { groups: [[GROUP, dora.lastSeq]] })
        await listener.next('resumed')

        const clients = await Promise.all(senders.map(({ userId }) => connect(server.port, userId, () => {})))
        const refused = new Promise<void>((resolve) => {
          for (const client of clients) {
            client.onEvent((event) => {
              if (event.event === 'message_error') resolve()
            })
          }
        })
        // Killed at a different point each time, synchronously with an answer.
        let left = 100 + ((round * 37) % 90)
        await new Promise<void>((resolve) => {
          const acknowledged = () => {
            left -= 1
            if (left === 0) resolve()
          }
          for (const [i, sender] of senders.entries()) use(sender, clients[i] as SocketClient, acknowledged)
        })
        // Every second time the following messages are shown to members but cannot be stored: the crash
        // reverts them.
        const unblock = round % 2 === 0 ? () => {} : blockWrites(dataDir)
        if (round % 2 === 1) await refused
        await server.kill()
        unblock()
        await listener.closed()
      }

      const server = await ServerProcess.start(dataDir)
      log.begin()
      let gapsSeen = 0
      const reader = await connect(server.port, 'dora', (event) => {
        if (event.event === 'gap') gapsSeen += 1
        log.handle(event)
      })
      reader.send('resume', 1, { groups: [[GROUP, dora.lastSeq]] })
      await reader.next('resumed')
      const { messages, gaps } = await wholeHistory(reader)
      await eventually(() => expect(gapsSeen).toBeGreaterThan(0))

      const stored = new Map(messages.map((message) => [identityOf(message), message.seq]))
      const lost = senders.flatMap(({ userId, acknowledged }) =>
        [...acknowledged].filter(([tempId, seq]) => stored.get(`${userId}/${tempId}`) !== seq),
      )
      expect(lost, 'acknowledged and not stored').toEqual([])
      expect(stored.size, 'stored twice').toBe(messages.length)
      expect(new Set(messages.map(({ seq }) => seq)).size, 'numbers').toBe(messages.length)
      expect(senders.flatMap((sender) => sender.violations)).toEqual([])
      expect(dora.violations).toEqual([])
      const shown = [...dora.shown].filter(([, what]) => what.includes('/')).sort(([a], [b]) => a - b)
      expect(shown).toEqual(messages.map((message) => [message.seq, identityOf(message)]))
      expect(gaps.length, 'each crash left its gap').toBe(ROUNDS)
      expect(await server.stop()).toBe(0)
    },
    LIMIT_MS,
  )
})
