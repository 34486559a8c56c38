// A first chat, with the engine as a library: no server, no sockets.
import { createEngine } from 'tertulia'

const engine = await createEngine({ dataDir: './chat-data' })
const alice = await engine.connect({ userId: 'alice', name: 'Alice' })
const bob = await engine.connect({ userId: 'bob', name: 'Bob' })
bob.on('new_message', ({ message }) => console.log(`${message.senderName}: ${message.content}`))

const { groupId } = await alice.createGroup({ kind: 'group', name: 'Kitchen', members: ['bob'] })
await alice.sendMessage({ groupId, content: 'olá', tempId: 't1' }) // resolves once it is stored
await engine.close()
