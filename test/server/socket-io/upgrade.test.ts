/**
 * The upgrade from long polling to WebSocket under load: no message is lost, none arrives twice, and all
 * arrive in order (ORD-1).
 *
 * `UPGRADE_CLIENTS=60 UPGRADE_MESSAGES=500` makes 30,000 deliveries.
 */
import { describe, expect, it } from 'vitest'
import type { Server } from '../../../server/server.ts'
import { transports } from '../../support/transports.ts'
import { startServer } from '../operation/server.ts'
import { type Client, connect, groupOf, type Payload } from './clients.ts'
import { PollingClient, type Way } from './polling-client.ts'

const CLIENTS = Number(process.env['UPGRADE_CLIENTS'] ?? 12)
const MESSAGES = Number(process.env['UPGRADE_MESSAGES'] ?? 60)
const IN_FLIGHT = 20
/** Clients that connect at the same time. */
const AT_ONCE = 4
const names = Array.from({ length: CLIENTS }, (_, i) => `member-${i}`)
/** The group's creation has the seq 1. */
const expected = Array.from({ length: MESSAGES }, (_, i) => i + 2)

/** Sends all messages, some at once; `sent` is called after each acknowledgement with their number. */
async function talk(sender: Client, sent: (count: number) => unknown = () => {}): Promise<void> {
  let next = 0
  let count = 0
  const lane = async () => {
    while (next < MESSAGES) {
      const content = `message ${next++}`
      expect(await sender.ask('send_message', { groupId: 'kitchen', content })).toMatchObject({
        success: true,
      })
      await sent(++count)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
}

async function start(transport: 'uws' | 'node'): Promise<{ server: Server; sender: Client }> {
  const server = await startServer({ transport })
  const sender = await connect(server, 'ana')
  await groupOf(sender, 'kitchen', names)
  return { server, sender }
}

/** Resumes from the beginning, and returns the seqs of all messages: the missed ones, then the live ones. */
async function receiveAll(client: Client): Promise<readonly number[]> {
  // A client that reconnected by itself would have to resume again.
  const lost = new Promise<never>((_, reject) =>
    client.socket.once('disconnect', (why) => reject(new Error(why))),
  )
  const { groups } = await client.next('connected')
  const baseline = (groups as Payload[])[0]?.['lastSeq'] as number
  const resumed = client.ask('resume', { groups: [['kitchen', 1]] })
  const replayed: number[] = []
  const live: number[] = []
  while (replayed.length + live.length < MESSAGES) {
    const { seq } = await Promise.race([lost, client.next('new_message')])
    if ((seq as number) <= baseline) replayed.push(seq as number)
    else live.push(seq as number)
  }
  expect(await resumed).toEqual({ success: true, groups: [['kitchen', baseline, true]] })
  await client.settled()
  expect(client.names.filter((name) => name === 'new_message')).toHaveLength(MESSAGES)
  expect(client.socket.io.engine.transport.name).toBe('websocket')
  return [...replayed, ...live]
}

describe.each(transports.map(({ name }) => name))(
  `${CLIENTS} clients upgrade during ${MESSAGES} messages, server on %s`,
  (transport) => {
    it('each at another message: all arrive once and in order, before and after', async () => {
      const { server, sender } = await start(transport)
      const clients = await Promise.all(names.map((name) => PollingClient.connect(server, name)))
      const received = clients.map((client, i) => {
        // Not the last message: each client must receive some over each way.
        const upgradesAt = 1 + Math.floor((i * (MESSAGES - 1)) / CLIENTS)
        const seqs: unknown[] = []
        const ways: Record<Way, number> = { polling: 0, websocket: 0 }
        const all = new Promise<void>((resolve, reject) => {
          client.onEnded = (why) => reject(new Error(`${names[i]}: ${why}`))
          client.onEvent = (name, payload, way) => {
            if (name !== 'new_message') return
            seqs.push(payload['seq'])
            ways[way] += 1
            if (seqs.length === upgradesAt) client.upgrade()
            if (seqs.length >= MESSAGES) resolve()
          }
        })
        return { client, seqs, ways, all }
      })
      await talk(sender)
      await Promise.all(received.map(({ all }) => all))
      await sender.settled()
      for (const { client, seqs } of received) {
        expect(client.ended).toBeNull()
        expect(seqs).toEqual(expected)
      }
      const total = received.reduce(
        (sum, { ways }) => ({
          polling: sum.polling + ways.polling,
          websocket: sum.websocket + ways.websocket,
        }),
        { polling: 0, websocket: 0 },
      )
      expect(total.polling + total.websocket).toBe(CLIENTS * MESSAGES)
    }, 600_000)

    it('the real client, which connects during the load and resumes from the beginning', async () => {
      const { server, sender } = await start(transport)
      const options = { transports: ['polling', 'websocket'] }
      const connecting: Promise<Client>[] = []
      const finished: Promise<readonly number[]>[] = []
      await talk(sender, async (count) => {
        while (connecting.length < CLIENTS && count * CLIENTS >= connecting.length * MESSAGES) {
          const client = connect(server, names[connecting.length] as string, options)
          connecting.push(client)
          finished.push(client.then(receiveAll))
        }
        // Some connect at once; the load continues while they upgrade and resume.
        await connecting.at(-AT_ONCE)
      })
      expect(finished).toHaveLength(CLIENTS)
      for (const seqs of await Promise.all(finished)) expect(seqs).toEqual(expected)
    }, 600_000)
  },
)
