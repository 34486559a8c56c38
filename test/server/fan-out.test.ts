import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeEvent } from '../../protocol/codec.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import type { SocketClient } from '../support/socket-client.ts'
import { type Harness, startFrontEnd, tokenOf } from './front-end-harness.ts'

const KIB = 1_024
const MAX_BACKPRESSURE = 128 * KIB
const TOPIC = 'g:kitchen'

let server: Harness
beforeEach(async () => {
  server = await startFrontEnd({ maxBackpressure: MAX_BACKPRESSURE })
})
afterEach(() => server.close())

/** A message of the group with this number and size. */
function post(seq: number, bytes = 1): Uint8Array {
  return encodeEvent('new_message', 0, {
    message: {
      messageId: `kitchen:${seq}`,
      groupId: 'kitchen',
      seq,
      senderId: 'ana',
      senderName: 'Ana',
      type: 'text',
      content: 'x'.repeat(bytes),
      createdAt: 0,
    },
  })
}

function seqsOf(client: SocketClient): number[] {
  return client.events.flatMap((event) => (event.event === 'new_message' ? [event.fields.message.seq] : []))
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1)
}

describe('what is published to a topic', () => {
  it('reaches the subscribers in both subprotocols, in order with frames sent directly', async () => {
    const binary = await server.connected('ana')
    const text = await server.connected('bruno', { protocols: [subprotocols.json] })
    const outside = await server.connected('carla')
    for (const number of [0, 1]) server.gateway.session(number).port.subscribe(TOPIC)
    server.gateway.publish(TOPIC, post(1))
    for (const number of [0, 1, 2]) server.gateway.session(number).port.send(post(2))
    server.gateway.publish(TOPIC, post(3))
    for (const number of [0, 1, 2]) server.gateway.session(number).port.send(post(4))
    await expect.poll(() => [binary, text, outside].map(seqsOf)).toEqual([upTo(4), upTo(4), [2, 4]])
  })

  it('does not reach sockets that have unsubscribed', async () => {
    const client = await server.connected('ana', { protocols: [subprotocols.json] })
    const { port } = server.gateway.session(0)
    port.subscribe(TOPIC)
    server.gateway.publish(TOPIC, post(1))
    port.unsubscribe(TOPIC)
    server.gateway.publish(TOPIC, post(2))
    port.send(post(3))
    await expect.poll(() => seqsOf(client)).toContain(3)
    expect(seqsOf(client)).not.toContain(2)
  })
})

describe('a slow reader', () => {
  /**
   * Publishes once per turn of the event loop until the engine is notified that the session has ended;
   * returns the last number.
   */
  async function publishUntilClosed(session: number, bytes: number, perTurn: number): Promise<number> {
    let seq = 0
    while (!server.gateway.session(session).closed) {
      for (let i = 0; i < perTurn; i++) server.gateway.publish(TOPIC, post(++seq, bytes))
      await new Promise(setImmediate)
      if (seq > 1_000_000) throw new Error('it is never closed')
    }
    return seq
  }

  it.each([
    ['small messages, many in a turn', 100, 500],
    ['large messages, one in a turn', 30_000, 1],
    ['large messages, many in a turn', 30_000, 40],
  ])('is closed with 4008, behind a stream without a hole: %s', async (_, bytes, perTurn) => {
    const slow = await server.connected('ana')
    const fast = await server.connected('bruno')
    for (const number of [0, 1]) server.gateway.session(number).port.subscribe(TOPIC)
    slow.reading.stop()
    const last = await publishUntilClosed(0, bytes, perTurn)
    slow.reading.go()
    expect((await slow.closed()).code).toBe(4008)
    expect(seqsOf(slow)).toEqual(upTo(seqsOf(slow).length))
    expect(seqsOf(slow).length).toBeGreaterThan(0)
    // Other sockets are not affected.
    await expect.poll(() => seqsOf(fast).length).toBe(last)
    expect(server.gateway.session(1).closed).toBe(false)
  })

  // SLW-1
  it('of the JSON subprotocol is closed as well', async () => {
    const slow = await server.connected('ana', { protocols: [subprotocols.json] })
    server.gateway.session(0).port.subscribe(TOPIC)
    slow.reading.stop()
    await publishUntilClosed(0, 10_000, 10)
    slow.reading.go()
    expect((await slow.closed()).code).toBe(4008)
    expect(seqsOf(slow)).toEqual(upTo(seqsOf(slow).length))
  })

  // SLW-1
  it('of frames sent directly is closed before any frame is skipped', async () => {
    const slow = await server.connected('ana')
    const session = server.gateway.session(0)
    slow.reading.stop()
    let sent = 0
    while (!session.closed) session.port.send(post(++sent, 10_000))
    slow.reading.go()
    expect((await slow.closed()).code).toBe(4008)
    expect(seqsOf(slow)).toEqual(upTo(sent - 1))
  })
})

describe('whenDrained', () => {
  it('accepts a bounded number of tasks, then closes the connection (SLW-1)', async () => {
    const slow = await server.connected('ana')
    const { port } = server.gateway.session(0)
    slow.reading.stop()
    // More than a quarter of the limit is unsent once the system's buffers are full.
    let waits = false
    for (let seq = 1; !waits; seq++) {
      port.send(post(seq, 10_000))
      let called = false
      port.whenDrained(() => {
        called = true
      })
      waits = !called
    }
    for (let i = 1; i < 64; i++) port.whenDrained(() => {})
    expect(server.gateway.session(0).closed).toBe(false)
    port.whenDrained(() => {})
    slow.reading.go()
    expect((await slow.closed()).code).toBe(4008)
  })

  it('calls at once if there is room', async () => {
    await server.connected('ana')
    let called = 0
    server.gateway.session(0).port.whenDrained(() => called++)
    expect(called).toBe(1)
  })

  it('calls when the reader has caught up, so that a long answer is sent in pieces', async () => {
    const client = await server.connected('ana')
    const { port } = server.gateway.session(0)
    client.reading.stop()
    const total = 5_000
    let sent = 0
    let waits = 0
    const goOn = (): void => {
      if (sent === total) return
      for (let i = 0; i < 50; i++) port.send(post(++sent, 1_000))
      waits++
      port.whenDrained(goOn)
    }
    goOn()
    expect(sent).toBeLessThan(total)
    client.reading.go()
    await expect.poll(() => seqsOf(client).length, { timeout: 20_000 }).toBe(total)
    expect(seqsOf(client)).toEqual(upTo(total))
    expect(waits).toBe(100)
  })

  it('never calls after the end', async () => {
    const client = await server.connected('ana')
    const { port } = server.gateway.session(0)
    client.reading.stop()
    let waiting = 0
    let called = 0
    while (waiting === called) {
      port.send(post(1, 30_000))
      waiting++
      port.whenDrained(() => called++)
    }
    port.close('revoked')
    client.reading.go()
    expect((await client.closed()).code).toBe(4403)
    port.whenDrained(() => called++)
    server.advance(1_000)
    expect(called).toBe(waiting - 1)
  })
})

describe('a connection that ends while its token is verified', () => {
  it('opens no session', async () => {
    const client = server.client({ token: await tokenOf('ana') })
    client.ws.on('open', () => client.ws.terminate())
    await client.closed()
    await expect.poll(() => server.frontEnd.connections).toBe(0)
    expect(server.gateway.sessions.every(({ closed }) => closed)).toBe(true)
  })
})
