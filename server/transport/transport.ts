/**
 * Transport: what the server needs of a library for HTTP and WebSocket on one port.
 *
 * The rest of server/ uses only these interfaces. Each implementation has its own folder, and all of them
 * pass test/server/transport. A transport does no routing and knows nothing of Tertulia's protocol: it
 * provides requests, responses, sockets, topics and backpressure.
 *
 * Rules for every implementation:
 * - Bytes passed in are copied or written before the call returns; bytes passed out are valid during the
 *   call only. Text is passed as UTF-8 bytes, so that no library converts strings.
 * - A response may be used at any time. After its client has disconnected, or after its end, a call has
 *   no effect.
 * - A socket writes every message in order and drops nothing: its user checks `getBufferedAmount` and
 *   closes it. It must not be used after `closed`.
 */

export const transportNames = ['uws', 'node'] as const
export type TransportName = (typeof transportNames)[number]

export interface Transport {
  readonly name: TransportName
  /** Whether the largest message of a socket is decided in its handshake and cannot be changed. */
  readonly fixesLimits: boolean
  /** Creates the server of one port. TLS is on if the two files are given; they are valid PEM. */
  createApp(tls?: TlsFiles): App
}

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** One port: configured with `serve` and, for each path of sockets, `sockets`; then `listen` is called once. */
export interface App {
  /** Handles every HTTP request except the upgrades that `sockets` handles. */
  serve(handler: (request: Request, response: Response) => void): void
  /** WebSocket handshakes (`GET` with a `Sec-WebSocket-Key`) on this path become sockets. */
  sockets<Data extends object>(path: string, behavior: SocketBehavior<Data>): void
  /** Writes one message to every socket that subscribes to the topic. */
  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): void
  /** The number of sockets that subscribe to the topic. */
  numSubscribers(topic: string): number
  /**
   * Resolves with the port. Rejects if the port is in use or the host is not an address of this machine. With
   * `isShared`, processes that all share it listen on one port, and each connection reaches one of them. The
   * built-in transport shares a port with the other workers of its `node:cluster` in any case.
   */
  listen(host: string, port: number, isShared?: boolean): Promise<number>
  /** Accepts no new connections; open ones remain. */
  stopListening(): void
  /** Terminates all connections and stops listening. */
  close(): void
}

/** An HTTP request or a handshake. It can only be read while its handler runs. */
export interface Request {
  /** In upper case. */
  readonly method: string
  /** The path, unchanged, without the query. */
  readonly path: string
  /** The part after the first `?`, unchanged. */
  readonly query: string
  /** The address of the peer. IPv4 is dotted, also on an IPv6 socket. */
  readonly address: string
  /** The first line of this header, empty if missing. `name` is in lower case. */
  header(name: string): string
  /** All lines of this header as one list (RFC 9110 5.3), joined with commas. */
  list(name: string): string
}

export interface ResponseHead {
  readonly status: number
  /** Names and values in ASCII, without Content-Length, which the transport adds. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export interface Response {
  /** `then` is called once if the client disconnects before the response is written. */
  onAborted(then: () => void): void
  /** Reads the body; called while the request's handler runs. The last call has `isLast`. */
  onData(receive: (chunk: Uint8Array, isLast: boolean) => void): void
  /** Stops reading the body, so that the sender has to wait. */
  pause(): void
  resume(): void
  /** Writes the whole response. `closeConnection` ends the connection after it. */
  end(head: ResponseHead, body: Uint8Array, closeConnection?: boolean): void
  /** Writes a response without a body. `length` is the value of Content-Length; null omits the header. */
  endWithoutBody(head: ResponseHead, length: number | null, closeConnection?: boolean): void
  /** Begins a response whose body follows in pieces, with `length` bytes in total (not 0). */
  begin(head: ResponseHead, length: number): void
  /**
   * Writes the next piece; the response ends with its last byte. Resolves when the piece is
   * written, or when the client has disconnected.
   */
  write(piece: Uint8Array): Promise<void>
  /** Terminates the connection. */
  destroy(): void
}

/** The largest message of a socket whose limit cannot be changed while it is open. */
export type FixedLimit = 'full' | 'large' | 'medium' | 'small'

/** The answer to a handshake. */
export type Verdict<Data> =
  | {
      readonly accept: Data
      readonly protocol: string
      /** For transports that fix the limit of a socket. */
      readonly fixedLimit: FixedLimit
    }
  | { readonly refuse: ResponseHead; readonly body: Uint8Array }

export interface SocketBehavior<Data extends object> {
  /** The largest message; a larger one closes its socket. */
  readonly maxPayloadBytes: number
  /** The largest message of a socket whose client is not authenticated. */
  readonly newcomer: {
    /** Applies to every socket until `trust` is called. */
    readonly maxPayloadBytes: number
    /**
     * For transports that cannot change the limit of an open socket: applies permanently to sockets that
     * were accepted with this limit; `maxPayloadBytes` applies to the others.
     */
    readonly fixedPayloadBytes: Readonly<Record<Exclude<FixedLimit, 'full'>, number>>
  }
  /** A silent socket is pinged before this time and terminated after it. */
  readonly idleTimeoutSeconds: number
  /** Whether permessage-deflate is negotiated. It needs no memory per socket. */
  readonly compression: boolean
  /** Accepts or refuses a handshake. Must not throw. */
  upgrade(request: Request): Verdict<Data>
  opened(data: Data, socket: Socket): void
  /** One whole message. */
  message(data: Data, bytes: Uint8Array, isBinary: boolean): void
  /** The socket has written some or all of the unsent bytes. May be late, so callers also poll. */
  drained(data: Data): void
  /** The client answered a ping. */
  pong(data: Data): void
  /** Called once for each opened socket; within `end` or `close` if those are called. */
  closed(data: Data): void
}

/** An open WebSocket. The names are those of uWebSockets.js, whose socket implements it directly. */
export interface Socket {
  send(message: Uint8Array, isBinary: boolean, compress: boolean): unknown
  /** Terminates the connection without a close frame. */
  close(): void
  /** The client is authenticated. Missing if the limit of an open socket cannot be changed. */
  trust?(): void
  /** Writes the close frame after all unsent bytes. `reason` has at most 123 bytes. */
  end(code: number, reason: Uint8Array): void
  /** Frames sent in `task` are written together. */
  cork(task: () => void): unknown
  /** Unsent bytes in this process. */
  getBufferedAmount(): number
  subscribe(topic: string): unknown
  unsubscribe(topic: string): unknown
  isSubscribed(topic: string): boolean
  getTopics(): readonly string[]
}
