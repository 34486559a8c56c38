import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeEvent } from '../../protocol/codec.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { aPost } from '../support/groups.ts'
import type { SocketClient } from '../support/socket-client.ts'
import { type Harness, startFrontEnd } from './front-end-harness.ts'

const TOPIC = 'g:kitchen'
const TWIN = 'e:kitchen'
/** More than the kernel buffers for a reader, and far above the limit. */
const FLOOD = 2_000
const payload = 'x'.repeat(16_000)

let server: Harness
beforeEach(async () => {
  server = await startFrontEnd({ maxBackpressure: 128 * 1_024 })
})
afterEach(() => server.close())

const typing = (userId: string) =>
  encodeEvent('user_typing', 0, { userId, userName: userId, groupId: 'kitchen' })
const status = (userId: string) =>
  encodeEvent('contact_status_changed', 0, { userId, status: 'away', timestamp: 0 })
const post = (seq: number) => encodeEvent('new_message', 0, { message: aPost(seq) })

const seqsOf = (client: SocketClient) =>
  client.events.flatMap((event) => (event.event === 'new_message' ? [event.fields.message.seq] : []))
const countOf = (client: SocketClient, name: string) =>
  client.events.filter(({ event }) => event === name).length
const receivedFrom = (client: SocketClient, who: string) =>
  client.events.some(
    ({ event, fields }) => event !== 'connected' && 'userId' in fields && fields.userId === who,
  )

/** Publishes only ephemeral events until a reader that does not read lags far. */
async function flood(): Promise<void> {
  const signal = encodeEvent('signal', 0, { fromUserId: 'ana', groupId: 'kitchen', kind: 'k', payload })
  for (let i = 0; i < FLOOD; i++) {
    server.gateway.publish(TWIN, signal)
    if (i % 4 === 0) await new Promise(setImmediate)
  }
}

describe.each([
  ['msgpack', {}],
  ['JSON', { protocols: [subprotocols.json] }],
])('a lagging reader: %s', (_, options) => {
  // SLW-1
  it('receives no more ephemeral events, and every durable one', async () => {
    const slow = await server.connected('ana', options)
    const fast = await server.connected('bruno', options)
    for (const number of [0, 1]) server.gateway.session(number).port.subscribe(TOPIC)
    slow.reading.stop()
    await flood()
    server.gateway.publish(TWIN, typing('carla'))
    server.gateway.session(0).port.send(status('dora'))
    for (let seq = 1; seq <= 5; seq++) server.gateway.publish(TOPIC, post(seq))
    server.gateway.session(0).port.send(post(6))
    await expect.poll(() => countOf(fast, 'signal'), { timeout: 20_000 }).toBe(FLOOD)

    slow.reading.go()
    await expect.poll(() => seqsOf(slow), { timeout: 20_000 }).toEqual([1, 2, 3, 4, 5, 6])
    expect(countOf(slow, 'signal')).toBeLessThan(FLOOD)
    expect([receivedFrom(slow, 'carla'), receivedFrom(slow, 'dora')]).toEqual([false, false])
    expect(receivedFrom(fast, 'carla')).toBe(true)
    expect(server.gateway.session(0).closed).toBe(false)
  })

  it('receives them again once it has caught up, for its groups at that time', async () => {
    const slow = await server.connected('ana', options)
    const { port } = server.gateway.session(0)
    port.subscribe(TOPIC)
    port.subscribe('g:garden')
    slow.reading.stop()
    await flood()
    port.subscribe('g:cellar')
    port.unsubscribe('g:garden')
    slow.reading.go()
    await expect
      .poll(
        () => {
          server.advance(0)
          server.gateway.publish(TWIN, typing('carla'))
          return receivedFrom(slow, 'carla')
        },
        { timeout: 20_000 },
      )
      .toBe(true)
    server.gateway.publish('e:garden', typing('dora'))
    server.gateway.publish('e:cellar', typing('eva'))
    port.send(status('flora'))
    await expect.poll(() => receivedFrom(slow, 'flora')).toBe(true)
    expect([receivedFrom(slow, 'dora'), receivedFrom(slow, 'eva')]).toEqual([false, true])
  })
})

describe('the session that an event is not for', () => {
  it('does not receive it, and receives the next', async () => {
    const [ana, bruno] = [await server.connected('ana'), await server.connected('bruno')]
    const ports = [0, 1].map((number) => server.gateway.session(number).port)
    for (const port of ports) port.subscribe(TOPIC)
    for (const publisher of server.gateway.publishers) publisher.publish(TWIN, typing('ana'), ports[0])
    server.gateway.publish(TWIN, typing('bruno'))
    await expect.poll(() => [receivedFrom(ana, 'bruno'), receivedFrom(bruno, 'bruno')]).toEqual([true, true])
    expect([receivedFrom(ana, 'ana'), receivedFrom(bruno, 'ana')]).toEqual([false, true])
  })

  it('is not subscribed to a topic by it', async () => {
    const ana = await server.connected('ana')
    const { port } = server.gateway.session(0)
    for (const publisher of server.gateway.publishers) publisher.publish(TWIN, typing('ana'), port)
    server.gateway.publish(TWIN, typing('bruno'))
    port.send(post(1))
    await expect.poll(() => seqsOf(ana)).toEqual([1])
    expect(countOf(ana, 'user_typing')).toBe(0)
  })
})
