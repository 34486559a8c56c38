import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import type { ClientOptions, SocketClient } from '../support/socket-client.ts'
import { type Harness, startFrontEnd } from './front-end-harness.ts'

const json = { protocols: [subprotocols.json] }

let server: Harness
beforeEach(async () => {
  server = await startFrontEnd({ maxMessageBytes: 1_024, rateLimit: 10 })
})
afterEach(() => server.close())

/** A message with this many bytes of content. */
const message = (bytes: number) => ({ groupId: 'kitchen', content: 'x'.repeat(bytes), tempId: 't1' })

describe('a request', () => {
  it.each([
    ['msgpack', {}],
    ['JSON', json],
  ])('reaches the engine with its fields, and is answered with its ref: %s', async (_, options) => {
    server.gateway.onRequest = ({ port }, { ref }) =>
      port.send(encodeEvent('pong', ref, { t: 7, serverTime: 8 }))
    const client = await server.connected('ana', options)
    client.send('ping', 4_000_000_000, { t: 7 })
    expect(await client.next('pong')).toMatchObject({ ref: 4_000_000_000, fields: { t: 7, serverTime: 8 } })
    expect(server.gateway.session(0).requests).toEqual([
      { event: 'ping', ref: 4_000_000_000, fields: { t: 7 } },
    ])
  })

  // TRN-6
  it('that the engine refuses is answered with its ref', async () => {
    server.gateway.onRequest = () => {
      throw new ChatError('overloaded', undefined, { retryAfterMs: 250 })
    }
    const client = await server.connected('ana')
    client.send('ping', 5, {})
    expect(await client.next('error')).toMatchObject({
      ref: 5,
      fields: { code: 'overloaded', retryAfterMs: 250 },
    })
  })

  it('that causes an internal error is answered `internal`, without details', async () => {
    server.gateway.onRequest = () => {
      throw new Error('SQLITE_IOERR at /var/lib')
    }
    const client = await server.connected('ana')
    client.send('ping', 5, {})
    const { fields } = await client.next('error')
    expect(fields).toEqual({ code: 'internal', message: 'the server failed; the cause is in its log' })
    expect(server.logged).toContain('handling a frame failed')
  })

  it('is counted until it is answered, so that a stop can wait for it', async () => {
    const client = await server.connected('ana')
    const arrived = new Promise<void>((resolve) => {
      server.gateway.onRequest = () => resolve()
    })
    client.send('ping', 5, {})
    await arrived
    expect(server.frontEnd.unanswered).toBe(1)
    server.gateway.session(0).port.send(encodeEvent('pong', 5, { serverTime: 0 }))
    expect(server.frontEnd.unanswered).toBe(0)
  })
})

