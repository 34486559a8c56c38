import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChatClient } from '../../client/chat-client.ts'
import { systemClock } from '../../client/clock.ts'
import { resolveSettings } from '../../server/config.ts'
import { createServer } from '../../server/server.ts'
import { makeToken } from '../../server/token.ts'
import { eventually } from '../support/conditions.ts'
import { startInline } from '../support/engines.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const jwtSecret = 'a secret of thirty-two bytes, and more'
/** Reconnects within milliseconds. */
const hasty = { ...systemClock, random: () => 0.01 }
const tokenOf = (userId: string) => makeToken(resolveSettings({ jwtSecret }), { userId, ttlSeconds: 600 })

/** Ana behind a line that can be cut, and Bruno who stays connected. */
async function twoClients() {
  const engine = await startInline()
  const logger = { info() {}, warn() {}, error() {} }
  const server = await createServer({ engine, port: 0, host: '127.0.0.1', jwtSecret, logger, rateLimit: 0 })
  onTestFinished(() => server.close())
  const line = await TcpProxy.start(server.port)
  const clientOf = (userId: string, port: number, clock = hasty) => {
    const client = new ChatClient({ url: `http://127.0.0.1:${port}`, token: () => tokenOf(userId), clock })
    onTestFinished(() => client.close())
    return client
  }
  const ana = clientOf('ana', line.port)
  const bruno = clientOf('bruno', server.port)
  const shown: string[] = []
  ana.on('new_message', ({ message }) => shown.push(message.content))
  /** Nothing listens where the line leads until `back`. */
  const away = () => {
    line.target = 1
    line.cut()
  }
  const back = async () => {
    line.target = server.port
    await eventually(() => expect(ana.state.state).toBe('connected'))
  }
  return { ana, bruno, line, shown, away, back }
}

describe('a client that was disconnected', () => {
  // CUP-2
  it('delivers the first messages of a direct chat that was created meanwhile', async () => {
    const { ana, bruno, shown, away, back } = await twoClients()
    await bruno.connect()
    await bruno.createGroup({ kind: 'group', groupId: 'old', members: ['ana'] })
    await bruno.sendMessage({ groupId: 'old', content: 'seen in the history' })
    await ana.connect()
    away()
    const { groupId } = await bruno.createGroup({ kind: 'direct', members: ['ana'] })
    await bruno.sendMessage({ groupId, content: 'first words' })
    await bruno.sendMessage({ groupId: 'old', content: 'in an old group' })
    await back()
    await eventually(() => expect([...shown].sort()).toEqual(['first words', 'in an old group']))
    await bruno.sendMessage({ groupId, content: 'second words' })
    await eventually(() => expect(shown.at(-1)).toBe('second words'))
    expect(shown).toHaveLength(3)
  })

  // CUP-2
  it('receives all events of the groups that connected does not list', async () => {
    const { ana, bruno, shown, away, back } = await twoClients()
    await bruno.connect()
    const ids = Array.from({ length: 203 }, (_, i) => `g${i}`)
    for (const groupId of ids) await bruno.createGroup({ kind: 'group', groupId, members: ['ana'] })
    const { groups } = await ana.connect()
    expect(groups).toHaveLength(200)
    away()
    await bruno.createGroup({ kind: 'group', groupId: 'met', members: ['ana'] })
    const all = [...ids, 'met']
    await Promise.all(all.map((groupId) => bruno.sendMessage({ groupId, content: groupId })))
    await back()
    await eventually(() => expect([...shown].sort()).toEqual([...all].sort()))
  }, 60_000)

  // IDM-1
  it('creates no duplicate, however many messages follow the one whose answer was lost', async () => {
    const { ana, bruno, line, shown, away, back } = await twoClients()
    await Promise.all([ana.connect(), bruno.connect()])
    const { groupId } = await bruno.createGroup({ kind: 'group', members: ['ana'] })
    const stored = new Promise<string>((resolve) => {
      bruno.on('new_message', ({ message }) => message.senderId === 'ana' && resolve(message.messageId))
    })
    await eventually(() => ana.getHistory({ groupId }))
    line.mute()
    const sending = ana.sendMessage({ groupId, content: 'once' })
    const messageId = await stored
    away()
    // More than the server remembers.
    for (let round = 0; round < 11; round++) {
      await Promise.all(Array.from({ length: 100 }, () => bruno.sendMessage({ groupId, content: 'x' })))
    }
    await back()
    expect((await sending).message.messageId).toBe(messageId)
    await eventually(() => expect(shown.filter((content) => content === 'once')).toHaveLength(1))
    expect(shown).toHaveLength(1_101)
  }, 60_000)
})

describe('a program that closes its client on a dead network', () => {
  it('exits', async () => {
    const { line } = await twoClients()
    const built = fileURLToPath(new URL('../../dist/client/index.js', import.meta.url))
    const token = await tokenOf('ana')
    const program = `
      const { ChatClient } = await import(${JSON.stringify(built)})
      const client = new ChatClient({ url: 'http://127.0.0.1:${line.port}', token: '${token}' })
      await client.connect()
      process.stdin.once('data', () => { client.close(); process.stdin.destroy() })
      console.log('connected')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program])
    onTestFinished(() => void child.kill('SIGKILL'))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    line.mute()
    const closedAtMs = performance.now()
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.stdin.write('close\n')
    expect(await exited).toBe(0)
    // The default of `ws` is 30 s; one second is asked for, the rest is for a busy machine.
    expect(performance.now() - closedAtMs).toBeLessThan(20_000)
  }, 60_000)
})
