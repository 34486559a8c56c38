/**
 * Transport: what the server needs of a library that speaks HTTP and WebSocket on one port.
 *
 * Everything in server/ is written against these interfaces; each implementation has a folder of
 * its own beside this file, and all of them pass test/server/transport. A transport routes nothing
 * and knows no protocol of Tertulia: it gives requests, responses, sockets, topics and backpressure.
 *
 * Rules that every implementation follows:
 * - Bytes passed in are copied or written before the call returns; bytes passed out are valid
 *   during the call only. Text is passed as UTF-8 bytes, so that no library converts strings.
 * - A response may be used at any time. After its client has disconnected, or after its end, a call
 *   does nothing.
 * - A socket writes everything that it is given, in order, and drops nothing: its user looks at
 *   `getBufferedAmount` and ends it. It may not be used after `closed`.
 */

export const transportNames = ['uws', 'node'] as const
export type TransportName = (typeof transportNames)[number]

export interface Transport {
  readonly name: TransportName
  /** Makes one port's server. TLS is on where the two files are given; they are PEM and valid. */
  createApp(tls?: TlsFiles): App
}

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** One port: set up with `serve` and `sockets`, then `listen` once. */
export interface App {
  /** Every HTTP request, except the upgrades that `sockets` handles, goes to this handler. */
  serve(handler: (request: Request, response: Response) => void): void
  /** WebSocket handshakes (`GET` with a `Sec-WebSocket-Key`) on this path become sockets. */
  sockets<Data extends object>(path: string, behavior: SocketBehavior<Data>): void
  /** Writes one message to every socket that subscribes to the topic. The frame is made once. */
  publish(topic: string, message: Uint8Array, isBinary: boolean, compress: boolean): void
  /** How many sockets subscribe to the topic. */
  numSubscribers(topic: string): number
  /** Resolves with the port. Rejects where the port is in use or the host is not of this machine. */
  listen(host: string, port: number): Promise<number>
  /** Accepts no further connections; those that are open stay. */
  stopListening(): void
  /** Cuts all connections and stops listening. */
  close(): void
}

/** An HTTP request, or a handshake. It may be read while its handler runs, and not later. */
export interface Request {
  /** In upper case. */
  readonly method: string
  /** The path as it was sent, without the query. */
  readonly path: string
  /** What follows the first `?`, as it was sent. */
  readonly query: string
  /** The address of the connection's other end. IPv4 is dotted, also where the socket is IPv6. */
  readonly address: string
  /** The first line of this header, empty where there is none. `name` is in lower case. */
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
  /** `then` runs once, when the client has disconnected before the response was written. */
  onAborted(then: () => void): void
  /** Reads the body; called while the request's handler runs. The last call has `isLast`. */
  onData(take: (chunk: Uint8Array, isLast: boolean) => void): void
  /** Stops reading the body, so that its sender has to wait. */
  pause(): void
  resume(): void
  /** Writes the whole response. `closeConnection` ends the connection after it. */
  end(head: ResponseHead, body: Uint8Array, closeConnection?: boolean): void
  /** Writes a response without body. `length` is what Content-Length says, null for no such header. */
  endWithoutBody(head: ResponseHead, length: number | null, closeConnection?: boolean): void
  /** Begins a response whose body follows in pieces, of `length` bytes in all (not 0). */
  begin(head: ResponseHead, length: number): void
  /**
   * Writes the next piece; the response ends with its last byte. Resolves when the piece is
   * written, or when the client has disconnected.
   */
  write(piece: Uint8Array): Promise<void>
  /** Cuts the connection. */
  cut(): void
}

/** What becomes of a handshake. */
export type Verdict<Data> =
  | {
      readonly accept: Data
      readonly protocol: string
      /** The handshake brought nothing that says who the client is. */
      readonly isNewcomer: boolean
    }
  | { readonly refuse: ResponseHead; readonly body: Uint8Array }

export interface SocketBehavior<Data extends object> {
  /** The largest message; a larger one ends its socket. */
  readonly maxPayloadBytes: number
  /** The largest message of a socket whose client is not known yet. */
  readonly newcomer: {
    /** Of every socket until `trust` is called. */
    readonly maxPayloadBytes: number
    /**
     * Where the transport cannot change the limit of an open socket: of those that were accepted
     * with `isNewcomer`, to their end.
     */
    readonly fixedPayloadBytes: number
  }
  /** A socket is pinged before it has been silent for so long, and cut after it. */
  readonly idleTimeoutSeconds: number
  /** Whether permessage-deflate is negotiated. It takes no memory for each socket. */
  readonly compression: boolean
  /** Judges a handshake, at once. Must not throw. */
  upgrade(request: Request): Verdict<Data>
  opened(data: Data, socket: Socket): void
  /** One whole message. */
  message(data: Data, bytes: Uint8Array, isBinary: boolean): void
  /** The socket wrote some or all of what waited. May be late, so look from time to time. */
  drained(data: Data): void
  /** The client has answered a ping. */
  pong(data: Data): void
  /** Once for each socket that was opened; within `end` or `close` where that is called. */
  closed(data: Data): void
}

/** An open WebSocket. uWebSockets.js's own object is one: the names are its names. */
export interface Socket {
  send(message: Uint8Array, isBinary: boolean, compress: boolean): unknown
  /** Cuts the connection, without a close frame. */
  close(): void
  /** The client is known now. Missing where the limit of an open socket cannot be changed. */
  trust?(): void
  /** Writes the close frame behind all that waits. `reason` has at most 123 bytes. */
  end(code: number, reason: Uint8Array): void
  /** What is sent in `task` leaves together. */
  cork(task: () => void): unknown
  /** Bytes that wait in this process. */
  getBufferedAmount(): number
  subscribe(topic: string): unknown
  unsubscribe(topic: string): unknown
  isSubscribed(topic: string): boolean
  getTopics(): readonly string[]
}
