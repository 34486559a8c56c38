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
import { UwsRequest } from './request.ts'
import { UwsResponse, writeHead } from './response.ts'

/** The library's module. */
export type Uws = typeof import('uWebSockets.js')
type TemplatedApp = ReturnType<Uws['App']>

/** The data that the library stores per socket. */
interface Stored<Data> {
  readonly data: Data
}

type Accepted<Data> = Extract<Verdict<Data>, { accept: Data }>

const LISTEN_EXCLUSIVE = 1
const EVERY_PATH = '/*'

/** The transport over the loaded library. */
export function uwsTransport(uws: Uws): Transport {
  return { name: 'uws', createApp: (tls) => new UwsApp(uws, tls) }
}

class UwsApp implements App {
  readonly #uws: Uws
  readonly #app: TemplatedApp
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
      else handler(request, new UwsResponse(res))
    })
  }

  /**
   * The library limits messages per route. Newcomers are passed to a second route with a smaller limit,
   * because an incomplete message is held in the library's memory and cannot be observed.
   */
  sockets<Data extends object>(path: string, behavior: SocketBehavior<Data>): void {
    let newcomer: Accepted<Data> | null = null
    this.#route(path, behavior.maxPayloadBytes, behavior, (res, req, context) => {
      const verdict = behavior.upgrade(new UwsRequest(res, req))
      if ('refuse' in verdict) {
        writeHead(res, verdict.refuse)
        res.end(verdict.body)
      } else if (verdict.isNewcomer) {
        newcomer = verdict
        req.setYield(true)
      } else accept(verdict, res, req, context)
    })
    // A second route requires another pattern. It is called directly after the yield, and for other paths.
    const otherPattern = path.endsWith('/') ? `${path}*` : EVERY_PATH
    this.#route(otherPattern, behavior.newcomer.fixedPayloadBytes, behavior, (res, req, context) => {
      const accepted = newcomer
      newcomer = null
      if (accepted) accept(accepted, res, req, context)
      else req.setYield(true)
    })
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

  /** Listens exclusively: by default the library shares the port with other processes. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (socket: us_listen_socket | false): void => {
        if (!socket)
          return reject(new Error('the port is in use, or the host is not an address of this machine'))
        this.#listening = socket
        resolve(this.#uws.us_socket_local_port(socket))
      }
      // The type declarations lack this overload.
      const withOptions = this.#app.listen as unknown as (...args: readonly unknown[]) => void
      withOptions.call(this.#app, host, port, LISTEN_EXCLUSIVE, done)
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

function accept<Data extends object>(
  { accept: data, protocol }: Accepted<Data>,
  res: HttpResponse,
  req: HttpRequest,
  context: Context,
): void {
  const key = req.getHeader('sec-websocket-key')
  const extensions = req.getHeader('sec-websocket-extensions')
  res.upgrade<Stored<Data>>({ data }, key, protocol, extensions, context)
}
