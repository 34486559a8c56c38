import { describe, expect, it } from 'vitest'
import { BodyStream, HeldBodies, RequestAbortedError } from '../../server/http/body-stream.ts'
import type { Response } from '../../server/transport/transport.ts'

/** A transport whose pause takes hold late: newer builds of uWebSockets.js read on within a turn. */
class Connection {
  readonly calls: string[] = []
  receive: (chunk: Uint8Array, isLast: boolean) => void = () => {}

  readonly response = {
    onData: (then: (chunk: Uint8Array, isLast: boolean) => void) => {
      this.receive = then
    },
    pause: () => this.calls.push('pause'),
    resume: () => this.calls.push('resume'),
    destroy: () => this.calls.push('destroy'),
  } as unknown as Response
}

function begin(limit: number) {
  let full = 0
  const held = new HeldBodies(limit, () => {
    full += 1
  })
  const open = () => {
    const connection = new Connection()
    return { connection, stream: new BodyStream(connection.response, held) }
  }
  return { open, full: () => full }
}

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)

describe('a body that arrives in spite of a pause', () => {
  it('is read in order, each piece valid until the next', async () => {
    const { open } = begin(1_000)
    const { connection, stream } = open()
    for (let i = 1; i <= 3; i++) connection.receive(bytes(300, i), i === 3)
    expect(connection.calls).toEqual(['pause'])
    const values: (number | undefined)[] = []
    for (let piece = await stream.next(); piece; piece = await stream.next()) {
      expect(piece).toHaveLength(300)
      values.push(piece[299])
    }
    expect(values).toEqual([1, 2, 3])
  })

  it('waits up to a limit for all bodies; the connection that exceeds it is closed', async () => {
    const { open, full } = begin(1_000)
    const a = open()
    const b = open()
    a.connection.receive(bytes(600, 1), false)
    b.connection.receive(bytes(400, 2), false)
    b.connection.receive(bytes(1, 3), false)
    expect(b.connection.calls).toEqual(['pause', 'destroy'])
    expect(full()).toBe(1)
    await expect(b.stream.next()).rejects.toBeInstanceOf(RequestAbortedError)
    // Its held bytes make room, and the other body continues.
    a.connection.receive(bytes(400, 4), true)
    expect(a.connection.calls).toEqual(['pause'])
    expect((await a.stream.next())?.[0]).toBe(1)
    expect((await a.stream.next())?.[0]).toBe(4)
    expect(await a.stream.next()).toBeNull()
  })

  it('makes room when it was read, discarded or aborted', async () => {
    const { open, full } = begin(1_000)
    for (const end of ['read', 'discard', 'abort'] as const) {
      const { connection, stream } = open()
      connection.receive(bytes(1_000, 1), end === 'read')
      if (end === 'read') while (await stream.next());
      else stream[end]()
    }
    open().connection.receive(bytes(1_000, 1), false)
    expect(full()).toBe(0)
  })

  it('gives the reader memory that later pieces do not change', async () => {
    const { open } = begin(1_000)
    const { connection, stream } = open()
    connection.receive(bytes(100, 1), false)
    const piece = await stream.next()
    connection.receive(bytes(100, 2), false)
    expect(piece?.[0]).toBe(1)
    stream.abort()
    connection.receive(bytes(100, 3), false)
    expect(piece?.[0]).toBe(1)
  })
})
