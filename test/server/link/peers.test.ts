import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BatchWriter } from '../../../engine/threads/batch.ts'
import { machineTimers, type Timers } from '../../../engine/threads/timer.ts'
import type { FrontListenerOptions } from '../../../server/link/front-listener.ts'
import { greetEngine } from '../../../server/link/handshake.ts'
import { connectTo } from '../../../server/link/link-address.ts'
import { ToEngine } from '../../../server/link/link-records.ts'
import { packed } from '../../../server/link/packed.ts'
import { RecordReader } from '../../../server/link/record-reader.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { text } from '../../support/sessions.ts'
import { connect, KEY, listen, listenTls, memoryLog, startInline, TestFront } from './harness.ts'

/** Timers of which a test ends the one-shot ones by hand. */
function heldTimers(): Timers & { fire(): void } {
  const waiting = new Set<() => void>()
  return {
    every: machineTimers.every,
    after(_, then) {
      waiting.add(then)
      return () => waiting.delete(then)
    },
    fire() {
      const due = [...waiting]
      waiting.clear()
      for (const then of due) then()
    },
  }
}

async function anEngine(options: Partial<FrontListenerOptions> = {}) {
  const engine = await startInline()
  const logger = memoryLog()
  const listener = await listen(engine, { logger, ...options })
  const socket = async (): Promise<Socket> => {
    const raw = await connectTo(listener.address)
    raw.on('error', () => {})
    onTestFinished(() => void raw.destroy())
    return raw
  }
  /** A peer with the key that sends what a test wants. */
  const authenticated = async () => {
    const raw = await socket()
    await greetEngine(raw, 'a-bad-front', listener.address, { key: KEY, after: machineTimers.after })
    raw.resume()
    const writer = new BatchWriter((batch) => raw.write(batch), queueMicrotask)
    return { raw, writer }
  }
  return { engine, listener, logger, socket, authenticated }
}

const closed = (socket: Socket) => (socket.destroyed ? Promise.resolve() : once(socket, 'close'))

// LNK-1
describe('a peer without the key', () => {
  it('is refused, and says so at once', async () => {
    const { listener } = await anEngine()
    await expect(
      connect(listener.address, { key: 'another key of at least thirty-two chars' }),
    ).rejects.toThrow(`the engine at ${listener.address} refused the key: LINK_KEY differs`)
  })

  it('is not trusted as an engine without a certificate that the front knows', async () => {
    const { address } = await listenTls(await startInline())
    await expect(connect(address, { connectWithinMs: 1 })).rejects.toThrow(
      `cannot reach the engine at ${address}: `,
    )
  })

  it('is disconnected for a huge length before anything is allocated', async () => {
    const { socket, logger } = await anEngine()
    const raw = await socket()
    raw.resume()
    raw.write(Buffer.from([0xff, 0xff, 0xff, 0x7f, 1, 2, 3]))
    await closed(raw)
    expect(logger.lines.at(-1)?.fields).toEqual({ cause: 'a first message of 2147483647 bytes' })
  })

  it('is disconnected for a first message that is not one', async () => {
    const { socket } = await anEngine()
    for (const message of ['no json', '[]', '{}', '{"front":5}', 'null']) {
      const raw = await socket()
      raw.resume()
      const bytes = Buffer.from(`    ${message}`)
      bytes.writeUInt32LE(message.length)
      raw.write(bytes)
      await closed(raw)
    }
  })

  it('is disconnected after the deadline', async () => {
    const timers = heldTimers()
    const { socket, logger } = await anEngine({ timers })
    const raw = await socket()
    raw.resume()
    await expect
      .poll(() => {
        timers.fire()
        return raw.destroyed
      })
      .toBe(true)
    expect(logger.lines.at(-1)?.fields).toEqual({ cause: 'no proof within 5 seconds' })
  })

  it('is one of at most 64', async () => {
    const { socket, listener } = await anEngine()
    const waiting = await Promise.all(Array.from({ length: 64 }, socket))
    const last = await socket()
    await closed(last.resume())
    for (const raw of waiting) raw.destroy()
    await expect
      .poll(() =>
        connect(listener.address).then(
          ({ linked }) => linked,
          () => false,
        ),
      )
      .toBe(true)
  })
})

describe('a front', () => {
  it('refuses an engine without the key', async () => {
    const { createServer } = await import('node:net')
    const path = `${temporaryFolder()}/false.sock`
    const server = createServer((socket) => {
      socket.on('error', () => {})
      for (const message of [
        { protocol: 1, version: '0', nonce: 'n'.repeat(43) },
        { proof: 'p'.repeat(43) },
      ]) {
        const bytes = Buffer.from(`    ${JSON.stringify(message)}`)
        bytes.writeUInt32LE(bytes.length - 4)
        socket.write(bytes)
      }
    }).listen(path)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    await expect(connect(`unix:${path}`)).rejects.toThrow('does not have the key')
  })

  it('of another protocol version is refused with both versions', async () => {
    const { socket } = await anEngine()
    const raw = await socket()
    const message = JSON.stringify({
      protocol: 99,
      version: '9',
      front: 'front-of-99',
      nonce: 'n'.repeat(43),
    })
    const bytes = Buffer.from(`    ${message}`)
    bytes.writeUInt32LE(message.length)
    raw.write(bytes)
    const [answer] = (await once(raw, 'data')) as [Buffer]
    expect(JSON.parse(answer.toString('utf8', 4))).toMatchObject({ refused: 'version', protocol: 1 })
  })

  it('waits for an engine that is not there, for a limited time', async () => {
    const address = `unix:${temporaryFolder()}/nothing.sock`
    await expect(connect(address, { connectWithinMs: 10 })).rejects.toThrow(
      `cannot reach the engine at ${address}: ENOENT`,
    )
  })
})

