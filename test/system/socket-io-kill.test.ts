/**
 * `kill -9` while Socket.IO clients send, beside one of the binary protocol, on one data directory.
 *
 * `SOCKET_IO_KILL_ROUNDS=100` for more than a few.
 */
import { describe, expect, it } from 'vitest'
import type { Event } from '../../protocol/events.ts'
import { type Client, clientOf, groupOf, type Payload } from '../server/socket-io/clients.ts'
import { temporaryFolder } from '../support/engines.ts'
import { KilledSender, ResumedLog } from '../support/kill-model.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

const ROUNDS = Number(process.env['SOCKET_IO_KILL_ROUNDS'] ?? 3)
const GROUP = 'kitchen'
const IN_FLIGHT = 20
const SENDERS = [
  ['ana', ['websocket']],
  ['bruno', ['polling']],
  ['clara', ['polling', 'websocket']],
] as const

async function connect(
  port: number,
  userId: string,
  ways: readonly string[],
  onEvent: (event: Event) => void = () => {},
): Promise<Client> {
  const token = await tokenOf(userId)
  const client = clientOf({ port }, { transports: [...ways], auth: { token }, reconnection: false })
  client.socket.onAny((event, fields) => onEvent({ event, ref: 0, fields } as Event))
  client.socket.connect()
  await client.next('connected')
  return client
}

/** Sends over the client, and is answered by acknowledgements. */
function use(sender: KilledSender, { socket }: Client, onAnswer: () => void): void {
  sender.use((tempId) => {
    const message = { groupId: GROUP, content: tempId, tempId }
    // Without a timeout: the answer arrives, or the server is killed.
    socket.emit('send_message', message, ({ success, message: stored }: Payload) => {
      if (success === true) sender.answered(tempId, (stored as { readonly seq: number }).seq)
    })
  }, onAnswer)
}

async function listen(port: number, log: ResumedLog, userId: string): Promise<Client> {
  log.begin()
  const client = await connect(port, userId, ['websocket'], (event) => log.handle(event))
  await client.ask('resume', { groups: [[GROUP, log.model.lastSeq]] })
  return client
}

async function listenBinary(port: number, log: ResumedLog, userId: string): Promise<SocketClient> {
  log.begin()
  const client = new SocketClient(port, { token: await tokenOf(userId) })
  client.onEvent((event) => log.handle(event))
  await client.next('connected')
  client.send('resume', 1, { groups: [[GROUP, log.model.lastSeq]] })
  await client.next('resumed')
  return client
}

async function wholeHistory(client: Client): Promise<readonly Payload[]> {
  const all: Payload[] = []
  for (let after = 0; ; after = all.at(-1)?.['seq'] as number) {
    const page = await client.ask('get_history', { groupId: GROUP, after, limit: 200 })
    all.push(...(page['messages'] as Payload[]))
    if (page['hasMore'] !== true) return all
  }
}

describe(`kill -9 under the load of Socket.IO clients, ${ROUNDS} times`, () => {
  // DUR-1, ORD-1, IDM-1, GAP-1
  it('loses nothing acknowledged, stores nothing twice, and shows binary and Socket.IO clients the same', async () => {
    const dataDir = temporaryFolder()
    const senders = SENDERS.map(([userId]) => new KilledSender(userId, IN_FLIGHT))
    const logs = { dora: new ResumedLog(GROUP), eva: new ResumedLog(GROUP) }

    for (let round = 0; round < ROUNDS; round++) {
      const server = await ServerProcess.start(dataDir, {
        FANOUT: round % 3 === 2 ? 'committed' : 'immediate',
      })
      if (round === 0) {
        const ana = await connect(server.port, 'ana', ['websocket'])
        await groupOf(ana, GROUP, ['bruno', 'clara', 'dora', 'eva'])
        ana.socket.disconnect()
      }
      const binary = await listenBinary(server.port, logs.eva, 'eva')
      const listener = await listen(server.port, logs.dora, 'dora')
      const clients = await Promise.all(SENDERS.map(([userId, ways]) => connect(server.port, userId, ways)))
      // Killed at another point each time, synchronously with an acknowledgement.
      let left = 100 + ((round * 37) % 90)
      await new Promise<void>((resolve) => {
        const acknowledged = () => {
          left -= 1
          if (left === 0) resolve()
        }
        for (const [i, sender] of senders.entries()) use(sender, clients[i] as Client, acknowledged)
      })
      const ended = [listener, ...clients].map(
        ({ socket }) => new Promise((resolve) => socket.once('disconnect', resolve)),
      )
      await server.kill()
      await Promise.all([binary.closed(), ...ended])
    }

    const server = await ServerProcess.start(dataDir)
    const binary = await listenBinary(server.port, logs.eva, 'eva')
    const reader = await listen(server.port, logs.dora, 'dora')
    // The crash left a gap; this message follows it.
    await reader.ask('send_message', { groupId: GROUP, content: 'last', tempId: 'last' })
    await binary.first(
      ({ event, fields }) =>
        event === 'new_message' && 'message' in fields && fields.message.tempId === 'last',
    )
    const history = await wholeHistory(reader)

    const stored = new Map(history.map(({ senderId, tempId, seq }) => [`${senderId}/${tempId}`, seq]))
    const lost = senders.flatMap(({ userId, acknowledged }) =>
      [...acknowledged].filter(([tempId, seq]) => stored.get(`${userId}/${tempId}`) !== seq),
    )
    expect(lost, 'acknowledged and not stored').toEqual([])
    expect(stored.size, 'stored twice').toBe(history.length)
    expect(senders.flatMap(({ violations }) => violations)).toEqual([])
    expect(senders.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)).toBeGreaterThan(99 * ROUNDS)
    for (const [userId, { model }] of Object.entries(logs)) {
      expect(model.violations, userId).toEqual([])
      const shown = [...model.shown].filter(([, what]) => what.includes('/'))
      const own = history.filter(({ senderId }) => senderId !== userId)
      expect(
        shown.sort(([a], [b]) => a - b),
        userId,
      ).toEqual(own.map(({ seq, senderId, tempId }) => [seq, `${senderId}/${tempId}`]))
    }
    expect(await server.stop()).toBe(0)
  }, 600_000)
})
