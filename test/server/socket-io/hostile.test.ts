/**
 * Seeded hostile packets and requests on every transport, while a well-behaved group chats: the process
 * lives, nothing is logged as an error, and the others see one order, nothing lost and nothing twice.
 *
 * 5,000 in a run of the suite. `HOSTILE_PACKETS=100000 HOSTILE_SEED=7 npx vitest run <this file>` sends more.
 */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Server } from '../../../server/server.ts'
import { transports } from '../../support/transports.ts'
import { connect as connectBinary, startServer, tokenOf } from '../operation/server.ts'
import { connect, groupOf } from './clients.ts'
import { below, hostilePacket, hostileRequest, pick, type Random, seeded } from './hostile-packets.ts'

const PACKETS = Number(process.env['HOSTILE_PACKETS'] ?? 5_000)
const SEED = Number(process.env['HOSTILE_SEED'] ?? 1)
const ATTACKERS = 8
const MAX_PER_SOCKET = 40

interface Attack {
  readonly server: Server
  readonly random: Random
  readonly token: string
  readonly sids: string[]
  left: number
}

const opened = (ws: WebSocket) => Promise.race([once(ws, 'open'), once(ws, 'close')]).catch(() => undefined)

/** Packets on one WebSocket, before or after CONNECT. */
async function attackSocket(attack: Attack): Promise<void> {
  const { server, random, token, sids } = attack
  const sid = random() < 0.2 && sids.length > 0 ? `&sid=${pick(random, sids)}` : ''
  const given = random() < 0.2 ? `&token=${token}` : ''
  const url = `ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket${sid}${given}`
  const ws = new WebSocket(url)
  ws.on('error', () => {})
  const isClosed = new Promise((resolve) => ws.once('close', resolve))
  await opened(ws)
  if (random() < 0.8) ws.send(`40${JSON.stringify({ token })}`, () => {})
  const count = 1 + below(random, MAX_PER_SOCKET)
  for (let i = 0; i < count && ws.readyState === WebSocket.OPEN; i++) {
    attack.left -= 1
    const packet = hostilePacket(random)
    await new Promise((resolve) => ws.send(packet, { fin: random() < 0.95 }, resolve))
  }
  // What was sent is handled before the socket is closed, unless it is closed for it.
  if (ws.readyState === WebSocket.OPEN && random() < 0.7) {
    ws.ping()
    await Promise.race([once(ws, 'pong').catch(() => undefined), isClosed])
  }
  ws.terminate()
  await isClosed
}

/** Requests on one connection, some of them cut off. */
async function attackHttp(attack: Attack): Promise<void> {
  const { server, random, sids } = attack
  const tcp = connectTcp(server.port, '127.0.0.1')
  tcp.on('error', () => {})
  const isClosed = new Promise((resolve) => tcp.once('close', resolve))
  let answer = ''
  tcp.on('data', (data) => {
    answer += data.toString('latin1')
  })
  const count = 1 + below(random, 5)
  for (let i = 0; i < count && !tcp.destroyed; i++) {
    attack.left -= 1
    const request = hostileRequest(random, sids)
    const bytes = random() < 0.9 ? request : request.subarray(0, below(random, request.length))
    await new Promise((resolve) => tcp.write(bytes, resolve))
    await new Promise(setImmediate)
  }
  const sid = /"sid":"([^"]+)"/.exec(answer)?.[1]
  if (sid) sids[below(random, 16)] = sid
  tcp.destroy()
  await isClosed
}

async function run(attack: Attack): Promise<void> {
  while (attack.left > 0) {
    if (attack.random() < 0.7) await attackSocket(attack)
    else await attackHttp(attack)
  }
}

it.each(transports)(
  '$name: the process lives and others are served',
  { timeout: 1_800_000 },
  async ({ name }) => {
    const errors: unknown[] = []
    const server = await startServer({
      transport: name,
      maxUnauthenticatedBytes: 256 * 1_048_576,
      authFailureLimit: 0,
      logger: { info() {}, warn() {}, error: (fields, message) => void errors.push([message, fields]) },
    })
    const ana = await connect(server, 'ana')
    const carla = await connect(server, 'carla', { transports: ['polling'] })
    await groupOf(ana, 'kitchen', ['ben', 'carla'])
    const ben = await connectBinary(server, 'ben')

    const attack: Attack = {
      server,
      random: seeded(SEED),
      token: await tokenOf('mallory'),
      sids: [],
      left: PACKETS,
    }
    let isOver = false
    const attacks = Promise.all(Array.from({ length: ATTACKERS }, () => run(attack))).finally(() => {
      isOver = true
    })
    const contents: string[] = []
    while (!isOver || contents.length < 20) {
      const content = `message ${contents.length}`
      const answer = await ana.ask('send_message', { groupId: 'kitchen', content })
      expect(answer).toMatchObject({ success: true })
      contents.push(content)
    }
    await attacks
    await carla.settled()

    const ofCarla = carla.events.flatMap(([event, fields]) => (event === 'new_message' ? [fields] : []))
    while (ofCarla.length < contents.length) ofCarla.push(await carla.next('new_message'))
    await expect
      .poll(() => ben.events.filter(({ event }) => event === 'new_message').length)
      .toBe(contents.length)
    const ofBen = ben.events.flatMap((event) => (event.event === 'new_message' ? [event.fields.message] : []))
    expect(ofBen.map(({ content }) => content)).toEqual(contents)
    expect(ofCarla.map(({ content }) => content)).toEqual(contents)
    const [{ seq: first = 0 } = {}] = ofBen
    expect(ofBen.map(({ seq }) => seq)).toEqual(contents.map((_, i) => first + i))
    expect(ofCarla.map(({ seq }) => seq)).toEqual(ofBen.map(({ seq }) => seq))
    expect(errors).toEqual([])
  },
)