describe('a bad frame', () => {
  /** The client's answer to the one frame. */
  async function answerTo(client: SocketClient, frame: string | Uint8Array) {
    client.ws.send(frame)
    const { ref, fields } = await client.next('error')
    return { ref, code: fields.code, field: fields.field }
  }

  it.each<[string, string | Uint8Array, { ref: number; code: string; field?: string }]>([
    ['that is empty', Buffer.alloc(0), { ref: 0, code: 'bad_request' }],
    ['that is no msgpack', Buffer.from([0xc1]), { ref: 0, code: 'bad_request' }],
    ['that is not an array', Buffer.from([0x81, 0xa1, 0x61, 0x01]), { ref: 0, code: 'bad_request' }],
    ['that is cut off in its ref', Buffer.from([0x93, 9, 0xce, 0]), { ref: 0, code: 'bad_request' }],
    ['of text', '{"event":"ping","ref":3,"data":{}}', { ref: 0, code: 'bad_request' }],
    ['of an unknown code', Buffer.from([0x92, 63, 3]), { ref: 3, code: 'unknown_event' }],
    [
      'with a wrong field',
      Buffer.from([0x93, 5, 3, 0xa3, 0x61, 0x20, 0x62]),
      { ref: 3, code: 'bad_request', field: 'groupId' },
    ],
    ['over the size limit', encodeRequest('send_message', 3, message(1_024)), { ref: 3, code: 'too_large' }],
  ])('%s is refused', async (_, frame, expected) => {
    const client = await server.connected('ana')
    expect(await answerTo(client, frame)).toEqual(expected)
  })

  it.each<[string, string | Uint8Array, { ref: number; code: string; field?: string }]>([
    ['that is binary', encodeRequest('ping', 3, {}), { ref: 0, code: 'bad_request' }],
    ['that is no JSON', '{', { ref: 0, code: 'bad_request' }],
    ['that is not an object', '[2, 3]', { ref: 0, code: 'bad_request' }],
    ['of an unknown name', '{"event":"toString","ref":3,"data":{}}', { ref: 3, code: 'unknown_event' }],
    ['without a ref', '{"event":"ping","data":{}}', { ref: 0, code: 'bad_request', field: 'ref' }],
    [
      'with a wrong field',
      '{"event":"ping","ref":3,"data":{"t":"now"}}',
      { ref: 3, code: 'bad_request', field: 't' },
    ],
    [
      'over the size limit',
      JSON.stringify({ event: 'send_message', ref: 3, data: message(1_024) }),
      { ref: 3, code: 'too_large' },
    ],
  ])('of JSON %s is refused', async (_, frame, expected) => {
    const client = await server.connected('ana', json)
    expect(await answerTo(client, frame)).toEqual(expected)
  })

  it('far above the limit closes its own socket only', async () => {
    const other = await server.connected('bruno')
    const client = await server.connected('ana')
    client.ws.send(Buffer.alloc(3_000_000))
    // uWebSockets.js terminates with 1006, the built-in transport closes with 1009.
    expect([1006, 1009]).toContain((await client.closed()).code)
    other.send('ping', 1, {})
    await expect.poll(() => server.gateway.session(0).requests).toHaveLength(1)
  })
})

// TRN-5
describe('a JSON frame whose text is longer than the limit', () => {
  it('is accepted if escapes cause the length', async () => {
    const client = await server.connected('ana', json)
    const escaped = '\\u00e9'.repeat(400)
    const data = `{"groupId":"kitchen","content":"${escaped}","tempId":"t1"}`
    client.ws.send(`{"event":"send_message","ref":3,"data":${data}}`)
    await expect.poll(() => server.gateway.session(0).requests).toHaveLength(1)
    expect(server.gateway.session(0).requests[0]?.fields).toMatchObject({ content: 'é'.repeat(400) })
  })

  it('is refused if its values exceed the limit', async () => {
    const client = await server.connected('ana', json)
    for (const data of [message(1_024), message(9_000)]) {
      client.ws.send(JSON.stringify({ event: 'send_message', ref: 3, data }))
      expect((await client.next('error')).fields.code).toBe('too_large')
    }
  })
})

