/**
 * The transport on Node's own HTTP server and `ws`. It has no native binary, so it runs on every platform.
 *
 * Topics are sets of sockets. A published message is framed once, and compressed once, for all
 * subscribers; the frames of a socket in one turn of the event loop are written together.
 */
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type {
  App,
  Request,
  Response,
  Socket,
  SocketBehavior,
  TlsFiles,
  Transport,
  Verdict,
} from '../transport.ts'
import { answerBadRequest, rawResponse } from './bad-request.ts'
import { deflatedFrameOf, frameOf } from './frame.ts'
import { NodeRequest } from './request.ts'
import { NodeResponse } from './response.ts'
import { limitMessages, NodeSocket, type SocketHost } from './socket.ts'

/** A port of this machine that only its user reaches: a Unix socket, for the other fronts. */
export interface PrivateApp extends App {
  /** Replaces an older socket. Rejects if the path cannot be used. */
  listenAt(path: string): Promise<void>
}

export function createPrivateApp(): PrivateApp {
  return new NodeApp(undefined)
}

export const nodeTransport: Transport = {
  name: 'node',
  fixesLimits: false,
  createApp: (tls) => new NodeApp(tls),
}

/** A token of 8 KiB in the query or a header, and the other headers of a browser. */
const MAX_HEAD_BYTES = 24 * 1_024
/**
 * Idle connections are closed later than proxies close theirs, so that a proxy does not use a connection
 * that is being closed.
 */
const KEEP_ALIVE_MS = 75_000
const HEAD_WITHIN_MS = 10_000
/** An HTTP connection without traffic for this time is terminated. */
const STALLED_AFTER_MS = 30_000
/** Silence checks per idle timeout. */
const CHECKS = 8
const KEY_CHARS = 24
const OWNER_ONLY = 0o600

/** A path of sockets. */
interface Endpoint {
  readonly behavior: SocketBehavior<object>
  readonly ws: WebSocketServer
}

class NodeApp implements PrivateApp, SocketHost {
  readonly #server: ReturnType<typeof createServer>
  /** The event with which the server takes a connection. */
  readonly #connected: 'connection' | 'secureConnection'
  /** Sockets whose connection is not closed yet. */
  readonly #sockets = new Set<NodeSocket>()
  /** The responses of each connection that are not closed yet, in the order of their requests. */
  readonly #responses = new WeakMap<Duplex, Set<NodeResponse>>()
  readonly #topics = new Map<string, Set<NodeSocket>>()
  #due: NodeSocket[] = []
  readonly #endpoints = new Map<string, Endpoint>()
  #verdict: { readonly protocol: string } | null = null
  #silence: NodeJS.Timeout | undefined
  #turn = 0

