import { describe, expect, it } from 'vitest'
import type { Message } from '../../protocol/records.ts'
import { temporaryFolder } from '../support/engines.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 6)
const GROUP = 'kitchen'
const LIMIT_MS = 60_000 + ROUNDS * 30_000
const POSTS = 20
const IN_FLIGHT = 30

/** Ana's requests for one message in the order of this round, and how far they were acknowledged. */
interface Post {
  readonly messageId: string
  readonly seq: number
  /** The newest edit that was sent, and the newest that was acknowledged. */
  sent: number
  acknowledged: number
}

async function connect(port: number, userId: string): Promise<SocketClient> {
  const client = new SocketClient(port, { token: await tokenOf(userId) })
  await client.next('connected')
  return client
}

async function history(client: SocketClient): Promise<readonly Message[]> {
  client.send('get_history', 999_999, { groupId: GROUP, limit: 200 })
  return (await client.next('history')).fields.messages
}

describe(`kill -9 between changes, ${ROUNDS} times on one data directory`, () => {
  it(
    'loses no acknowledged edit and no acknowledged read mark',
    async () => {
      const dataDir = temporaryFolder()
      const posts: Post[] = []
      let readSeq = 0
      for (let round = 0; round <= ROUNDS; round++) {
        const server = await ServerProcess.start(dataDir)
        const ana = await connect(server.port, 'ana')
        if (round === 0) {
          ana.send('create_group', 1, { kind: 'group', groupId: GROUP, members: ['bruno'] })
          await ana.next('group')
          for (let i = 0; i < POSTS; i++) {
            ana.send('send_message', 2, { groupId: GROUP, content: 'v0', tempId: `t${i}` })
            const { message } = (await ana.next('message_sent')).fields
            posts.push({ messageId: message.messageId, seq: message.seq, sent: 0, acknowledged: 0 })
          }
        }
        const bruno = await connect(server.port, 'bruno')
        const [summary] = (await greeting(server.port)).groups
        const unread = posts.filter(({ seq }) => seq > (summary?.readSeq ?? 0)).length
        expect(summary?.readSeq ?? 0, 'what was acknowledged as read').toBeGreaterThanOrEqual(readSeq)
        expect(summary?.unread, 'unread after the mark').toBe(unread)
        for (const message of await history(ana)) {
          const post = posts.find(({ messageId }) => messageId === message.messageId) as Post
          const version = Number(message.content.slice(1))
          expect(version, `edits of ${message.messageId}`).toBeGreaterThanOrEqual(post.acknowledged)
          expect(version).toBeLessThanOrEqual(post.sent)
          post.acknowledged = version
        }
        if (round === ROUNDS) {
          expect(await server.stop()).toBe(0)
          return
        }
        await new Promise<void>((resolve) => {
          let left = 60 + ((round * 31) % 50)
          let next = 0
          const waiting = new Map<number, () => void>()
          const edit = () => {
            next += 1
            const post = posts[next % POSTS] as Post
            post.sent += 1
            const version = post.sent
            waiting.set(next, () => {
              post.acknowledged = Math.max(post.acknowledged, version)
            })
            ana.send('edit_message', next, { messageId: post.messageId, content: `v${version}` })
          }
          ana.onEvent(({ event, ref }) => {
            if (event !== 'ok') return
            waiting.get(ref)?.()
            edit()
            left -= 1
            if (left === 0) resolve()
          })
          const reading = posts[(round * 3 + 2) % POSTS] as Post
          bruno.onEvent(({ event, ref }) => {
            if (event === 'ok' && ref === 7) readSeq = Math.max(readSeq, reading.seq)
          })
          bruno.send('message_read', 7, { messageIds: [reading.messageId], groupId: GROUP })
          for (let i = 0; i < IN_FLIGHT; i++) edit()
        })
        await server.kill()
        await ana.closed()
      }

      /** What Bruno receives when he connects. */
      async function greeting(port: number) {
        const client = new SocketClient(port, { token: await tokenOf('bruno') })
        const { fields } = await client.next('connected')
        client.ws.terminate()
        return fields
      }
    },
    LIMIT_MS,
  )
})
