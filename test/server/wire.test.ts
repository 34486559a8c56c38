import { afterEach, describe, expect, it, vi } from 'vitest'
import { decodeEvent, decodeRequest, encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { type Wire, wires } from '../../server/wire.ts'
import { type Harness, startFrontEnd } from './front-end-harness.ts'

const [msgpack, json] = wires as unknown as [Wire, Wire]
const event = encodeEvent('new_message', 0, {
  message: {
    messageId: 'kitchen:1',
    groupId: 'kitchen',
    seq: 1,
    type: 'text',
    senderId: 'ana',
    senderName: 'Ana',
    content: 'olá',
    createdAt: 0,
  },
})

describe.each(wires)('the wire $subprotocol', (wire) => {
  it('converts a message to the frame of its request, and an event frame to a message', () => {
    const frame = encodeRequest('get_history', 9, { groupId: 'kitchen' })
    const text = '{"event":"get_history","ref":9,"data":{"groupId":"kitchen"}}'
    const message = wire.isBinary ? frame : Buffer.from(text)
    expect(decodeRequest(wire.decode(message))).toEqual(decodeRequest(frame))
    expect(wire.refOf(message)).toBe(9)
    const encoded = wire.encode(event)
    const shown = wire.isBinary
      ? decodeEvent(encoded)?.fields
      : JSON.parse(Buffer.from(encoded).toString()).data
    expect(shown).toMatchObject({ message: { messageId: 'kitchen:1', content: 'olá' } })
  })

  it('has no ref for a message that is not a frame', () => {
    expect(wire.refOf(Buffer.from('no frame'))).toBe(0)
  })
})

describe('an event', () => {
  let server: Harness

  afterEach(() => {
    vi.restoreAllMocks()
    server.close()
  })

  // TRN-2
  it('is encoded once for each wire that has subscribers', async () => {
    server = await startFrontEnd()
    const encoded = { msgpack: vi.spyOn(msgpack, 'encode'), json: vi.spyOn(json, 'encode') }
    const calls = () => {
      const counts = [encoded.msgpack.mock.calls.length, encoded.json.mock.calls.length]
      encoded.msgpack.mockClear()
      encoded.json.mockClear()
      return counts
    }
    const asJson = { protocols: [subprotocols.json] }
    const clients = [await server.connected('ana'), await server.connected('bruno')]
    for (const { port } of server.gateway.sessions) port.subscribe('g:kitchen')
    calls()
    server.gateway.publish('g:kitchen', event)
    expect(calls()).toEqual([1, 0])

    clients.push(await server.connected('carla', asJson), await server.connected('dora', asJson))
    calls()
    server.gateway.publish('g:kitchen', event)
    expect(calls()).toEqual([1, 0])
    for (const { port } of server.gateway.sessions) port.subscribe('g:kitchen')
    server.gateway.publish('g:kitchen', event)
    expect(calls()).toEqual([1, 1])
    for (const client of clients) await client.next('new_message')
    server.gateway.publish('g:garden', event)
    expect(calls()).toEqual([0, 0])
  })
})
