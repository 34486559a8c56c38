/**
 * A host process with a Socket.IO server of its own, beside an embedded server of Tertulia: both work, and
 * neither notices that the other starts or stops.
 */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server as HostServer } from 'socket.io'
import { io, type Socket } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { transports } from '../../support/transports.ts'
import { startServer } from '../operation/server.ts'
import { connect, groupOf } from './clients.ts'

const ways = [['websocket'], ['polling'], ['polling', 'websocket']]

interface Host {
  readonly http: HttpServer
  readonly server: HostServer
  readonly port: number
}

/** An application with rooms and acknowledgements, on a port of its own. */
async function startHost(): Promise<Host> {
  const http = createServer()
  const server = new HostServer(http)
  server.on('connection', (socket) => {
    void socket.join('lobby')
    socket.on('shout', (text: string, answer: (value: object) => void) => {
      server.to('lobby').emit('shouted', { text, by: socket.id })
      answer({ length: text.length })
    })
    socket.on('bytes', (bytes: Buffer, answer: (value: Buffer) => void) =>
      answer(Buffer.from(bytes).reverse()),
    )
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => server.close())
  return { http, server, port: (http.address() as AddressInfo).port }
}

async function guest({ port }: Host, transport: readonly string[]): Promise<Socket> {
  const socket = io(`http://127.0.0.1:${port}`, { forceNew: true, transports: [...transport] })
  onTestFinished(() => {
    socket.disconnect()
  })
  await new Promise((resolve) => socket.once('connect', () => resolve(undefined)))
  return socket
}

/** Every guest receives what the first one shouts, once. */
async function shout([first, ...others]: readonly Socket[], text: string): Promise<void> {
  const received = others.map((socket) => new Promise((resolve) => socket.once('shouted', resolve)))
  expect(await (first as Socket).timeout(20_000).emitWithAck('shout', text)).toEqual({ length: text.length })
  for (const one of received) expect(await one).toEqual({ text, by: (first as Socket).id })
}

describe.each(transports.map(({ name }) => name))('an embedded server on %s', (transport) => {
  it('works beside the host, whichever started first, and outlives it', async () => {
    const early = await startHost()
    const server = await startServer({ transport })
    const late = await startHost()
    const guests = await Promise.all(
      [early, late].map((host) => Promise.all(ways.map((way) => guest(host, way)))),
    )
    const ana = await connect(server, 'ana')
    await groupOf(ana, 'kitchen', ['ben'])
    const bens = await Promise.all(ways.map((way) => connect(server, 'ben', { transports: way })))

    for (let i = 0; i < 20; i++) {
      const content = `message ${i}`
      const [answer] = await Promise.all([
        ana.ask('send_message', { groupId: 'kitchen', content }),
        ...guests.map((all) => shout(all, content)),
      ])
      expect(answer).toMatchObject({ success: true })
      for (const ben of bens) expect(await ben.next('new_message')).toMatchObject({ content, seq: i + 2 })
    }
    for (const all of guests) {
      for (const socket of all) {
        expect(Buffer.from(await socket.emitWithAck('bytes', Buffer.from('abc')))).toEqual(Buffer.from('cba'))
      }
    }
    await early.server.close()
    expect(await ana.ask('send_message', { groupId: 'kitchen', content: 'x' })).toMatchObject({
      success: true,
    })
    await server.close()
    await shout(guests[1] as Socket[], 'still here')
  })
})
