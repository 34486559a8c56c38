import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { FixedLimit } from '../../../server/transport/transport.ts'
import { transports } from '../../support/transports.ts'
import { aPeer, type Peer, rawHttp, startApp } from './app.ts'

const bytes = (text: string) => Buffer.from(text)
const ok = { status: 200, headers: [] } as const

describe.each(transports)('$name: HTTP', (transport) => {
  it('provides the method, the path, the query and the address', async () => {
    const { port } = await startApp(transport, {
      serve: (request, response) =>
        response.end(ok, bytes([request.method, request.path, request.query, request.address].join(' | '))),
    })
    const response = await fetch(`http://127.0.0.1:${port}/a%20b/c?x=1&y=%C3%A9`, { method: 'DELETE' })
    expect(await response.text()).toBe('DELETE | /a%20b/c | x=1&y=%C3%A9 | 127.0.0.1')
  })

  it('reads repeated header lines as one list, and the first as one value', async () => {
    const { port } = await startApp(transport, {
      serve: (request, response) =>
        response.end(
          ok,
          bytes(`<${request.list('x-many')}><${request.header('x-many')}><${request.list('x-none')}>`),
        ),
    })
    const text = await rawHttp(port, ['GET / HTTP/1.1\r\nHost: x\r\nX-Many: a, b\r\nX-Many: c\r\n\r\n'], /<>/)
    expect(text).toContain('<a, b, c><a, b><>')
  })

  it('writes status, headers and a body of bytes', async () => {
    const { port } = await startApp(transport, {
      serve: (_, response) =>
        response.end({ status: 201, headers: [['X-A', 'one']] }, bytes('é, ã, ç, 日本')),
    })
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([
      201,
      'one',
      'é, ã, ç, 日本',
    ])
  })

  it('writes a length without a body, and neither for 204', async () => {
    const { port } = await startApp(transport, {
      serve: ({ path }, response) => {
        if (path === '/none') response.endWithoutBody({ status: 204, headers: [] }, null)
        else response.endWithoutBody(ok, 1_234)
      },
    })
    const head = await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '1234'])
    const none = await fetch(`http://127.0.0.1:${port}/none`)
    expect([none.status, none.headers.get('content-length')]).toEqual([204, null])
  })

  it('streams a request body at the pace of its reader', async () => {
    let got = 0
    const { port } = await startApp(transport, {
      serve: (_, response) =>
        response.onData((chunk, isLast) => {
          got += chunk.length
          response.pause()
          setImmediate(() => response.resume())
          if (isLast) response.end(ok, bytes(String(got)))
        }),
    })
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: Buffer.alloc(3_000_000),
    })
    expect(await response.text()).toBe('3000000')
  })

  it('streams a response body in pieces whose memory is reused', async () => {
    const { port } = await startApp(transport, {
      serve: async (_, response) => {
        const piece = Buffer.alloc(65_536)
        response.begin(ok, 50 * piece.length)
        for (let i = 0; i < 50; i++) await response.write(piece.fill(i))
      },
    })
    const body = Buffer.from(await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer())
    expect(body.length).toBe(50 * 65_536)
    for (let i = 0; i < 50; i++)
      expect(body.subarray(i * 65_536, (i + 1) * 65_536).every((b) => b === i)).toBe(true)
  })

  it('reports that the client has disconnected, after which a response does nothing', async () => {
    const { promise, resolve } = deferred()
    const { port } = await startApp(transport, {
      serve: (_, response) =>
        response.onAborted(() => {
          response.end(ok, bytes('late'))
          response.begin(ok, 10)
          response.destroy()
          void response.write(bytes('late')).then(resolve)
        }),
    })
    const abort = new AbortController()
    const asked = fetch(`http://127.0.0.1:${port}/`, { signal: abort.signal }).catch(() => {})
    setTimeout(() => abort.abort(), 50)
    await Promise.all([asked, promise])
  })

  it('closes the connection after a response on request', async () => {
    const { port } = await startApp(transport, {
      serve: (_, response) => response.end(ok, bytes('bye'), true),
    })
    expect(await rawHttp(port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], /never/)).toMatch(/bye$/)
  })

  it('confirms that the connection ends after a response if the client asks for it', async () => {
    const { port } = await startApp(transport, { serve: (_, response) => response.end(ok, bytes('x')) })
    const text = await rawHttp(port, ['GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'], /never/)
    expect(text.match(/^connection: close\r$/gim)).toHaveLength(1)
  })

  it('accepts a token of 8 KiB in a header', async () => {
    const { port } = await startApp(transport, {
      serve: (request, response) => response.end(ok, bytes(String(request.header('authorization').length))),
    })
    const authorization = `Bearer ${'x'.repeat(8_192)}`
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization } })
    expect(await response.text()).toBe(String(authorization.length))
  })

  it('reports that a port is in use', async () => {
    const { port } = await startApp(transport)
    const second = transport.createApp()
    await expect(second.listen('127.0.0.1', port)).rejects.toThrow()
    second.close()
  })
})

