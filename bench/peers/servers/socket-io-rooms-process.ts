/**
 * Socket.IO: the library with its own WebSocket server (`ws`) or on uWebSockets.js (argument `uws`).
 *
 * As its manual recommends: a middleware checks the token, the server joins the socket to its rooms, a
 * message is sent to the room and acknowledged, the first HTTP request of a connection is discarded, and
 * clients use WebSockets only. With the argument `recovery`, connection state recovery is on. Nothing is
 * stored on disk.
 */

import type { us_listen_socket } from 'uWebSockets.js'
import { createServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { checkToken } from './check-token.ts'
import { port, reportListening } from './port.ts'

const flags = process.argv.slice(2)
const io = new Server({
  transports: ['websocket'],
  serveClient: false,
  ...(flags.includes('recovery') && {
    connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
  }),
})
let lastId = 0

io.use((socket, next) => {
  try {
    socket.data = checkToken(String(socket.handshake.auth['token']))
    next()
  } catch (error) {
    next(error as Error)
  }
})

io.on('connection', (socket: Socket) => {
  const { user, groups } = socket.data as ReturnType<typeof checkToken>
  void socket.join([...groups])
  socket.on(
    'send_message',
    (
      { groupId, content, tempId }: Readonly<Record<'groupId' | 'content' | 'tempId', string>>,
      acknowledge: (answer: object) => void,
    ) => {
      lastId += 1
      const message = {
        messageId: `${groupId}:${lastId}`,
        groupId,
        senderId: user,
        senderName: user,
        type: 'text',
        content,
        createdAt: Date.now(),
        tempId,
      }
      io.to(groupId).emit('new_message', { message })
      acknowledge({ success: true })
    },
  )
})

if (flags.includes('uws')) {
  // Not loaded for the other one: it does not run everywhere.
  const { default: uWS } = await import('uWebSockets.js')
  const app = uWS.App()
  io.attachApp(app)
  app.listen('127.0.0.1', port, (socket: us_listen_socket | false) => {
    if (!socket) throw new Error('no port')
    reportListening()
  })
} else {
  const server = createServer()
  io.attach(server)
  io.engine.on('connection', (connection: { request: unknown }) => {
    connection.request = null
  })
  server.listen(port, '127.0.0.1', reportListening)
}