describe('an engine with an authenticated peer that misbehaves', () => {
  const records = {
    'a record of an unknown kind': (writer: BatchWriter) => writer.push(99, 0),
    'a frame that is none': (writer: BatchWriter) => {
      writer.push(ToEngine.open, 1, undefined, packed({ userId: 'eva' }))
      writer.push(ToEngine.frame, 1, undefined, Buffer.from('garbage'))
    },
    'an identity that is none': (writer: BatchWriter) => writer.push(ToEngine.open, 1, undefined, packed(7)),
    'bytes that are not packed': (writer: BatchWriter) =>
      writer.push(ToEngine.call, 1, Buffer.from('stats'), Buffer.from([0xdd])),
    'the same session twice': (writer: BatchWriter) => {
      writer.push(ToEngine.open, 1, undefined, packed({ userId: 'eva' }))
      writer.push(ToEngine.open, 1, undefined, packed({ userId: 'eva' }))
    },
    'an answer without its number': (writer: BatchWriter) => {
      writer.push(ToEngine.open, 1, undefined, packed({ userId: 'eva' }))
      writer.push(ToEngine.drained, 1)
    },
  } as const

  it.each(Object.entries(records))('ends the link for %s, and serves others', async (_, send) => {
    const { authenticated, listener, engine } = await anEngine()
    const others = new TestFront(await connect(listener.address))
    const ana = await others.open('ana')
    const { raw, writer } = await authenticated()
    send(writer)
    await closed(raw)
    expect((await ana.request('ping', {})).event).toBe('pong')
    await expect.poll(async () => (await engine.stats()).sessions).toBe(1)
  })

  it('ends the link for a record that claims to be huge', async () => {
    const { authenticated } = await anEngine()
    const { raw } = await authenticated()
    const header = Buffer.alloc(11)
    header[0] = ToEngine.frame
    header.writeUInt32LE(0xffff_ffff, 7)
    raw.write(header)
    await closed(raw)
  })

  it('answers a call that it does not know, or whose arguments are wrong', async () => {
    const { listener } = await anEngine()
    const front = await connect(listener.address)
    const call = (name: string, args: unknown) =>
      (front as unknown as { call(name: string, args: unknown): Promise<unknown> }).call(name, args)
    await expect(call('nothing', [])).rejects.toMatchObject({ code: 'unknown_event' })
    await expect(call('readChunk', ['x', -1, {}])).rejects.toMatchObject({ code: 'bad_request' })
    await expect(call('request', [null, 'get_groups', null])).rejects.toMatchObject({ code: 'bad_request' })
    await expect(call('stats', 'x')).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('ends the link of a front that does not read', async () => {
    const { authenticated, listener, engine } = await anEngine({ maxUnsentBytes: 300_000 })
    const others = new TestFront(await connect(listener.address))
    const ana = await others.open('ana')
    await ana.request('create_group', { kind: 'group', groupId: 'team', members: ['eva'] })
    const { raw, writer } = await authenticated()
    writer.push(ToEngine.open, 1, undefined, packed({ userId: 'eva' }))
    await expect.poll(async () => (await engine.stats()).sessions).toBe(2)
    raw.pause()
    await expect
      .poll(async () => {
        await ana.request('send_message', text('team', 'x'.repeat(30_000)))
        return [...listener.fronts].map(({ id }) => id).includes('a-bad-front')
      })
      .toBe(false)
  })

  it('ends the link of a front that is silent', async () => {
    const timers = heldTimers()
    const { authenticated } = await anEngine({ timers })
    const { raw } = await authenticated()
    for (let checks = 0; checks < 5; checks++) timers.fire()
    await closed(raw)
  })
})

describe('the reader of a link', () => {
  it('finds the same records wherever the bytes are cut', () => {
    const batches: Uint8Array[] = []
    const writer = new BatchWriter(
      (batch) => batches.push(batch),
      () => {},
    )
    const sent = Array.from({ length: 20 }, (_, i) => `${i} ${'x'.repeat(i * 3)}`)
    for (const [i, body] of sent.entries()) writer.push(1, i, Buffer.from(`id${i}`), Buffer.from(body))
    writer.flush()
    const bytes = Buffer.concat(batches)
    for (let size = 1; size < 200; size++) {
      const got: string[] = []
      const reader = new RecordReader(1_000, (_, number, id, body) =>
        got.push(`${number} ${Buffer.from(id)} ${Buffer.from(body)}`),
      )
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
      expect(got).toEqual(sent.map((body, i) => `${i} id${i} ${body}`))
    }
  })
})
