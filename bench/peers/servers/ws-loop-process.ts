/**
 * `ws` loop: a server on the library `ws`, as its manual shows a broadcast: a loop over the clients.
 *
 * The clients of a group are in a set; a message is made and encoded once and sent to each. Nothing is
 * stored, ordered or limited.
 */
import { createServer } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import { bearerOf, checkToken } from './check-token.ts'
import { port, reportListening } from './port.ts'

const groups = new Map<string, Set<WebSocket>>()
const connected = JSON.stringify({ event: 'connected' })
const server = createServer()
const wss = new WebSocketServer({ noServer: true })
let lastId = 0

server.on('upgrade', (request, socket, head) => {
  let caller: ReturnType<typeof checkToken>
  try {
    caller = checkToken(bearerOf(request.headers.authorization))
  } catch {
    socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
    return
  }
  wss.handleUpgrade(request, socket, head, (ws) => serve(ws, caller.user, caller.groups))
})

function serve(ws: WebSocket, user: string, names: readonly string[]): void {
  for (const name of names) {
    const group = groups.get(name) ?? new Set()
    groups.set(name, group.add(ws))
  }
  ws.on('error', () => {})
  ws.on('close', () => {
    for (const name of names) groups.get(name)?.delete(ws)
  })
  ws.on('message', (data) => {
    const { key, groupId, content } = JSON.parse(String(data)) as {
      readonly key: number
      readonly groupId: string
      readonly content: string
    }
    lastId += 1
    const message = {
      messageId: `${groupId}:${lastId}`,
      groupId,
      senderId: user,
      senderName: user,
      type: 'text',
      content,
      createdAt: Date.now(),
    }
    const text = JSON.stringify({ event: 'new_message', message })
    for (const member of groups.get(groupId) ?? []) {
      if (member.readyState === WebSocket.OPEN) member.send(text)
    }
    ws.send(JSON.stringify({ event: 'ack', key }))
  })
  ws.send(connected)
}

server.listen(port, '127.0.0.1', reportListening)
