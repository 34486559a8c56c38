// A first chat, as a client; its arguments are the server's address and the token that `npm start` prints.
import { ChatClient } from 'tertulia/client'

const [url = 'http://localhost:4040', token = ''] = process.argv.slice(2)
const client = new ChatClient({ url, token })
client.on('new_message', ({ message }) => console.log(`${message.senderName}: ${message.content}`))
client.on('state', ({ state }) => console.log(`(${state})`))

await client.connect() // and stays connected: what was missed in between arrives afterwards, in order
const { groupId } = await client.createGroup({ kind: 'group', name: 'Kitchen' })
await client.sendMessage({ groupId, content: 'olá' }) // resolves once it is stored
