/**
 * Socket.IO peer: the library `socket.io` with its own adapter and WebSocket server, or with uWebSockets.js.
 *
 * One room with all clients. A message is sent to the room and answered, as in the manual; nothing is checked,
 * ordered or stored. The record is that of Tertulia, nested, so that the bytes of a delivery are equal.
 */

import uWS, { type us_listen_socket } from 'uWebSockets.js'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'

const ROOM = 'large'

// Ends with the runner, however that ends.
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))

const io = new Server({ transports: ['websocket'], serveClient: false })
let seq = 1

io.on('connection', (socket: Socket) => {
  const senderId = String(socket.handshake.auth['user'])
  const sender = { id: senderId, name: senderId }
  socket.emit('connected', { userId: senderId })
  socket.on('join', () => socket.join(ROOM))
  socket.on('create_group', () => io.to(ROOM).emit('group_created', { groupId: ROOM }))
  socket.on('ping', (_: unknown, answer: (pong: object) => void) => answer({ success: true }))
  socket.on('send_message', ({ content, tempId }: { readonly content: string; readonly tempId: string }) => {
    seq += 1
    const id = `${ROOM}:${seq}`
    const at = new Date().toISOString()
    const message = {
      id,
      messageId: id,
      groupId: ROOM,
      seq,
      senderId,
      senderName: senderId,
      type: 'text',
      content,
      createdAt: at,
      tempId,
      sender,
      timestamp: at,
    }
    io.to(ROOM).emit('new_message', { message })
    socket.emit('message_sent', { tempId, message, success: true })
  })
})

if (process.argv[2] === 'uws') {
  const app = uWS.App()
  io.attachApp(app)
  app.listen('127.0.0.1', 0, (socket: us_listen_socket | false) => {
    if (!socket) throw new Error('no port')
    process.send?.({ port: uWS.us_socket_local_port(socket) })
  })
} else {
  const server = createServer()
  io.attach(server)
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
}