const fixedPayloadBytes = { large: 4_000, medium: 3_000, small: 2_000 }

describe.each(transports)('$name: sockets', (transport) => {
  it('refuse a handshake with a response, or accept it with a protocol', async () => {
    const { port } = await startApp(transport, {
      upgrade: ({ query }) =>
        query === 'no'
          ? { refuse: { status: 403, headers: [['X-Why', 'no']] }, body: bytes('no') }
          : { accept: aPeer('a'), protocol: 'second', fixedLimit: 'full' as const },
    })
    const refused = new WebSocket(`ws://127.0.0.1:${port}/ws?no`)
    refused.on('error', () => {})
    const [status, why] = await new Promise<[number | undefined, unknown]>((resolve) => {
      refused.on('unexpected-response', (_, response) => {
        resolve([response.statusCode, response.headers['x-why']])
        response.destroy()
      })
    })
    expect([status, why]).toEqual([403, 'no'])
    const accepted = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['first', 'second'])
    await new Promise((resolve) => accepted.on('open', resolve))
    expect(accepted.protocol).toBe('second')
    accepted.terminate()
  })

  it('pass a request to their path that is not a handshake to HTTP', async () => {
    const { port } = await startApp(transport, { serve: (_, response) => response.end(ok, bytes('http')) })
    expect(await (await fetch(`http://127.0.0.1:${port}/ws`)).text()).toBe('http')
  })

  it('limit the messages of newcomers, and raise the limit when they are trusted', async () => {
    const test = await startApp(transport, {
      upgrade: () => ({ accept: aPeer('a'), protocol: '', fixedLimit: 'small' }),
      behavior: { newcomer: { maxPayloadBytes: 1_000, fixedPayloadBytes } },
    })
    const client = await test.client()
    client.ws.send('x'.repeat(1_000))
    await expect.poll(() => test.messages.length).toBe(1)
    test.peers[0]?.socket?.trust?.()
    client.ws.send('x'.repeat(2_000))
    await expect.poll(() => test.messages.length).toBe(2)
    const other = await test.client()
    other.ws.send('x'.repeat(2_001))
    expect((await other.closed).code).toBe(transport.name === 'node' ? 1009 : 1006)
    test.peers[0]?.socket?.close()
    expect((await client.closed).code).toBe(1006)
    expect(test.peers[0]?.isClosed).toBe(true)
  })

  it('have the limit that their handshake was accepted with', async () => {
    const test = await startApp(transport, {
      upgrade: ({ query }) => ({ accept: aPeer(query), protocol: '', fixedLimit: query as FixedLimit }),
      behavior: { newcomer: { maxPayloadBytes: 100_000, fixedPayloadBytes } },
    })
    for (const name of ['small', 'medium', 'large', 'full'] as const) {
      const client = await test.client(`/ws?${name}`)
      const bytes = { ...fixedPayloadBytes, full: 100_000 }[name]
      client.ws.send('x'.repeat(bytes))
      await expect.poll(() => test.messages.at(-1)?.text.length).toBe(bytes)
      if (!transport.fixesLimits) continue
      client.ws.send('x'.repeat(bytes + 1))
      await client.closed
    }
  })

  it.each([0, 1, 125, 126, 65_535, 65_536, 90_000])(
    'carry messages of %i bytes both ways',
    async (length) => {
      const test = await startApp(transport)
      const client = await test.client()
      const text = 'x'.repeat(length)
      client.ws.send(text)
      client.ws.send(bytes(text))
      await expect.poll(() => test.messages.length).toBe(2)
      expect(test.messages).toEqual([
        { text, isBinary: false },
        { text, isBinary: true },
      ])
      for (const isBinary of [false, true]) test.peers[0]?.socket?.send(bytes(text), isBinary, false)
      await client.count(2)
      expect(client.got).toEqual([`text ${text}`, `binary ${text}`])
    },
  )

  it('join fragments and answer a ping between them', async () => {
    const test = await startApp(transport)
    const client = await test.client()
    const pong = new Promise((resolve) => client.ws.on('pong', (data) => resolve(data.toString())))
    client.ws.send('one ', { fin: false })
    client.ws.ping('are you there')
    client.ws.send('two', { fin: true })
    expect(await pong).toBe('are you there')
    await expect.poll(() => test.messages).toEqual([{ text: 'one two', isBinary: false }])
  })

  it('close if a message is too large', async () => {
    const test = await startApp(transport)
    const client = await test.client()
    client.ws.send(Buffer.alloc(200_000))
    // Some builds of uWebSockets.js terminate the connection.
    const codes = transport.name === 'node' ? [1009] : [1009, 1006]
    expect(codes).toContain((await client.closed).code)
    await expect.poll(() => test.peers[0]?.isClosed).toBe(true)
  })

  it('write the close frame after all unsent bytes, and are closed within `end`', async () => {
    const test = await startApp(transport)
    const client = await test.client()
    const peer = test.peers[0] as Peer
    for (let i = 0; i < 100; i++) peer.socket?.send(bytes(`${i}`), false, false)
    peer.socket?.end(4008, bytes('slow, ç'))
    expect(peer.isClosed).toBe(true)
    expect(await client.closed).toEqual({ code: 4008, reason: 'slow, ç' })
    expect(client.got).toEqual(Array.from({ length: 100 }, (_, i) => `text ${i}`))
  })

  it('publish to subscribers once each, and not to sockets that left or closed', async () => {
    const test = await startApp(transport)
    const clients = [await test.client('/ws?a'), await test.client('/ws?b'), await test.client('/ws?c')]
    const sockets = test.peers.map(({ socket }) => socket)
    for (const socket of sockets) socket?.subscribe('g')
    sockets[0]?.subscribe('e')
    expect([test.app.numSubscribers('g'), test.app.numSubscribers('none')]).toEqual([3, 0])
    expect([...(sockets[0]?.getTopics() ?? [])].sort()).toEqual(['e', 'g'])
    test.app.publish('g', bytes('1'), true, false)
    sockets[1]?.unsubscribe('g')
    expect(sockets[1]?.isSubscribed('g')).toBe(false)
    sockets[2]?.end(1000, bytes(''))
    test.app.publish('g', bytes('2'), false, false)
    sockets[0]?.send(bytes('3'), true, false)
    sockets[1]?.send(bytes('3'), true, false)
    await clients[2]?.closed
    await Promise.all([clients[0]?.count(3), clients[1]?.count(2)])
    expect(clients.map(({ got }) => got)).toEqual([
      ['binary 1', 'text 2', 'binary 3'],
      ['binary 1', 'binary 3'],
      ['binary 1'],
    ])
    expect(test.app.numSubscribers('g')).toBe(1)
  })

  it('copy the bytes of a message before the call returns', async () => {
    const test = await startApp(transport)
    const client = await test.client()
    const [socket] = test.peers.map((peer) => peer.socket)
    socket?.subscribe('g')
    const shared = bytes('first')
    test.app.publish('g', shared, false, false)
    shared.set(bytes('other'))
    socket?.send(shared, false, false)
    shared.set(bytes('wrong'))
    await client.count(2)
    expect(client.got).toEqual(['text first', 'text other'])
  })

  it('count the unsent bytes of a slow reader, drop nothing, and report the drain', async () => {
    const test = await startApp(transport)
    const client = await test.client()
    const [socket] = test.peers.map((peer) => peer.socket)
    client.reading.stop()
    const message = 'x'.repeat(50_000)
    let sent = 0
    // Fills the kernel's buffers, then the process's.
    while ((socket?.getBufferedAmount() ?? 0) < 1_000_000) {
      socket?.send(bytes(`${sent++} ${message}`), false, false)
      await new Promise(setImmediate)
    }
    expect(socket?.getBufferedAmount()).toBeLessThan(1_100_000)
    const before = test.drains
    client.reading.go()
    await client.count(sent)
    await expect.poll(() => socket?.getBufferedAmount()).toBe(0)
    expect(client.got).toEqual(Array.from({ length: sent }, (_, i) => `text ${i} ${message}`))
    expect(test.drains).toBeGreaterThan(before)
  })

  it('compress if it is negotiated, and mix compressed and plain messages', async () => {
    const test = await startApp(transport, { behavior: { compression: true } })
    const [one, plain] = [await test.client('/ws'), await test.client('/ws', { perMessageDeflate: false })]
    const text = 'again and again '.repeat(200)
    for (const { socket } of test.peers) socket?.subscribe('g')
    for (const compress of [true, false, true]) test.app.publish('g', bytes(text), false, compress)
    test.peers[0]?.socket?.send(bytes(text), true, true)
    one?.ws.send(text)
    await Promise.all([one?.count(4), plain?.count(3)])
    expect(one?.got).toEqual([`text ${text}`, `text ${text}`, `text ${text}`, `binary ${text}`])
    expect(plain?.got).toEqual([`text ${text}`, `text ${text}`, `text ${text}`])
    expect(one?.ws.extensions).toContain('permessage-deflate')
    await expect.poll(() => test.messages).toEqual([{ text, isBinary: false }])
  })

  it('are all terminated by close, and nobody can connect after stopListening', async () => {
    const test = await startApp(transport)
    const client = await test.client()
    test.app.stopListening()
    await expect(fetch(`http://127.0.0.1:${test.port}/`)).rejects.toThrow()
    expect(test.peers[0]?.isClosed).toBe(false)
    test.app.close()
    await client.closed
    await expect.poll(() => test.peers[0]?.isClosed).toBe(true)
  })
})

function deferred(): { readonly promise: Promise<unknown>; readonly resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}
