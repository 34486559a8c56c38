import { connect as connectTo, createServer } from 'node:net'
import { io } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Server } from '../../../server/server.ts'
import { transports } from '../../support/transports.ts'
import { connect, tokenOf } from '../operation/server.ts'
import { RawClient } from '../socket-io/clients.ts'
import { http, openPolling, POLLING } from '../socket-io/harness.ts'
import { rawHttp } from '../transport/app.ts'
import { startFronts } from './fronts-harness.ts'

/** Opens a session with CONNECT over long polling to `one`; all further requests go to `two`. */
async function connected(one: Server, two: Server): Promise<string> {
  const query = await openPolling(one)
  const auth = JSON.stringify({ token: await tokenOf('ana') })
  expect(await http(two, query, { body: `40${auth}` })).toMatchObject({ status: 200, text: 'ok' })
  // The answer of CONNECT, then `connected`.
  const { text } = await http(two, query)
  expect(text).toMatch(/^40\{"sid":/)
  return query
}

describe('a Socket.IO client whose requests reach two fronts that share a port', () => {
  // SIO-1
  it('polls through the other front', async () => {
    const [one, two] = await startFronts()
    const query = await connected(one, two)
    expect(
      (await http(two, query, { body: '42["create_group",{"kind":"group","groupId":"team"}]' })).text,
    ).toBe('ok')
    const bruno = await connect(two, 'bruno')
    let seen = ''
    while (!seen.includes('group_created')) seen += (await http(two, query)).text
    bruno.ws.terminate()
  })

  // SIO-1
  it('opens its WebSocket to the other front', async () => {
    const [one, two] = await startFronts()
    const query = await connected(one, two)
    const client = new RawClient(two, query.replace('polling', 'websocket'))
    await client.opened()
    client.send('2probe')
    expect(await client.next()).toBe('3probe')
    client.send('5')
    client.send('42["create_group",{"kind":"group","groupId":"team","members":["bruno"]}]')
    let seen = ''
    const see = async (text: string) => {
      while (!seen.includes(text)) seen += String(await client.next())
    }
    await see('group_created')
    // What is published reaches it, too.
    const bruno = await connect(two, 'bruno')
    bruno.send('typing_start', 0, { groupId: 'team' })
    await see('["user_typing",')
    bruno.send('send_message', 1, { groupId: 'team', content: 'Olá', tempId: 't1' })
    await see('["new_message",')
    await see('Olá')
    expect(seen.match(/new_message/g)?.length).toBe(1)
  })

  it('may not send a body of any size to the other front', async () => {
    const [one, two] = await startFronts()
    const query = await openPolling(one)
    const answer = await http(two, query, { body: '4'.repeat(40 * 1_048_576) }).catch(() => null)
    expect(answer?.status ?? 413).toBe(413)
    // Both fronts still serve.
    for (const front of [one, two]) expect((await http(front, POLLING)).status).toBe(200)
  })

  it('is unknown if the front of its session has ended, or never existed', async () => {
    const [one, two] = await startFronts()
    const query = await openPolling(one)
    await one.close()
    for (const sid of [query, `${POLLING}&sid=77.x`, `${POLLING}&sid=x`]) {
      const { status, text } = await http(two, sid)
      expect([status, JSON.parse(text).message]).toEqual([400, 'Session ID unknown'])
    }
    const client = new RawClient(two, query.replace('polling', 'websocket'))
    await client.closed()
  })

  // INP-2
  it.each(transports)('may send any address and any header ($name)', async ({ name }) => {
    const errors: object[] = []
    const logger = { info() {}, warn() {}, error: (fields: object) => void errors.push(fields) }
    const [one, two] = await startFronts({}, { transport: name, logger })
    const handshake =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    const query = (transport: string, rest: string) => `EIO=4&transport=${transport}&sid=1.abc${rest}`
    for (const [method, target, lines] of [
      ['GET', query('websocket', '#x'), handshake],
      ['GET', query('websocket', '&x=\xff%zz:/?#'), handshake],
      ['GET', query('websocket', ''), `${handshake}Origin: http://\xff\xfe\r\n`],
      ['GET', query('websocket', ''), `${handshake}Content-Type: \xe9\r\n`],
      ['GET', query('polling', '&x=\xff\xfe#x'), ''],
      ['GET', query('polling', ''), 'Content-Type: \xff\r\n'],
      ['CONNECT', query('polling', ''), ''],
    ] as const) {
      const bytes = Buffer.from(
        `${method} /socket.io/?${target} HTTP/1.1\r\nHost: x\r\n${lines}\r\n`,
        'latin1',
      )
      await rawHttp(two.port, [bytes], /\r\n\r\n/)
    }
    for (const front of [one, two]) expect((await http(front, POLLING)).status).toBe(200)
    expect(errors).toEqual([])
  })

  // SIO-1
  it('connects with the library as it is', async () => {
    const [one, two] = await startFronts()
    const token = await tokenOf('ana')
    // The library's requests alternate between the fronts.
    let next = 0
    const balancer = createServer((socket) => {
      next += 1
      const target = connectTo(next % 2 === 0 ? one.port : two.port, '127.0.0.1')
      socket.on('error', () => target.destroy()).pipe(target)
      target.on('error', () => socket.destroy()).pipe(socket)
    })
    await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void balancer.close())
    const { port } = balancer.address() as { readonly port: number }
    const clients = Array.from({ length: 6 }, () =>
      io(`http://127.0.0.1:${port}`, { auth: { token }, forceNew: true }),
    )
    onTestFinished(() => {
      for (const client of clients) client.close()
    })
    await Promise.all(
      clients.map(
        (client) =>
          new Promise<void>((resolve, reject) => {
            client.on('disconnect', (reason) => reject(new Error(reason)))
            client.io.engine.on('upgrade', () => client.emit('ping', { t: 1 }))
            client.on('pong', () => resolve())
          }),
      ),
    )
  })
})
