import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PublishingApp, type SubscribingSocket, Topics } from '../../server/topics.ts'
import { msgpackWire } from '../../server/wire.ts'

const bytes = (text: string) => Buffer.from(text)

/** An app that delivers published messages to its sockets at once, like a transport. */
class FakeApp implements PublishingApp {
  readonly sockets = new Map<string, Set<FakeSocket>>()
  publishes = 0

  publish(
    name: Parameters<PublishingApp['publish']>[0],
    message: Parameters<PublishingApp['publish']>[1],
  ): boolean {
    this.publishes += 1
    for (const socket of this.sockets.get(String(name)) ?? [])
      socket.got.push(Buffer.from(message).toString())
    return true
  }

  numSubscribers(name: Parameters<PublishingApp['numSubscribers']>[0]): number {
    return this.sockets.get(String(name))?.size ?? 0
  }
}

class FakeSocket implements SubscribingSocket {
  readonly got: string[] = []
  readonly #app: FakeApp

  constructor(app: FakeApp) {
    this.#app = app
  }

  subscribe(name: Parameters<SubscribingSocket['subscribe']>[0]): boolean {
    const sockets = this.#app.sockets.get(String(name)) ?? new Set()
    this.#app.sockets.set(String(name), sockets)
    sockets.add(this)
    return true
  }

  unsubscribe(name: Parameters<SubscribingSocket['unsubscribe']>[0]): boolean {
    return this.#app.sockets.get(String(name))?.delete(this) ?? false
  }

  isSubscribed(name: Parameters<SubscribingSocket['isSubscribed']>[0]): boolean {
    return this.#app.sockets.get(String(name))?.has(this) ?? false
  }

