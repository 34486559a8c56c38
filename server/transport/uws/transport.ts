/**
 * The transport over uWebSockets.js, faster than the built-in one, used if its binary loads.
 *
 * It receives bytes, never strings: some builds convert strings incorrectly. Its own backpressure limit is
 * disabled, because it drops messages in the middle of a stream. It runs on the main thread: in a worker
 * it aborts the process at exit.
 */
import type {
  us_socket_context_t as Context,
  HttpRequest,
  HttpResponse,
  us_listen_socket,
  WebSocket,
} from 'uWebSockets.js'
import type { App, Request, Response, Socket, SocketBehavior, TlsFiles, Transport } from '../transport.ts'
import { UwsRequest } from './request.ts'
import { UwsResponse, writeHead } from './response.ts'

/** The library's module. */
export type Uws = typeof import('uWebSockets.js')
type TemplatedApp = ReturnType<Uws['App']>

/** The data that the library stores per socket. */
interface Stored<Data> {
  readonly data: Data
}

const LISTEN_SHARED = 0
const LISTEN_EXCLUSIVE = 1

/** The transport over the loaded library. */
export function uwsTransport(uws: Uws): Transport {
  return { name: 'uws', fixesLimits: true, createApp: (tls) => new UwsApp(uws, tls) }
}

class UwsApp implements App {
  readonly #uws: Uws
  readonly #app: TemplatedApp
  #behaviors = 0
  #listening: us_listen_socket | null = null

  constructor(uws: Uws, tls: TlsFiles | undefined) {
    this.#uws = uws
    this.#app = tls ? uws.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile }) : uws.App()
  }

  serve(handler: (request: Request, response: Response) => void): void {
    this.#app.any('/*', (res: HttpResponse, req: HttpRequest) => {
      const request = new UwsRequest(res, req)
      // Two lengths: intermediaries may have used the other one (RFC 9112 6.3). The library would continue
      // to read after an answer.
      if (request.list('content-length').includes(',')) res.close()
      else handler(request, new UwsResponse(res, isClosing(request)))
    })
  }

  /**
   * The library limits messages per route, and an incomplete message is held in its memory and cannot be
   * observed. So each limit has a route, and a handshake is accepted into one of them. A route reveals its
   * context only to a request: the first handshake is passed through all routes, which match every path.
   */
  sockets<Data extends object>(path: string, behavior: SocketBehavior<Data>): void {
    const { maxPayloadBytes: full, newcomer } = behavior
    const limits = { full, ...newcomer.fixedPayloadBytes }
    const others = new Set(Object.values(limits))
    others.delete(full)
    const contexts = new Map<number, Context>()
    const answer = (res: HttpResponse, req: HttpRequest): void => {
      const verdict = behavior.upgrade(new UwsRequest(res, req))
      if ('refuse' in verdict) {
        writeHead(res, verdict.refuse)
        res.end(verdict.body)
        return
      }
      const { accept: data, protocol, fixedLimit } = verdict
      const key = req.getHeader('sec-websocket-key')
      const extensions = req.getHeader('sec-websocket-extensions')
      const context = contexts.get(limits[fixedLimit]) as Context
      // Never later: then the library prints a warning, in `cork` it may close the socket
      // (https://github.com/uNetworking/uWebSockets/pull/1929), and while it reads another request the process ends.
      res.upgrade<Stored<Data>>({ data }, key, protocol, extensions, context)
    }
    let isPassedOn = false
    this.#route(path, full, behavior, (res, req, context) => {
      contexts.set(full, context)
      isPassedOn = contexts.size <= others.size
      if (isPassedOn) req.setYield(true)
      else answer(res, req)
    })
    const number = this.#behaviors++
    for (const bytes of others) {
      // The library ignores what follows the asterisk, except that it makes another route.
      this.#route(`/*${number}-${bytes}`, bytes, behavior, (res, req, context) => {
        contexts.set(bytes, context)
        if (!isPassedOn || contexts.size <= others.size) {
          req.setYield(true)
          return
        }
        isPassedOn = false
        answer(res, req)
      })
    }
  }

  #route<Data extends object>(
    path: string,
    maxPayloadBytes: number,
    behavior: SocketBehavior<Data>,
    upgrade: (res: HttpResponse, req: HttpRequest, context: Context) => void,
  ): void {
    const dataOf = (ws: WebSocket<Stored<Data>>) => ws.getUserData().data
    this.#app.ws<Stored<Data>>(path, {
      compression: behavior.compression ? this.#uws.SHARED_COMPRESSOR : this.#uws.DISABLED,
      idleTimeout: behavior.idleTimeoutSeconds,
      sendPingsAutomatically: true,
      maxPayloadLength: maxPayloadBytes,
      // 0 disables the limit, so that nothing is dropped.
      maxBackpressure: 0,
      closeOnBackpressureLimit: 0,
      upgrade,
      open: (ws) => behavior.opened(dataOf(ws), ws as Socket),
      message: (ws, message, isBinary) => behavior.message(dataOf(ws), new Uint8Array(message), isBinary),
      pong: (ws) => behavior.pong(dataOf(ws)),
      drain: (ws) => behavior.drained(dataOf(ws)),
      close: (ws) => behavior.closed(dataOf(ws)),
    })
  }

  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): void {
    this.#app.publish(topic, message, isBinary, compress)
  }

  numSubscribers(topic: string): number {
    return this.#app.numSubscribers(topic)
  }

  /** By default the library shares the port with other processes (SO_REUSEPORT). */
  listen(host: string, port: number, isShared = false): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (socket: us_listen_socket | false): void => {
        if (!socket)
          return reject(new Error('the port is in use, or the host is not an address of this machine'))
        this.#listening = socket
        resolve(this.#uws.us_socket_local_port(socket))
      }
      // The type declarations lack this overload.
      const withOptions = this.#app.listen as unknown as (...args: readonly unknown[]) => void
      withOptions.call(this.#app, host, port, isShared ? LISTEN_SHARED : LISTEN_EXCLUSIVE, done)
    })
  }

  stopListening(): void {
    if (this.#listening) this.#uws.us_listen_socket_close(this.#listening)
    this.#listening = null
  }

  close(): void {
    this.stopListening()
    this.#app.close()
  }
}

function isClosing(request: UwsRequest): boolean {
  return /\bclose\b/i.test(request.header('connection'))
}
