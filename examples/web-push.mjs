// Push notifications for members who are away, by Web Push (RFC 8030) and the package web-push.
import { createEngine } from 'tertulia'
import webPush from 'web-push'

const keys = webPush.generateVAPIDKeys() // make them once, and keep them
webPush.setVapidDetails('mailto:chat@example.org', keys.publicKey, keys.privateKey)

// By user: what the browser's `pushManager.subscribe()` gave your service.
const subscriptions = new Map([['bob', JSON.parse(process.argv[2] ?? 'null')]])

const engine = await createEngine({
  dataDir: './chat-data',
  hooks: {
    async userOffline({ userId, message }) {
      const subscription = subscriptions.get(userId)
      if (!subscription) return
      const notification = { title: message.senderName, body: message.content, tag: message.groupId }
      await webPush.sendNotification(subscription, JSON.stringify(notification)).catch((error) => {
        if (error.statusCode !== 410) throw error
        subscriptions.delete(userId) // the browser has taken it back
      })
      console.log(`pushed to ${userId}`)
    },
  },
})

const alice = await engine.connect({ userId: 'alice', name: 'Alice' })
const { groupId } = await alice.createGroup({ kind: 'direct', members: ['bob'] })
await alice.sendMessage({ groupId, content: 'are you there?', tempId: 't1' })
