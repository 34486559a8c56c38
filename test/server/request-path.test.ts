import { describe, expect, it } from 'vitest'
import { decodeRequest, encodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import { requests } from '../../protocol/requests.ts'
import { PendingRequests } from '../../server/pending-requests.ts'
import { RateLimiter } from '../../server/rate-limit.ts'
import { type Requester, RequestPath } from '../../server/request-path.ts'
import type { Wire } from '../../server/wire.ts'

/** A wire that the server does not have: hexadecimal text. */
const hexWire: Wire = {
  subprotocol: 'hex',
  isBinary: false,
  topicPrefix: 'h',
  bytesPerFrameByte: 2,
  decode: (message) => Buffer.from(Buffer.from(message).toString(), 'hex'),
  encode: (frame) => Buffer.from(Buffer.from(frame).toString('hex')),
  refOf: () => 99,
}

interface Received {
  readonly session: number
  readonly frame: Uint8Array
  readonly view: FrameView
}

/** A request path over a scripted gateway, and a requester without a socket. */
function aPath(options: { readonly maxMessageBytes?: number; readonly refuses?: ChatError } = {}) {
  const received: Received[] = []
  const refused: string[] = []
  const meters = { requests: 0 }
  const path = new RequestPath({
    gateway: {
      receive(session, frame, view) {
        received.push({ session, frame: Uint8Array.from(frame), view })
        if (options.refuses) throw options.refuses
      },
    },
    limiter: new RateLimiter({ perMinute: 0, maxUsers: 1, now: () => 0 }),
    authenticate: () => Promise.reject(new Error('not used')),
    maxMessageBytes: options.maxMessageBytes ?? 1_024,
    logger: { info() {}, warn() {}, error() {} },
    meters,
  })
  const from: Requester = {
    wire: hexWire,
    userId: 'ana',
    session: 7,
    pending: new PendingRequests(),
    sendEvent() {},
    refuse: (ref, { code }) => refused.push(`${ref} ${code}`),
    countMalformed: () => refused.push('malformed'),
    countRateRefusal() {},
    renew() {},
  }
  const send = (frame: Uint8Array, isBinary = false) => path.handle(from, hexWire.encode(frame), isBinary)
  return { path, from, send, received, refused, meters }
}

describe('the request path', () => {
  // TRN-9
  it('reads the head of a frame of any wire once and passes it to the gateway', () => {
    const { send, received, from, meters } = aPath()
    send(encodeRequest('get_history', 5, { groupId: 'kitchen' }))
    const [{ session, frame, view }] = received as [Received]
    expect(session).toBe(7)
    expect(decodeRequest(frame)).toEqual({ event: 'get_history', ref: 5, fields: { groupId: 'kitchen' } })
    expect(view).toMatchObject({ code: requests.get_history.code, ref: 5, row: requests.get_history })
    expect(Buffer.from(frame.subarray(view.idStart, view.idEnd)).toString()).toBe('kitchen')
    expect([from.pending.unanswered, meters.requests]).toEqual([1, 1])
  })

  it('refuses a message of the other type, a malformed frame and an unknown code', () => {
    const { path, from, send, received, refused } = aPath()
    send(encodeRequest('ping', 5, {}), true)
    path.handle(from, Buffer.from('00'), false)
    send(Uint8Array.of(0x92, 0x3f, 0x05))
    expect(refused).toEqual(['0 bad_request', 'malformed', '99 bad_request', 'malformed', '5 unknown_event'])
    expect(received).toEqual([])
  })

  // TRN-5
  it('limits the frame, whatever the size of the message', () => {
    const { send, refused, received } = aPath({ maxMessageBytes: 32 })
    send(encodeRequest('get_history', 5, { groupId: 'k'.repeat(20) }))
    send(encodeRequest('get_history', 6, { groupId: 'k'.repeat(40) }))
    expect(received).toHaveLength(1)
    expect(refused).toEqual(['99 too_large'])
  })

  it('does not count a request that the engine refuses as unanswered', () => {
    const { send, refused, from } = aPath({ refuses: new ChatError('overloaded') })
    send(encodeRequest('ping', 5, {}))
    expect(refused).toEqual(['5 overloaded'])
    expect(from.pending.unanswered).toBe(0)
  })
})
