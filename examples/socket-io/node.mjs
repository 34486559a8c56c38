// A chat over Socket.IO; its arguments are the server's address and the token that `npm start` prints.
import { io } from 'socket.io-client'

const [url = 'http://localhost:4040', token = ''] = process.argv.slice(2)
const socket = io(url, { auth: { token } })
const lastSeqs = new Map() // of each group: what this client has seen
let resuming = false

socket.on('connect_error', (error) => console.log(`(${error.message})`))
socket.on('disconnect', (reason) => console.log(`(disconnected: ${reason})`))
socket.on('new_message', ({ senderName, content }) => console.log(`${senderName}: ${content}`))
socket.onAny((_, { groupId, seq } = {}) => {
  if (!resuming && seq > (lastSeqs.get(groupId) ?? 0)) lastSeqs.set(groupId, seq)
})

socket.on('connected', async ({ userId }) => {
  console.log(`(connected as ${userId})`)
  // After a reconnect: what was missed arrives as the events that it was, in order.
  if (lastSeqs.size > 0) await resume()
  else await say('olá')
})

async function resume() {
  // Live events can arrive before the missed ones: they count only afterwards.
  resuming = true
  const { groups = [] } = await socket.emitWithAck('resume', { groups: [...lastSeqs] })
  for (const [groupId, seq] of groups) lastSeqs.set(groupId, seq)
  resuming = false
}

async function say(content) {
  const { group } = await socket.emitWithAck('create_group', { kind: 'group', name: 'Kitchen' })
  // Resolves once the message is stored. With its own tempId it could be repeated and stored once.
  const { success, message, error } = await socket.emitWithAck('send_message', {
    groupId: group.groupId,
    content,
  })
  console.log(success ? `(stored as ${message.seq}) ${message.content}` : `(${error})`)
}