  constructor(tls: TlsFiles | undefined) {
    this.#connected = tls ? 'secureConnection' : 'connection'
    const limits = {
      maxHeaderSize: MAX_HEAD_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEAD_WITHIN_MS,
      connectionsCheckingInterval: HEAD_WITHIN_MS / 2,
      // A large upload over a slow network may take long; one that stalls is terminated.
      requestTimeout: 0,
      // Small frames are sent at once.
      noDelay: true,
      // Called by Node 24 and newer; older versions hand over every upgrade, see `#upgrade`.
      shouldUpgradeCallback: (req: IncomingMessage) => this.#isHandshake(req),
    }
    this.#server = tls
      ? createTlsServer({
          ...limits,
          handshakeTimeout: HEAD_WITHIN_MS,
          cert: readFileSync(tls.certFile),
          key: readFileSync(tls.keyFile),
        })
      : createServer(limits)
    this.#server.setTimeout(STALLED_AFTER_MS)
    this.#server.on('clientError', answerBadRequest)
    this.#server.on('upgrade', (req, connection: Duplex, head: Buffer) => {
      // The listeners of the server are removed by now.
      connection.on('error', destroyThis).on('timeout', destroyThis)
      this.#upgrade(req, connection, head)
    })
  }

  serve(handler: (request: Request, response: Response) => void): void {
    this.#server.on('request', (req, res) => {
      const responses = this.#responsesOf(req.socket)
      const response = new NodeResponse(req, res)
      responses.add(response)
      res.on('close', () => {
        responses.delete(response)
        response.closed()
      })
      handler(new NodeRequest(req), response)
    })
  }

  sockets<Data extends object>(path: string, behavior: SocketBehavior<Data>): void {
    const ws = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      autoPong: false,
      maxPayload: behavior.maxPayloadBytes,
      handleProtocols: () => this.#verdict?.protocol || false,
      perMessageDeflate: behavior.compression && {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      },
    })
    this.#endpoints.set(path, { behavior: behavior as unknown as SocketBehavior<object>, ws })
    const checkEveryMs = (behavior.idleTimeoutSeconds * 1_000) / CHECKS
    this.#silence ??= setInterval(() => this.#checkSilence(), checkEveryMs).unref()
  }

  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): void {
    const subscribers = this.#topics.get(topic)
    if (!subscribers) return
    let plain: Buffer | undefined
    let deflated: Buffer | undefined
    for (const socket of subscribers) {
      if (compress && socket.deflates) {
        deflated ??= deflatedFrameOf(message, isBinary)
        socket.write(deflated)
      } else {
        plain ??= frameOf(message, isBinary)
        socket.write(plain)
      }
    }
  }

  numSubscribers(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  listenAt(path: string): Promise<void> {
    rmSync(path, { force: true })
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      // In a worker of a cluster it would be shared with the other workers.
      this.#server.listen({ path, exclusive: true }, () => {
        this.#server.off('error', reject)
        chmodSync(path, OWNER_ONLY)
        resolve()
      })
    })
  }

  stopListening(): void {
    this.#server.close()
  }

  close(): void {
    clearInterval(this.#silence)
    this.#server.close()
    this.#server.closeAllConnections()
    for (const socket of this.#sockets) socket.close()
  }

  // SocketHost, called by the sockets

  flushLater(socket: NodeSocket): void {
    if (this.#due.length === 0) process.nextTick(() => this.#flush())
    this.#due.push(socket)
  }

  subscribe(socket: NodeSocket, topic: string): void {
    const subscribers = this.#topics.get(topic)
    if (subscribers) subscribers.add(socket)
    else this.#topics.set(topic, new Set([socket]))
  }

  unsubscribe(socket: NodeSocket, topic: string): void {
    const subscribers = this.#topics.get(topic)
    subscribers?.delete(socket)
    if (subscribers?.size === 0) this.#topics.delete(topic)
  }

  ended(socket: NodeSocket): void {
    socket.behavior.closed(socket.data)
  }

  #flush(): void {
    const due = this.#due
    this.#due = []
    for (const socket of due) socket.flush()
  }

  #responsesOf(connection: Duplex): Set<NodeResponse> {
    const known = this.#responses.get(connection)
    if (known) return known
    const responses = new Set<NodeResponse>()
    this.#responses.set(connection, responses)
    // Node closes only the response that it is sending, not those that wait for it.
    connection.on('close', () => {
      for (const response of responses) response.closed()
      responses.clear()
    })
    return responses
  }

  #isHandshake(req: IncomingMessage): boolean {
    const { path, method, header } = asRequest(req)
    return this.#endpoints.has(path) && method === 'GET' && header('sec-websocket-key').length === KEY_CHARS
  }

  #upgrade(req: IncomingMessage, connection: Duplex, head: Buffer): void {
    const response = [...(this.#responses.get(connection) ?? [])].at(-1)
    if (response) {
      // Pipelined: answers are sent in the order of the requests (RFC 9112 9.3.2).
      response.whenClosed(() => this.#upgrade(req, connection, head))
      return
    }
    if (connection.destroyed) return
    const request = new NodeRequest(req)
    const endpoint = this.#isHandshake(req) ? this.#endpoints.get(request.path) : undefined
    if (!endpoint) return this.#readAgain(req, connection, head)
    const verdict = endpoint.behavior.upgrade(request)
    if ('refuse' in verdict) {
      // Nobody reads the connection, so its end is not noticed.
      connection.once('finish', () => connection.destroy())
      connection.end(rawResponse(verdict.refuse, verdict.body))
    } else this.#accept(endpoint, verdict, req, connection, head)
  }

  #accept(
    { ws: server, behavior }: Endpoint,
    verdict: Extract<Verdict<object>, { accept: object }>,
    req: IncomingMessage,
    connection: Duplex,
    head: Buffer,
  ): void {
    this.#verdict = verdict
    server.handleUpgrade(req, connection, head, (ws) => {
      // A client may request a smaller window; messages are then not compressed.
      const deflates =
        ws.extensions !== '' &&
        !/server_max_window_bits/.test(String(req.headers['sec-websocket-extensions']))
      this.#opened(behavior, ws, connection, verdict.accept, deflates)
    })
    this.#verdict = null
  }

  #opened(
    behavior: SocketBehavior<object>,
    ws: WebSocket,
    connection: Duplex,
    data: object,
    deflates: boolean,
  ): void {
    const { newcomer } = behavior
    const socket = new NodeSocket(this, behavior, data, ws, connection, deflates)
    limitMessages(ws, newcomer.maxPayloadBytes)
    socket.seenTurn = this.#turn
    this.#sockets.add(socket)
    ws.on('message', (bytes: Buffer, isBinary: boolean) => {
      socket.seenTurn = this.#turn
      if (socket.isOpen) behavior.message(data, bytes, isBinary)
    })
    ws.on('ping', (payload: Buffer) => {
      socket.seenTurn = this.#turn
      socket.pong(payload)
    })
    ws.on('pong', () => {
      socket.seenTurn = this.#turn
      if (socket.isOpen) behavior.pong(data)
    })
    // The library closes on protocol errors: 1002, 1007, 1009.
    ws.on('error', () => {})
    ws.on('close', () => {
      this.#sockets.delete(socket)
      socket.closed()
    })
    connection.on('drain', () => {
      socket.flush()
      if (socket.isOpen) behavior.drained(data)
    })
    behavior.opened(data, socket satisfies Socket)
  }

  /**
   * A request for another protocol is answered over HTTP (RFC 9110 7.8). Node below 24 stops parsing after
   * its head, so it is read again, with its body, without its `Upgrade`.
   */
  #readAgain(req: IncomingMessage, connection: Duplex, rest: Buffer): void {
    const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`]
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      const [name = '', value = ''] = req.rawHeaders.slice(i, i + 2)
      if (name.toLowerCase() !== 'upgrade') lines.push(`${name}: ${value}`)
    }
    connection.off('error', destroyThis).off('timeout', destroyThis)
    connection.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]))
    this.#server.emit(this.#connected, connection)
  }

  /** Pings sockets that have been silent for most of the timeout, and terminates those that reached it. */
  #checkSilence(): void {
    this.#turn++
    for (const socket of this.#sockets) {
      const silent = this.#turn - socket.seenTurn
      if (silent > CHECKS) socket.close()
      else if (silent >= CHECKS - 2 && socket.isOpen) socket.ping()
    }
  }
}

/** For a connection that has failed or is silent. */
function destroyThis(this: Duplex): void {
  this.destroy()
}

function asRequest(req: IncomingMessage) {
  const request = new NodeRequest(req)
  return { path: request.path, method: request.method, header: (name: string) => request.header(name) }
}
