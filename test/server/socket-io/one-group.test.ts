/**
 * Clients of the binary protocol, of JSON and of Socket.IO in one group: the same seqs, in one order, and
 * nothing twice (ORD-1).
 */
import { io } from 'socket.io-client'
import { describe, expect, it } from 'vitest'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import type { Server } from '../../../server/server.ts'
import type { SocketClient } from '../../support/socket-client.ts'
import { transports } from '../../support/transports.ts'
import { connect as connectBinary, startServer, tokenOf } from '../operation/server.ts'
import { Client, connect, groupOf, type Payload } from './clients.ts'

const ROUNDS = 40
/** The events that have a seq. */
const DURABLE =
  /^(?:new_message|message_edited|message_deleted|reaction_changed|user_joined_group|group_updated)$/

/** One event of the group's log, without what differs between the protocols. */
type Entry = readonly [seq: unknown, name: string, what: unknown]

function entryOf(name: string, fields: Payload): Entry {
  const message = fields['message'] as Payload | undefined
  const { seq, messageId, content, emoji } = message ?? fields
  return [seq, name, [messageId, content, emoji]]
}

const logOf = (client: Client): readonly Entry[] =>
  client.events.filter(([name]) => DURABLE.test(name)).map(([name, fields]) => entryOf(name, fields))

const binaryLogOf = (client: SocketClient): readonly Entry[] =>
  client.events
    .filter(({ event }) => DURABLE.test(event))
    .map(({ event, fields }) => entryOf(event, fields as unknown as Payload))

/** A client that takes the path of the server for a namespace. */
async function inPathNamespace(server: Server, userId: string): Promise<Client> {
  const auth = { token: await tokenOf(userId) }
  const socket = io(`http://127.0.0.1:${server.port}/socket.io/`, { forceNew: true, auth })
  const client = new Client(socket)
  await new Promise((resolve) => socket.once('connected', resolve))
  return client
}

describe.each(transports.flatMap(({ name }) => [[name, 'immediate'] as const, [name, 'committed'] as const]))(
  'one group of all clients, server on %s, fan-out %s',
  (transport, fanout) => {
    it('everyone receives every event once, in the order of seq', async () => {
      const server = await startServer({ transport, fanout })
      const ana = await connect(server, 'ana')
      await groupOf(ana, 'kitchen', ['ben', 'cy', 'dora', 'eva', 'finn', 'gil'])
      const binarySender = await connectBinary(server, 'ben')
      const poller = await connect(server, 'cy', { transports: ['polling'] })
      const listeners = [
        await connect(server, 'dora'),
        await connect(server, 'eva', { transports: ['polling'] }),
        await connect(server, 'finn', { transports: ['polling', 'websocket'] }),
        await inPathNamespace(server, 'gil'),
      ]
      const binaries = [
        await connectBinary(server, 'dora'),
        await connectBinary(server, 'eva', { protocols: [subprotocols.json] }),
      ]
      const acknowledged = new Map<unknown, string>()
      const say = async (client: Client, name: string, i: number) => {
        const answer = await client.ask('send_message', { groupId: 'kitchen', content: `${name} ${i}` })
        expect(answer).toMatchObject({ success: true })
        acknowledged.set((answer['message'] as Payload)['seq'], `${name} ${i}`)
        return (answer['message'] as Payload)['messageId']
      }
      const byWebSocket = async () => {
        for (let i = 0; i < ROUNDS; i++) {
          const messageId = await say(ana, 'ana', i)
          if (i % 4 === 0) await ana.ask('edit_message', { messageId, content: `edited ${i}` })
          if (i % 8 === 3) await ana.ask('delete_message', { messageId })
        }
      }
      const byPolling = async () => {
        for (let i = 0; i < ROUNDS; i++) {
          const messageId = await say(poller, 'cy', i)
          if (i % 4 === 0) await poller.ask('react', { messageId, emoji: '👍' })
        }
      }
      const byBinary = async () => {
        for (let i = 0; i < ROUNDS; i++) {
          const content = `ben ${i}`
          binarySender.send('send_message', i + 1, { groupId: 'kitchen', content, tempId: `b${i}` })
          const { fields } = await binarySender.next('message_sent')
          acknowledged.set(fields.message.seq, content)
        }
      }
      await Promise.all([byWebSocket(), byPolling(), byBinary()])
      await ana.ask('update_group', { groupId: 'kitchen', topic: 'the end' })
      for (const client of listeners) await client.next('group_updated')
      for (const client of [...binaries, binarySender]) await client.next('group_updated')

      const [first] = binaries
      const log = binaryLogOf(first as SocketClient)
      const seqs = log.map(([seq]) => seq)
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i + 2))
      for (const client of listeners) expect(logOf(client)).toEqual(log)
      for (const client of [...binaries, binarySender]) expect(binaryLogOf(client)).toEqual(log)
      // Every acknowledged message has the seq of the acknowledgement.
      expect(acknowledged.size).toBe(3 * ROUNDS)
      const posted = log.filter(([, name]) => name === 'new_message')
      expect(new Map(posted.map(([seq, , what]) => [seq, (what as unknown[])[1]]))).toEqual(
        new Map([...acknowledged].sort(([a], [b]) => Number(a) - Number(b))),
      )
      // A sender has all events except its own messages, for which it has the acknowledgements.
      for (const [client, name] of [
        [ana, 'ana'],
        [poller, 'cy'],
      ] as const) {
        await client.settled()
        const own = (entry: Entry) =>
          entry[1] === 'new_message' && acknowledged.get(entry[0])?.startsWith(name)
        expect(logOf(client)).toEqual(log.filter((entry) => !own(entry)))
        expect(client.names.filter((event) => event === 'message_sent')).toHaveLength(ROUNDS)
      }
    })
  },
)
