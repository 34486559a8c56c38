/**
 * Edge cases of HTTP, through the server's own routes. Deviations of uWebSockets.js are in
 * docs/OPERATIONS.md; the correct behaviour of the built-in transport is here.
 */
import { describe, expect, it } from 'vitest'
import { createServer, type Server } from '../../../server/server.ts'
import type { TransportName } from '../../../server/transport/transport.ts'
import { transports } from '../../support/transports.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { H2C, HANDSHAKE, rawHttp, requestOf } from './app.ts'

const get = (path: string, version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: x\r\n\r\n`
const statusesOf = (text: string) =>
  Array.from(text.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status))

async function ask(server: Server, ...pieces: string[]): Promise<number[]> {
  return statusesOf(await rawHttp(server.port, pieces, /\r\n\r\n/))
}

const start = (transport: TransportName) => startServer({ transport })

describe.each(transports)('HTTP on $name', ({ name }) => {
  it.each(['/healthz', '/readyz'])('answers GET, HEAD and OPTIONS of %s', async (path) => {
    const { port } = await start(name)
    const statusOf = async (method: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
      return [response.status, (await response.text()).length > 0]
    }
    expect(await statusOf('GET')).toEqual([200, true])
    expect(await statusOf('HEAD')).toEqual([200, false])
    expect(await statusOf('OPTIONS')).toEqual([204, false])
    expect((await fetch(`http://127.0.0.1:${port}${path}`, { method: 'PUT' })).status).toBe(405)
  })

  it('answers 426 to /ws without a handshake, and to another version of WebSocket (TRN-3)', async () => {
    const server = await start(name)
    const text = await rawHttp(server.port, [get('/ws')], /\r\n\r\n/)
    expect([statusesOf(text), /^upgrade: websocket\r$/im.test(text)]).toEqual([[426], true])
    const old = `GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n`
    const refused = await rawHttp(server.port, [old], /\r\n\r\n/)
    expect([statusesOf(refused), /^sec-websocket-version: 13\r$/im.test(refused)]).toEqual([[426], true])
  })

  it('refuses two Host headers, and two lengths with all that follows', async () => {
    const server = await start(name)
    const post = (lines: string, rest = '') =>
      `POST /api/chat/groups HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n{}${rest}`
    expect(await ask(server, post('Host: y\r\nContent-Length: 2'))).toEqual([400])
    const lengths = post('Content-Length: 2\r\nContent-Length: 60', get('/healthz'))
    // uWebSockets.js terminates the connection without an answer.
    expect(statusesOf(await rawHttp(server.port, [lengths], /never/))).toEqual(name === 'node' ? [400] : [])
  })

  it('is handled as HTTP if a protocol other than WebSocket is requested', async () => {
    const server = await start(name)
    expect(await ask(server, requestOf('GET', '/healthz', H2C))).toEqual([200])
  })

  it('reads the body of a request for another protocol, in any segments', async () => {
    const server = await start(name)
    const authorization = `Authorization: Bearer ${await tokenOf('ana')}`
    const body = '{"kind":"group"}'
    const lines = [...H2C, authorization, 'Content-Type: application/json', `Content-Length: ${body.length}`]
    const post = requestOf('POST', '/api/chat/groups', lines)
    for (const pieces of [[post + body], [post, body], [post + body.slice(0, 5), body.slice(5)]]) {
      expect(await ask(server, ...pieces)).toEqual([201])
    }
  })

  it.each([
    ['another protocol', requestOf('GET', '/ws', H2C), [200, 404, 426]],
    ['a WebSocket', requestOf('GET', '/ws', HANDSHAKE), [200, 404, 101]],
  ])('answers pipelined requests before the last one, for %s', async (_, last, statuses) => {
    const server = await start(name)
    const text = await rawHttp(server.port, [get('/healthz') + get('/nowhere') + last], /1 (101|426) /)
    expect(statusesOf(text)).toEqual(statuses)
  })
})

describe('HTTP on the built-in transport', () => {
  it('reads a request in two segments, split at any byte', async () => {
    const server = await start('node')
    const request = get('/healthz')
    const cuts = [1, 4, 13, 18, 23, 24, 30]
    const statuses = await Promise.all(cuts.map((at) => ask(server, request.slice(0, at), request.slice(at))))
    expect(statuses).toEqual(cuts.map(() => [200]))
  })

  it('answers HTTP/1.0, an absolute target, OPTIONS * and a leading empty line', async () => {
    const server = await start('node')
    expect(await ask(server, 'GET /healthz HTTP/1.0\r\n\r\n')).toEqual([200])
    expect(await ask(server, 'OPTIONS /healthz HTTP/1.0\r\n\r\n')).toEqual([204])
    expect(await ask(server, get('http://x/healthz'))).toEqual([200])
    expect(await ask(server, 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n')).toEqual([204])
    expect(await ask(server, `\r\n${get('/healthz')}`)).toEqual([200])
  })

  it('answers pipelined requests, all and in order', async () => {
    const server = await start('node')
    const text = await rawHttp(
      server.port,
      [get('/healthz') + get('/nowhere') + get('/ws') + get('/readyz', '1.0')],
      /never/,
    )
    expect(statusesOf(text)).toEqual([200, 404, 426, 200])
  })

  it('answers in JSON if headers are too large (431) or the input is not a request (400)', async () => {
    const server = await start('node')
    const large = `GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(40_000)}\r\n\r\n`
    for (const [bytes, status] of [
      [large, 431],
      ['no request at all\r\n\r\n', 400],
    ] as const) {
      const text = await rawHttp(server.port, [bytes], /\}\}$/)
      expect(statusesOf(text)).toEqual([status])
      expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ error: { code: 'bad_request' } })
    }
  })

  it('closes a frame above the hard limit with 1009', async () => {
    const server = await start('node')
    const { WebSocket } = await import('ws')
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws`)
    ws.on('error', () => {})
    ws.on('open', () => ws.send(Buffer.alloc(3_000_000)))
    expect(await new Promise((resolve) => ws.on('close', resolve))).toBe(1009)
  })
})

describe('the choice of a transport', () => {
  it('is in the statistics, with the reason', async () => {
    const server = await start('node')
    expect((await server.getServerStats()).transport).toEqual({ name: 'node', why: 'TRANSPORT is node' })
  })

  it('is logged in one line', async () => {
    const lines: object[] = []
    const logger = {
      info: (fields: object, text: string) => void lines.push({ text, ...fields }),
      warn() {},
      error() {},
    }
    await startServer({ transport: 'node', logger })
    expect(lines).toContainEqual(
      expect.objectContaining({ text: 'listening', transport: 'node', why: 'TRANSPORT is node' }),
    )
  })

  it('is refused if the name is unknown', async () => {
    await expect(createServer({ transport: 'quic' as TransportName })).rejects.toThrow(
      'TRANSPORT must be one of auto, uws, node (got "quic")',
    )
  })
})