describe('ten malformed frames in a minute', () => {
  it('close with 4400, after each was answered', async () => {
    const client = await server.connected('ana')
    for (let i = 0; i < 12; i++) client.ws.send(Buffer.from([0xc1]))
    expect((await client.closed()).code).toBe(4400)
    expect(client.events.filter(({ event }) => event === 'error')).toHaveLength(10)
  })

  it('may be detected by a shard', async () => {
    const client = await server.connected('ana')
    const { port } = server.gateway.session(0)
    for (let ref = 1; ref <= 10; ref++) {
      port.send(encodeEvent('error', ref, new ChatError('bad_request').toFields()))
      port.countMalformed?.()
    }
    expect((await client.closed()).code).toBe(4400)
    expect(client.events.filter(({ event }) => event === 'error')).toHaveLength(10)
  })

  // INP-1: an unknown event, a frame that is too large, a text that is not well-formed, an invalid value.
  it.each([
    ['msgpack', {}],
    ['JSON', json],
  ] as const)(
    'are not what is well-formed and refused for its value, in %s',
    async (_, options: ClientOptions) => {
      const unlimited = await startFrontEnd({ maxMessageBytes: 1_024, rateLimit: 0 })
      onTestFinished(() => unlimited.close())
      const client = await unlimited.connected('ana', options)
      const { port } = unlimited.gateway.session(0)
      const frames = options.protocols
        ? [
            '{"event":"from_the_future","ref":3,"data":{}}',
            '{"event":"search","ref":3,"data":{"query":"\\ud83d"}}',
            JSON.stringify({ event: 'send_message', ref: 3, data: message(1_100) }),
          ]
        : [Buffer.from([0x92, 63, 3]), encodeRequest('send_message', 3, message(1_100))]
      for (let i = 0; i < 12; i++) {
        for (const frame of frames) {
          client.ws.send(frame)
          await client.next('error')
        }
        port.send(encodeEvent('error', 3, new ChatError('bad_request').toFields()))
        await client.next('error')
      }
      expect(client.ws.readyState).toBe(client.ws.OPEN)
    },
  )

  it('and other refusals have separate limits: what is not malformed is charged', async () => {
    const client = await server.connected('ana')
    for (let ref = 1; ref <= 11; ref++) client.ws.send(Buffer.from([0x92, 63, ref]))
    await expect.poll(() => client.events.filter(({ event }) => event === 'error').length).toBe(11)
    const codes = client.events.flatMap((event) => (event.event === 'error' ? [event.fields.code] : []))
    expect([codes[9], codes[10]]).toEqual(['unknown_event', 'rate_limited'])
  })

  it('do not close the socket if they are spread over two minutes', async () => {
    const client = await server.connected('ana')
    for (let i = 0; i < 20; i++) {
      client.ws.send(Buffer.from([0xc1]))
      await client.next('error')
      server.advance(6_700)
    }
    expect(client.ws.readyState).toBe(client.ws.OPEN)
  })
})

