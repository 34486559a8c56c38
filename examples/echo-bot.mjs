// A bot in your service: it comes where it is invited, answers, and knows one command.
import { createEngine } from 'tertulia'

const engine = await createEngine({ dataDir: './chat-data' })
const bot = await engine.connect({ userId: 'echo', name: 'Echo' })

bot.on('group_invited', ({ groupId }) => bot.joinGroup({ groupId }).catch(console.error))
bot.on('new_message', ({ message: { groupId, messageId, senderId, content } }) => {
  if (senderId === bot.userId) return
  const [command, ...words] = content.split(' ')
  const answer = command === '/shout' ? words.join(' ').toUpperCase() : `you said ${content}`
  // The tempId makes it one answer to each message, whatever is started again.
  const reply = { groupId, content: answer, replyToId: messageId, tempId: `re ${messageId}` }
  bot.sendMessage(reply).catch(console.error) // it may have been removed meanwhile
})

const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
ana.on('new_message', ({ message }) => console.log(`${message.senderName}: ${message.content}`))
const { groupId } = await ana.createGroup({ kind: 'group', name: 'Kitchen' })
ana.on('user_joined_group', async () => {
  await ana.sendMessage({ groupId, content: 'olá', tempId: 't1' })
  await ana.sendMessage({ groupId, content: '/shout bread is ready', tempId: 't2' })
})
await ana.inviteMember({ groupId, userId: 'echo' })
