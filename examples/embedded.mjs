// Chat inside a service that exists: one engine for its own code and for its users' sockets.
import { createEngine } from 'tertulia'
import { createServer } from 'tertulia/server'

const engine = await createEngine({ dataDir: './chat-data' })
const server = await createServer({
  engine,
  port: Number(process.env['PORT'] ?? 4040),
  jwtSecret: process.env['JWT_SECRET'],
})
console.log(`chat on ${server.url}`)

// The service speaks as a user of its own, in a group for each order.
const shop = await engine.connect({ userId: 'shop', name: 'The shop' })
shop.on('new_message', ({ message }) => console.log(`${message.senderName}: ${message.content}`))
const order = { groupId: 'order-17', name: 'Order 17', members: ['ana'] }
await shop.createGroup({ kind: 'group', ...order }).catch((error) => {
  if (error.code !== 'already_exists') throw error // it was made when the service ran before
})
await shop.sendMessage({ groupId: order.groupId, content: 'Thank you! We are baking.', tempId: 'placed' })

process.once('SIGTERM', async () => {
  await server.close()
  await engine.close()
})
