/**
 * Bare uWebSockets.js: the limit. It checks the token, publishes what a member sends to the group's topic
 * unread, and answers; nothing is parsed, ordered, stored or limited.
 */
import uWS, { type us_listen_socket, type WebSocket } from 'uWebSockets.js'
import { bearerOf, checkToken } from './check-token.ts'
import { port, reportListening } from './port.ts'

interface Caller {
  readonly groups: readonly string[]
}

const DELIVERY = 2
const ACKNOWLEDGEMENT = 3
/** Where the length of the group's id stands: after the kind of frame and the key. */
const LENGTH_AT = 3
const connected = Buffer.of(4)

const app = uWS.App()
app.ws<Caller>('/ws', {
  compression: uWS.DISABLED,
  maxPayloadLength: 65_536,
  maxBackpressure: 64 * 1024 * 1024,
  idleTimeout: 120,
  upgrade(response, request, context) {
    let groups: readonly string[]
    try {
      groups = checkToken(bearerOf(request.getHeader('authorization'))).groups
    } catch {
      response.writeStatus('401 Unauthorized').end()
      return
    }
    response.upgrade(
      { groups },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    )
  },
  open(ws: WebSocket<Caller>) {
    for (const group of ws.getUserData().groups) ws.subscribe(group)
    ws.send(connected, true)
  },
  message(ws: WebSocket<Caller>, data: ArrayBuffer) {
    const frame = Buffer.from(data)
    const recordAt = LENGTH_AT + 1 + (frame[LENGTH_AT] as number)
    const group = frame.toString('latin1', LENGTH_AT + 1, recordAt)
    const answer = Buffer.from(frame.subarray(0, LENGTH_AT))
    answer[0] = ACKNOWLEDGEMENT
    // The byte before the record is free once the group is known.
    frame[recordAt - 1] = DELIVERY
    app.publish(group, frame.subarray(recordAt - 1), true)
    ws.send(answer, true)
  },
})
app.listen('127.0.0.1', port, (socket: us_listen_socket | false) => {
  if (!socket) throw new Error('no port')
  reportListening()
})
