// A moderation filter: it sees every message and edit before anybody else does.
import { reject } from 'tertulia'
import { createServer } from 'tertulia/server'

const insults = /\b(nitwit|numbskull)\b/gi

const server = await createServer({
  dataDir: './chat-data',
  port: Number(process.env['PORT'] ?? 4040),
  jwtSecret: process.env['JWT_SECRET'],
  hooks: {
    beforeMessage({ user, content }) {
      if (content.includes('http://')) throw reject('links only with https, please')
      const polite = content.replace(insults, '***')
      if (polite !== content) console.log(`${user.name} was rude`)
      return { content: polite }
    },
  },
})
console.log(`moderated chat on ${server.url}`)
