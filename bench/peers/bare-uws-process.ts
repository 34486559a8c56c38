/**
 * Bare uWebSockets.js: the reference for the large group. It publishes the same number of bytes as
 * Tertulia to the same number of sockets, and answers the sender; it validates, orders and stores nothing.
 *
 * Implements as much of the protocol as the load needs: one prepared frame for each kind of answer,
 * chosen by the code of the request.
 */
import uWS, { type us_listen_socket, type WebSocket } from 'uWebSockets.js'
import { encodeEvent } from '../../protocol/codec.ts'
import { events } from '../../protocol/events.ts'
import { requests } from '../../protocol/requests.ts'

const TOPIC = 'large'
const CONTENT = 'a message of about the usual length, as people write them'

/** A seq of five digits, as most have in a run. */
const NUMBER = 20_000
const now = Date.now()
const message = {
  messageId: `large:${NUMBER}`,
  groupId: 'large',
  seq: NUMBER,
  senderId: 'u10',
  senderName: 'u10',
  type: 'text',
  content: CONTENT,
  createdAt: now,
  tempId: `t${NUMBER}`,
} as const
const group = {
  groupId: 'large',
  kind: 'group',
  visibility: 'private',
  createdBy: 'u0',
  createdAt: now,
  memberCount: 1_000,
  lastSeq: 1,
} as const
const newMessage = encodeEvent('new_message', 0, { message })
const messageSent = encodeEvent('message_sent', 2, { tempId: message.tempId, message, success: true })
const groupCreated = encodeEvent('group_created', 0, { group, groupId: 'large', seq: 1, by: 'u0', at: now })
const pong = encodeEvent('pong', 1, { serverTime: now })
/** The load counts it by its code and does not read its fields. */
const connected = Uint8Array.of(0x92, events.connected.code, 0)

// Exits when the runner does, for any reason.
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))

const app = uWS.App()
app.ws('/ws', {
  compression: uWS.DISABLED,
  maxPayloadLength: 65_536,
  maxBackpressure: 16 * 1024 * 1024,
  idleTimeout: 120,
  open(ws: WebSocket<unknown>) {
    ws.subscribe(TOPIC)
    ws.send(connected, true)
  },
  message(ws: WebSocket<unknown>, frame: ArrayBuffer) {
    const code = new Uint8Array(frame)[1]
    if (code === requests.create_group.code) {
      app.publish(TOPIC, groupCreated, true)
    } else if (code === requests.send_message.code) {
      app.publish(TOPIC, newMessage, true)
      ws.send(messageSent, true)
    } else if (code === requests.ping.code) {
      ws.send(pong, true)
    }
  },
})
app.listen('127.0.0.1', 0, (socket: us_listen_socket | false) => {
  if (!socket) throw new Error('no port')
  process.send?.({ port: uWS.us_socket_local_port(socket) })
})