describe('the rate limit', () => {
  const join = (client: SocketClient, ref: number) => client.send('join_group', ref, { groupId: 'kitchen' })

  it('refuses with the time until the next request is allowed', async () => {
    const client = await server.connected('ana')
    for (let ref = 1; ref <= 11; ref++) join(client, ref)
    const { ref, fields } = await client.next('error')
    expect({ ref, code: fields.code, retryAfterMs: fields.retryAfterMs }).toEqual({
      ref: 11,
      code: 'rate_limited',
      retryAfterMs: 6_000,
    })
    server.advance(6_000)
    join(client, 12)
    await expect.poll(() => server.gateway.session(0).requests.map((request) => request.ref)).toContain(12)
  })

  it('applies to all devices of a user together', async () => {
    const phone = await server.connected('ana')
    const laptop = await server.connected('ana', json)
    for (let ref = 1; ref <= 10; ref++) join(phone, ref)
    await expect.poll(() => server.gateway.session(0).requests).toHaveLength(10)
    join(laptop, 11)
    expect((await laptop.next('error')).fields.code).toBe('rate_limited')
  })

  it('has a separate budget for pings', async () => {
    const client = await server.connected('ana')
    for (let ref = 1; ref <= 11; ref++) join(client, ref)
    await client.next('error')
    client.send('ping', 12, {})
    await expect.poll(() => server.gateway.session(0).requests.at(-1)?.event).toBe('ping')
  })

  // LIM-1
  it('does not stop a client that reads too much from sending', async () => {
    const client = await server.connected('ana')
    for (let ref = 1; ref <= 51; ref++) client.send('get_history', ref, { groupId: 'kitchen' })
    expect(await client.next('error')).toMatchObject({ ref: 51, fields: { code: 'rate_limited' } })
    join(client, 52)
    await expect.poll(() => server.gateway.session(0).requests.at(-1)?.event).toBe('join_group')
  })

  // INP-2
  it('charges a request by its cost: a group by its members, a list of groups above a page', async () => {
    const client = await server.connected('ana')
    // Each of the groups costs 1 token, and 2 more for its 700 bytes, of 10 in a minute.
    const members = Array.from({ length: 80 }, (_, i) => `member${i}`)
    for (let ref = 1; ref <= 4; ref++) client.send('create_group', ref, { kind: 'group', members })
    expect(await client.next('error')).toMatchObject({ ref: 4, fields: { code: 'rate_limited' } })
    for (let ref = 5; ref <= 15; ref++) client.send('get_groups', ref, {})
    expect(await client.next('error')).toMatchObject({ ref: 15, fields: { code: 'rate_limited' } })
  })

  // INP-2
  it('charges an upload as much as an event, in one frame or in parts', async () => {
    const client = await server.connected('ana')
    const upload = { groupId: 'g1', fileName: 'a.txt', fileSize: 1 }
    // 600 tokens a minute: 60 for a file in one frame, 30 for the start and the end of an upload.
    for (let ref = 1; ref <= 8; ref++) client.send('upload_file', ref, { ...upload, file: Buffer.from('a') })
    for (let ref = 9; ref <= 12; ref += 2) {
      client.send('upload_begin', ref, upload)
      client.send('upload_end', ref + 1, { uploadId: 'u1' })
    }
    client.send('upload_chunk', 13, { uploadId: 'u1', offset: 0, chunk: Buffer.from('a') })
    expect(await client.next('error')).toMatchObject({ ref: 13, fields: { code: 'rate_limited' } })
  })

  // INP-2
  it('charges an answer by its length: a token of the reads for each 8 KiB', async () => {
    const client = await server.connected('ana')
    const session = server.gateway.session(0)
    const messages = Array.from({ length: 50 }, (_, i) => ({
      messageId: `g1:${i + 1}`,
      groupId: 'g1',
      seq: i + 1,
      senderId: 'bruno',
      senderName: 'Bruno',
      type: 'text' as const,
      content: 'x'.repeat(1_000),
      createdAt: 1_750_000_000_000,
    }))
    const answer = encodeEvent('history', 1, { groupId: 'g1', messages, hasMore: false })
    // Each request costs 1 of the 50 tokens of a minute, and its answer 6 more.
    expect(Math.floor(answer.length / 8_192)).toBe(6)
    for (let i = 1; i <= 7; i++) {
      client.send('get_history', i, { groupId: 'g1' })
      await expect.poll(() => session.requests.at(-1)?.ref).toBe(i)
      session.port.send(encodeEvent('history', i, { groupId: 'g1', messages, hasMore: false }))
    }
    client.send('get_history', 8, { groupId: 'g1' })
    await expect.poll(() => session.requests.at(-1)?.ref).toBe(8)
    client.send('get_history', 9, { groupId: 'g1' })
    expect(await client.next('error')).toMatchObject({ ref: 9, fields: { code: 'rate_limited' } })
  })

  // LIM-1
  it('counts refusals per connection', async () => {
    const first = await server.connected('ana')
    for (let ref = 1; ref <= 30; ref++) join(first, ref)
    expect((await first.closed()).code).toBe(4029)
    const next = await server.connected('ana')
    join(next, 1)
    expect((await next.next('error')).fields.code).toBe('rate_limited')
    next.send('ping', 2, {})
    await expect.poll(() => server.gateway.session(1).requests.at(-1)?.event).toBe('ping')
  })

  // LIM-1
  it('closes with 4029 a client that continues regardless', async () => {
    const client = await server.connected('ana')
    for (let ref = 1; ref <= 30; ref++) join(client, ref)
    expect((await client.closed()).code).toBe(4029)
    // The one that closes it has an answer, too.
    expect(client.events.filter(({ event }) => event === 'error')).toHaveLength(11)
  })
})

describe('a server that stops', () => {
  it('notifies each client of the reconnect time, refuses new requests, and closes with 1001', async () => {
    const clients = [await server.connected('ana'), await server.connected('bruno', json)]
    let spread = 0
    server.frontEnd.stop('maintenance', () => ++spread * 1_000)
    const announced = await Promise.all(clients.map((client) => client.next('server_shutdown')))
    expect(announced.map(({ fields }) => fields)).toEqual([
      { reason: 'maintenance', reconnectInMs: 1_000 },
      { reason: 'maintenance', reconnectInMs: 2_000 },
    ])
    clients[0]?.send('ping', 1, {})
    expect((await clients[0]?.next('error'))?.fields).toMatchObject({
      code: 'shutting_down',
      retryAfterMs: 500,
    })
    expect((await server.client().refused()).status).toBe(503)
    server.frontEnd.closeAll()
    expect(await Promise.all(clients.map(async (client) => (await client.closed()).code))).toEqual([
      1001, 1001,
    ])
  })
})
