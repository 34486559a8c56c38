/**
 * An app of a transport that a test configures, on a free port; closed after the test.
 */
import { connect, type Socket as TcpSocket } from 'node:net'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type {
  App,
  Request,
  Response,
  Socket,
  SocketBehavior,
  Transport,
  Verdict,
} from '../../../server/transport/transport.ts'

/** The data of the test's sockets. */
export interface Peer {
  readonly name: string
  socket: Socket | null
  isClosed: boolean
}

export interface TestApp {
  readonly app: App
  readonly port: number
  /** All sockets so far, in the order of their handshakes. */
  readonly peers: Peer[]
  readonly messages: { readonly text: string; readonly isBinary: boolean }[]
  drains: number
  /** An open WebSocket client. */
  client(path?: string, options?: WebSocket.ClientOptions): Promise<Client>
}

export interface AppSetup {
  readonly serve?: (request: Request, response: Response) => void
  readonly upgrade?: (request: Request) => Verdict<Peer>
  readonly behavior?: Partial<SocketBehavior<Peer>>
}

/** Listens on 127.0.0.1; `/ws` accepts every handshake unless the test decides otherwise. */
export async function startApp(transport: Transport, setup: AppSetup = {}): Promise<TestApp> {
  const app = transport.createApp()
  const peers: Peer[] = []
  const test = {
    app,
    port: 0,
    peers,
    messages: [] as { text: string; isBinary: boolean }[],
    drains: 0,
    client,
  }
  app.serve(setup.serve ?? ((_, response) => response.end({ status: 404, headers: [] }, Buffer.alloc(0))))
  app.sockets<Peer>('/ws', {
    maxPayloadBytes: 100_000,
    newcomer: {
      maxPayloadBytes: 100_000,
      fixedPayloadBytes: { large: 100_000, medium: 100_000, small: 100_000 },
    },
    idleTimeoutSeconds: 120,
    compression: false,
    upgrade:
      setup.upgrade ??
      ((request) => ({ accept: aPeer(request.query), protocol: '', fixedLimit: 'full' as const })),
    opened(peer, socket) {
      peer.socket = socket
      peers.push(peer)
    },
    message(_, bytes, isBinary) {
      test.messages.push({ text: Buffer.from(bytes).toString(), isBinary })
    },
    pong() {},
    drained() {
      test.drains++
    },
    closed(peer) {
      peer.isClosed = true
    },
    ...setup.behavior,
  })
  test.port = await app.listen('127.0.0.1', 0)
  onTestFinished(() => app.close())
  return test

  async function client(path = '/ws', options: WebSocket.ClientOptions = {}): Promise<Client> {
    const made = new Client(new WebSocket(`ws://127.0.0.1:${test.port}${path}`, options))
    onTestFinished(() => made.ws.terminate())
    await made.open
    return made
  }
}

export const aPeer = (name: string): Peer => ({ name, socket: null, isClosed: false })

/** A WebSocket client that stores what it receives. */
export class Client {
  readonly ws: WebSocket
  readonly got: string[] = []
  readonly open: Promise<void>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly #wake: (() => void)[] = []

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer, isBinary) => {
      this.got.push(`${isBinary ? 'binary' : 'text'} ${data.toString()}`)
      for (const wake of this.#wake.splice(0)) wake()
    })
    this.open = new Promise((resolve, reject) => {
      ws.on('open', resolve)
      ws.on('error', reject)
    })
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
  }

  /** Resolves when this many messages have arrived. */
  async count(messages: number): Promise<void> {
    while (this.got.length < messages) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  /** Pauses and resumes reading: the kernel's buffers fill up. */
  get reading(): { readonly stop: () => void; readonly go: () => void } {
    const socket = (this.ws as unknown as { readonly _socket: TcpSocket })._socket
    return { stop: () => socket.pause(), go: () => socket.resume() }
  }
}

export const H2C = ['Connection: Upgrade', 'Upgrade: h2c']
export const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** The head of a request, with these header lines. */
export const requestOf = (method: string, path: string, lines: readonly string[] = []): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')

/** Sends bytes in pieces, and resolves with the response when the peer closes or `until` matches. */
export async function rawHttp(
  port: number,
  pieces: readonly (string | Buffer)[],
  until: RegExp,
  halfClose = false,
): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  let text = ''
  const done = new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('end', resolve)
    socket.on('data', (data) => {
      text += data.toString('latin1')
      if (until.test(text)) resolve()
    })
  })
  for (const [i, piece] of pieces.entries()) {
    // A separate segment: the previous one has been read by then.
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
  }
  if (halfClose) socket.end()
  await done
  return text
}
