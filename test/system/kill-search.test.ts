import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { temporaryFolder } from '../support/engines.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 3)
const GROUP = 'kitchen'
const LIMIT_MS = 60_000 + ROUNDS * 30_000
const IN_FLIGHT = 50

async function connect(port: number): Promise<SocketClient> {
  const client = new SocketClient(port, { token: await tokenOf('ana') })
  await client.next('connected')
  return client
}

describe(`kill -9 while messages are indexed, ${ROUNDS} times on one data directory`, () => {
  it(
    'finds every acknowledged message once',
    async () => {
      const dataDir = temporaryFolder()
      /** The one word of each acknowledged message, and its number. */
      const stored = new Map<string, number>()
      for (let round = 0; round <= ROUNDS; round++) {
        const server = await ServerProcess.start(dataDir)
        const ana = await connect(server.port)
        const found = async (query: string) => {
          ana.send('search', 1, { query })
          return (await ana.next('search_results')).fields.hits.map(({ message }) => message.seq)
        }
        if (round === 0) {
          ana.send('create_group', 1, { kind: 'group', groupId: GROUP })
          await ana.next('group')
        }
        for (const [word, seq] of [...stored].reverse()) {
          await eventually(async () => expect(await found(word), word).toEqual([seq]))
        }
        if (round === ROUNDS) {
          expect(await server.stop()).toBe(0)
          return
        }
        await new Promise<void>((resolve) => {
          let left = 150 + ((round * 37) % 100)
          let next = 0
          const post = () => {
            next += 1
            const word = `r${round}t${next}`
            ana.send('send_message', 2, { groupId: GROUP, content: word, tempId: word })
          }
          ana.onEvent((event) => {
            if (event.event !== 'message_sent') return
            stored.set(event.fields.message.content, event.fields.message.seq)
            post()
            left -= 1
            if (left === 0) resolve()
          })
          for (let i = 0; i < IN_FLIGHT; i++) post()
        })
        await server.kill()
        await ana.closed()
      }
    },
    LIMIT_MS,
  )
})
