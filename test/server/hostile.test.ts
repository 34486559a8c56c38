import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import { encodeRequest } from '../../protocol/codec.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { createServer, type Server } from '../../server/server.ts'
import { startInline } from '../support/engines.ts'
import { SocketClient } from '../support/socket-client.ts'
import { SECRET, tokenOf } from './front-end-harness.ts'

/** The server's clock does not advance, so that tokens of the harness stay valid. */
const START_MS = 1_700_000_000_000

let engine: Engine
let server: Server
const logged: string[] = []
beforeEach(async () => {
  logged.length = 0
  engine = await startInline({})
  const log = (_: object, message: string) => void logged.push(message)
  server = await createServer({
    engine,
    port: 0,
    host: '127.0.0.1',
    jwtSecret: SECRET,
    rateLimit: 0,
    logger: { info() {}, warn: log, error: log },
    now: () => START_MS,
  })
})
afterEach(() => server.close())

async function connected(userId: string, protocols: readonly string[] = []): Promise<SocketClient> {
  const client = new SocketClient(server.port, { token: await tokenOf(userId), protocols })
  await client.next('connected')
  return client
}

/** The server still serves other users, and logged no internal error. */
async function expectAllIsWell(): Promise<void> {
  const other = await connected('somebody else')
  other.send('ping', 1, { t: 5 })
  expect((await other.next('pong')).fields.t).toBe(5)
  other.ws.terminate()
  expect(logged).toEqual([])
}

/** Sends a frame and waits for an answer or a close. */
async function dealtWith(client: SocketClient, frame: string | Uint8Array): Promise<string> {
  client.ws.send(frame)
  const error = await client.next('error').catch(() => client.closed())
  return 'fields' in error ? error.fields.code : String(error.code)
}

const bomb = (tag: number, depth: number) =>
  Uint8Array.from([0x93, 2, 1, ...new Array(depth).fill(tag), 0xc0])

describe('a hostile frame', () => {
  it.each<[string, Uint8Array, string]>([
    ['an array bomb', bomb(0x91, 60_000), 'bad_request'],
    ['a map bomb', bomb(0x81, 60_000), 'bad_request'],
    [
      'a string longer than the frame',
      Uint8Array.from([0x93, 5, 1, 0xdb, 0x7f, 0xff, 0xff, 0xff]),
      'bad_request',
    ],
    ['an array longer than the frame', Uint8Array.from([0xdd, 0xff, 0xff, 0xff, 0xff, 5, 1]), 'bad_request'],
    ['an extension', Uint8Array.from([0x93, 5, 1, 0xd4, 0x72, 0x40]), 'bad_request'],
    ['a float for a ref', Uint8Array.from([0x92, 2, 0xca, 0x3f, 0x80, 0, 0]), 'bad_request'],
    [
      'a string of 1 MiB',
      encodeRequest('send_message', 1, { groupId: 'g', content: 'x'.repeat(1_048_576), tempId: 't' }),
      'too_large',
    ],
    ['2 MiB of nothing', new Uint8Array(2_000_000), 'too_large'],
  ])('of msgpack is refused: %s', async (_, frame, code) => {
    expect(await dealtWith(await connected('mallory'), frame)).toBe(code)
    await expectAllIsWell()
  })

  it.each<[string, string, string]>([
    [
      'a bomb',
      `{"event":"ping","ref":1,"data":{"t":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`,
      'bad_request',
    ],
    ['a prototype', '{"event":"__proto__","ref":1,"data":{}}', 'unknown_event'],
    [
      'a poisoned field',
      '{"event":"join_group","ref":1,"data":{"__proto__":{"groupId":"g"}}}',
      'bad_request',
    ],
    ['a number too large', '{"event":"ping","ref":1,"data":{"t":1e400}}', 'bad_request'],
    [
      'a string of 1 MiB',
      JSON.stringify({ event: 'ping', ref: 1, data: { t: 'x'.repeat(1_048_576) } }),
      'too_large',
    ],
  ])('of JSON is refused: %s', async (_, frame, code) => {
    expect(await dealtWith(await connected('mallory', [subprotocols.json]), frame)).toBe(code)
    await expectAllIsWell()
  })

  it('of random bytes is answered or closes its own socket, and has no other effect', async () => {
    const head = fc.constantFrom(
      [],
      [0x92],
      [0x93, 9, 1],
      [0x95, 9, 1, 0xa1, 0x67],
      [0x93, 11, 1],
      [0x94, 3, 1],
    )
    const frames = fc.array(fc.tuple(head, fc.uint8Array({ maxLength: 40 })), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(frames, async (all) => {
        const client = await connected('mallory')
        for (const [start, rest] of all) client.ws.send(Uint8Array.from([...start, ...rest]))
        client.send('ping', 77, {})
        await client.next('pong').catch(async () => expect([4400]).toContain((await client.closed()).code))
        client.ws.terminate()
      }),
      { numRuns: 60 },
    )
    await expectAllIsWell()
  })
})

describe('hostile bytes', () => {
  async function raw(): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  it.each([
    ['no HTTP', Buffer.from([0, 1, 2, 255, 254, 10, 13])],
    ['a header without end', Buffer.from(`GET /ws HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`)],
    [
      'a query that is no UTF-8',
      Buffer.from('GET /api/chat/groups?cursor=%ff%fe&limit=%zz HTTP/1.1\r\nHost: x\r\n\r\n'),
    ],
    [
      'a path that is no UTF-8',
      Buffer.from('GET /api/chat/groups/%ff%e0/messages HTTP/1.1\r\nHost: x\r\n\r\n'),
    ],
    ['an upgrade without a key', Buffer.from('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n')],
    [
      'a body that never comes',
      Buffer.from('POST /api/chat/groups/g/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1'),
    ],
  ])('instead of a request: %s', async (_, bytes) => {
    const socket = await raw()
    socket.write(bytes)
    await expectAllIsWell()
    socket.destroy()
    await expectAllIsWell()
  })

  it.each([
    ['a frame without a mask', [0x82, 0x03, 0x92, 0x02, 0x01]],
    ['a reserved opcode', [0x8b, 0x80, 0, 0, 0, 0]],
    ['a ping of 200 bytes', [0x89, 0xfe, 0, 200, 0, 0, 0, 0, ...new Array(200).fill(0)]],
    ['a frame of 2^63 bytes', [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['text that is no UTF-8', [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]],
    ['a continuation of nothing', [0x80, 0x80, 0, 0, 0, 0]],
    ['a close frame of one byte', [0x88, 0x81, 0, 0, 0, 0, 1]],
  ])('in a WebSocket: %s', async (_, bytes) => {
    const client = await connected('mallory')
    const socket = (client.ws as unknown as { readonly _socket: Socket })._socket
    socket.write(Uint8Array.from(bytes))
    await expectAllIsWell()
    client.ws.terminate()
  })
})