  getTopics(): string[] {
    return [...this.#app.sockets].flatMap(([name, sockets]) => (sockets.has(this) ? [name] : []))
  }

  publishWithout(name: string, publish: () => void): void {
    const isSubscribed = this.unsubscribe(name)
    publish()
    if (isSubscribed) this.subscribe(name)
  }

  /** The connection ends: uWebSockets.js removes the socket from all its topics. */
  close(): void {
    for (const sockets of this.#app.sockets.values()) sockets.delete(this)
  }
}

function aHall() {
  const app = new FakeApp()
  const turns: (() => void)[] = []
  const topics = new Topics(app, (task) => turns.push(task))
  const socket = () => new FakeSocket(app)
  /** Runs one turn of the event loop. */
  const turn = () => turns.shift()?.()
  const settle = () => {
    while (turns.length > 0) turn()
  }
  return { app, topics, socket, turn, settle, turns }
}

describe('a socket', () => {
  it('is listed with its topics, whichever slice it is in', () => {
    const { topics, socket } = aHall()
    const sockets = Array.from({ length: 300 }, socket)
    for (const one of sockets) topics.subscribe(one, 'g:x')
    const last = sockets.at(-1) as FakeSocket
    topics.subscribe(last, 'e:x')
    expect([...topics.of(last)].sort()).toEqual(['e:x', 'g:x'])
    expect([
      topics.isSubscribed(last, 'g:x'),
      topics.isSubscribed(last, 'e:x'),
      topics.isSubscribed(last, 'g:y'),
    ]).toEqual([true, true, false])
    topics.unsubscribe(last, 'g:x')
    expect([topics.isSubscribed(last, 'g:x'), topics.of(last)]).toEqual([false, ['e:x']])
  })
})

describe('a topic', () => {
  it('of up to 256 sockets is written at once', () => {
    const { app, topics, socket, turns } = aHall()
    const sockets = Array.from({ length: 256 }, socket)
    for (const one of sockets) topics.subscribe(one, 'g:x')
    topics.publish('g:x', bytes('a'), msgpackWire)
    expect(sockets.every(({ got }) => got.join() === 'a')).toBe(true)
    expect([app.publishes, turns.length]).toEqual([1, 0])
  })

  it('of 1,000 sockets is written one slice per turn, and later events join the remaining slices', () => {
    const { topics, socket, turn, settle } = aHall()
    const sockets = Array.from({ length: 1_000 }, socket)
    for (const one of sockets) topics.subscribe(one, 'g:x')
    const received = () => [0, 256, 512, 768].map((i) => sockets[i]?.got.join(''))

    topics.publish('g:x', bytes('a'), msgpackWire)
    expect(received()).toEqual(['a', '', '', ''])
    turn()
    topics.publish('g:x', bytes('b'), msgpackWire)
    topics.publish('g:x', bytes('c'), msgpackWire)
    expect(received()).toEqual(['a', 'a', '', ''])
    turn()
    expect(received()).toEqual(['a', 'a', 'abc', ''])
    settle()
    expect(sockets.every(({ got }) => got.join('') === 'abc')).toBe(true)
  })

  it('is written one slice per turn also if one socket does not receive the event', () => {
    const { app, topics, socket, turn, settle } = aHall()
    const sockets = Array.from({ length: 1_000 }, socket)
    for (const one of sockets) topics.subscribe(one, 'g:x')
    const [first, last, closed] = [sockets[0], sockets.at(-1), sockets.at(-2)] as FakeSocket[]
    topics.publish('g:x', bytes('a'), msgpackWire, last)
    topics.publish('g:x', bytes('b'), msgpackWire, first)
    topics.publish('g:x', bytes('c'), msgpackWire, closed)
    expect(app.publishes).toBe(1)
    turn()
    expect(app.publishes).toBe(4)
    closed?.close()
    settle()
    expect([first, last].map((one) => one?.got.join(''))).toEqual(['ac', 'bc'])
    expect(sockets.slice(1, -2).every(({ got }) => got.join('') === 'abc')).toBe(true)
    topics.publish('g:x', bytes('d'), msgpackWire)
    settle()
    expect([first, last].map((one) => one?.got.join(''))).toEqual(['acd', 'bcd'])
  })

  it('is written to all slices at once if too much is pending', () => {
    const { topics, socket } = aHall()
    const sockets = Array.from({ length: 600 }, socket)
    for (const one of sockets) topics.subscribe(one, 'g:x')
    for (let i = 0; i < 9; i++) topics.publish('g:x', bytes('x'.repeat(30 * 1024)), msgpackWire)
    expect(sockets.at(-1)?.got.length).toBe(9)
  })

  it('takes turns with other large topics', () => {
    const { topics, socket, turn } = aHall()
    const [some, others] = [Array.from({ length: 600 }, socket), Array.from({ length: 600 }, socket)]
    for (const one of some) topics.subscribe(one, 'g:x')
    for (const one of others) topics.subscribe(one, 'g:y')
    topics.publish('g:x', bytes('x'), msgpackWire)
    topics.publish('g:y', bytes('y'), msgpackWire)
    const received = () => [some, others].map((sockets) => sockets.filter(({ got }) => got.length > 0).length)
    expect(received()).toEqual([256, 256])
    turn()
    turn()
    expect(received()).toEqual([512, 512])
  })

  it('delivers to each socket what is published while it is subscribed, once and in order', () => {
    type Step = { readonly do: 'join' | 'leave' | 'close' | 'publish' | 'turn'; readonly pick: number }
    const step: fc.Arbitrary<Step> = fc.record({
      do: fc.constantFrom('join', 'leave', 'close', 'publish', 'publish', 'turn'),
      pick: fc.nat(),
    })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 700 }), fc.array(step, { maxLength: 120 }), (members, steps) => {
        const { topics, socket, turn, settle } = aHall()
        const inside: { readonly socket: FakeSocket; readonly due: string[] }[] = []
        const left: typeof inside = []
        const join = () => {
          const member = { socket: socket(), due: [] }
          topics.subscribe(member.socket, 'g:x')
          inside.push(member)
        }
        for (let i = 0; i < members; i++) join()
        for (const [i, { do: what, pick }] of steps.entries()) {
          // Many at a time, so that slices are added and removed.
          const some = inside.length === 0 ? [] : inside.splice(pick % inside.length, 40)
          if (what === 'join') for (let n = 0; n < 40; n++) join()
          else if (what === 'publish') topics.publish('g:x', bytes(`${i} `), msgpackWire, some[0]?.socket)
          else if (what === 'turn') turn()
          if (what === 'leave') for (const member of some) topics.unsubscribe(member.socket, 'g:x')
          if (what === 'close') {
            for (const member of some) member.socket.close()
            continue
          }
          if (what === 'leave') left.push(...some)
          else inside.push(...some)
          if (what !== 'publish') continue
          for (const member of inside) if (member !== some[0]) member.due.push(`${i} `)
        }
        settle()
        for (const { socket: one, due } of [...inside, ...left]) expect(one.got).toEqual(due)
      }),
      { seed: 7, numRuns: 150 },
    )
  })
})
