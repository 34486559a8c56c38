/**
 * Front end: all sockets, over uWebSockets.js, in front of the engine's gateway.
 *
 * The upgrade is answered at once; the token is verified afterwards. Fan-out is native: an event
 * is published once to its topic (JSON sockets listen to `j` + topic). uWebSockets.js would drop
 * what is over a socket's limit, in the middle of a stream, so it is given none: the backlogs are
 * looked at here, before a quarter of a limit more has been published than at the last look: a reader
 * is spared ephemeral events at half of it before those alone would close it, no buffer ends above
 * one and a half and one frame, and no stream has a hole.
 * Bounded: `maxConnections`; everything that is a matter of time is done by one `sweep`.
 */
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js'
import uWS from 'uWebSockets.js'
import type { EngineLogger } from '../engine/engine.ts'
import type { Gateway, Publisher, SessionPort } from '../engine/gateway.ts'
import { encodeEvent } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import { events } from '../protocol/events.ts'
import { codeOf } from '../protocol/frame-head.ts'
import { eventToJson } from '../protocol/json-codec.ts'
import type { AddressGuard } from './address-guard.ts'
import type { Authenticator } from './auth.ts'
import { AuthError } from './auth-error.ts'
import { Connection, type ConnectionHost, type SocketData } from './connection.ts'
import { addressOf } from './http/address.ts'
import { Meters, type UpgradeRefusal } from './metrics/meters.ts'
import type { OriginRule } from './origins.ts'
import type { RateLimiter } from './rate-limit.ts'
import { RequestPath } from './request-path.ts'
import { Topics } from './topics.ts'
import { readUpgrade, type UpgradeRequest } from './upgrade.ts'

export interface FrontEndOptions {
  readonly gateway: Gateway
  readonly authenticate: Authenticator
  readonly limiter: RateLimiter
  readonly guard: AddressGuard
  readonly originAllowed: OriginRule
  readonly maxConnections: number
  readonly maxSessionsPerUser: number
  readonly maxMessageBytes: number
  /** What may wait unsent for one reader, bytes. */
  readonly maxBackpressure: number
  /** Whether frames of 1 KiB and more are compressed. */
  readonly compression?: 'off' | 'shared'
  readonly trustProxy: boolean
  readonly logger: EngineLogger
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface Refusal {
  readonly status: string
  readonly why: string
  readonly counts: UpgradeRefusal
  readonly retryAfter?: string
}

const IDLE_TIMEOUT_SECONDS = 120
const RETRY_AFTER_SECONDS = '5'
const MIB = 1_048_576
const COMPRESS_FROM_BYTES = 1_024
const NEW_MESSAGE_CODE: number = events.new_message.code

export class FrontEnd implements ConnectionHost, Publisher {
  readonly gateway: Gateway
  readonly topics: Topics
  readonly maxBackpressure: number
  readonly compressFrom: number
  readonly meters: Meters
  readonly now: () => number
  readonly #options: FrontEndOptions
  readonly #path: RequestPath
  readonly #connections = new Set<Connection>()
  readonly #sessionsByUser = new Map<string, number>()
  readonly #removePublisher: () => void
  #jsonConnections = 0
  #bytesSinceCheck = 0
  #accepting = true

  /** Registers `/ws` on the app; frames flow once the app listens. */
  constructor(app: TemplatedApp, options: FrontEndOptions) {
    this.gateway = options.gateway
    this.maxBackpressure = options.maxBackpressure
    this.now = options.now
    this.#options = options
    this.meters = new Meters(options.now())
    const compresses = options.compression === 'shared'
    this.compressFrom = compresses ? COMPRESS_FROM_BYTES : Number.POSITIVE_INFINITY
    this.topics = new Topics(app, setImmediate, this)
    this.#path = new RequestPath(options)
    app.ws<SocketData>('/ws', {
      compression: compresses ? uWS.SHARED_COMPRESSOR : uWS.DISABLED,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
      // A frame over `maxMessageBytes` is answered; only far above it uWebSockets.js cuts the socket.
      maxPayloadLength: Math.max(4 * options.maxMessageBytes, 2 * MIB),
      // 0 is no limit, so that nothing is ever dropped: see above.
      maxBackpressure: 0,
      closeOnBackpressureLimit: 0,
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      open: (ws) => this.#opened(ws),
      message: (ws, message, isBinary) => this.#received(ws, message, isBinary),
      drain: (ws) => this.#drained(ws),
      close: (ws) => this.#closed(ws),
    })
    this.#removePublisher = options.gateway.addPublisher(this)
  }

  /** Sockets that are up, for the metrics. */
  get connections(): number {
    return this.#connections.size
  }

  /** Users with one session at least. */
  get users(): number {
    return this.#sessionsByUser.size
  }

  /** What waits for readers, bytes. */
  get unsentBytes(): number {
    let sum = 0
    for (const connection of this.#connections) sum += connection.unsentBytes
    return sum
  }

  /** Requests on the way that their clients wait for. */
  get unanswered(): number {
    let sum = 0
    for (const connection of this.#connections) sum += connection.unanswered
    return sum
  }

  // Publisher, called by the engine

  publish(topic: string, frame: Uint8Array, but?: SessionPort): void {
    if (but instanceof Connection) but.apartFrom(topic, () => this.publish(topic, frame))
    else this.#publish(topic, frame)
  }

  #publish(topic: string, frame: Uint8Array): void {
    this.#bytesSinceCheck += frame.length
    if (codeOf(frame) === NEW_MESSAGE_CODE) this.meters.messages += 1
    if (this.#bytesSinceCheck > this.maxBackpressure / 4) this.#checkBacklogs(frame.length)
    this.topics.publish(topic, frame)
    if (this.#jsonConnections > 0 && this.topics.hasSubscribers(`j${topic}`)) {
      const text = eventToJson(frame)
      this.#bytesSinceCheck += text.length
      this.topics.publish(`j${topic}`, text)
    }
  }

  // ConnectionHost, called by the connections

  verify(connection: Connection, token: string): void {
    this.#options
      .authenticate(token)
      .then((verified) => {
        if (this.#accepting) connection.verified(verified)
        else connection.end('shutdown')
      })
      .catch((error: unknown) => {
        if (error instanceof AuthError) {
          connection.refused(error.message, error.blame)
          return
        }
        // The engine is full, stopping or broken: not the client's fault, it may come back.
        if (!(error instanceof ChatError)) this.#options.logger.error({ err: error }, 'no session was opened')
        connection.end('shutdown', 'no session can be opened at present')
      })
  }

  attemptFailed(address: string): void {
    this.#options.guard.failed(address)
  }

  admit(userId: string): boolean {
    const sessions = this.#sessionsByUser.get(userId) ?? 0
    if (sessions >= this.#options.maxSessionsPerUser) return false
    this.#sessionsByUser.set(userId, sessions + 1)
    return true
  }

  request(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    this.meters.requests += 1
    this.#path.take(connection, bytes, isBinary)
  }

  gone(connection: Connection): void {
    this.#connections.delete(connection)
    if (connection.json) this.#jsonConnections--
    if (connection.userId === '') return
    const sessions = (this.#sessionsByUser.get(connection.userId) ?? 0) - 1
    if (sessions > 0) this.#sessionsByUser.set(connection.userId, sessions)
    else this.#sessionsByUser.delete(connection.userId)
  }

  /** Looks after deadlines, expiries and backlogs; called about once a second. */
  sweep(): void {
    const now = this.now()
    this.meters.look(now)
    for (const connection of this.#connections) connection.sweep(now)
    this.#bytesSinceCheck = 0
  }

  /** Refuses upgrades and requests from now on, and says so to each client. */
  stop(reason: string, reconnectInMs: () => number): void {
    this.#accepting = false
    this.#path.stop()
    for (const connection of this.#connections) {
      connection.tell(encodeEvent('server_shutdown', 0, { reason, reconnectInMs: reconnectInMs() }))
    }
  }

  /** Closes all sockets with 1001. */
  closeAll(): void {
    for (const connection of this.#connections) connection.end('shutdown')
    this.#removePublisher()
  }

  #upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    let asked: UpgradeRequest
    let refusal: Refusal | null
    let address: string
    try {
      asked = readUpgrade(req)
      address = addressOf(res, req, this.#options.trustProxy)
      refusal = this.#refusalOf(asked, address)
    } catch (error) {
      // uWebSockets.js ends the process where a request is left without an answer.
      this.#options.logger.error({ err: error }, 'an upgrade was not handled')
      this.meters.refused('failed')
      res.writeStatus('500 Internal Server Error').end()
      return
    }
    if (refusal) {
      this.meters.refused(refusal.counts)
      res.writeStatus(refusal.status)
      if (refusal.retryAfter !== undefined) res.writeHeader('Retry-After', refusal.retryAfter)
      res.end(refusal.why)
      return
    }
    const connection = new Connection(this, asked.json, address, asked.token)
    res.upgrade<SocketData>({ connection }, asked.key, asked.protocol, asked.extensions, context)
  }

  /** What is known at once against an upgrade; the token is looked at later. */
  #refusalOf(asked: UpgradeRequest, address: string): Refusal | null {
    const { guard, originAllowed, maxConnections } = this.#options
    if (!this.#accepting || this.#connections.size >= maxConnections) {
      const counts = this.#accepting ? 'full' : 'stopping'
      return { status: '503 Service Unavailable', why: 'full', counts, retryAfter: RETRY_AFTER_SECONDS }
    }
    if (!originAllowed(asked.origin, asked.host))
      return { status: '403 Forbidden', why: 'origin not allowed', counts: 'origin' }
    const blockedMs = guard.blockedForMs(address)
    if (blockedMs > 0) {
      const retryAfter = String(Math.ceil(blockedMs / 1_000))
      return { status: '429 Too Many Requests', why: 'too many attempts', counts: 'attempts', retryAfter }
    }
    if (!asked.foreign) return null
    return { status: '400 Bad Request', why: 'no subprotocol in common', counts: 'subprotocol' }
  }

  #opened(ws: WebSocket<SocketData>): void {
    const { connection } = ws.getUserData()
    this.#connections.add(connection)
    this.meters.opened += 1
    if (connection.json) this.#jsonConnections++
    connection.opened(ws)
  }

  #received(ws: WebSocket<SocketData>, message: ArrayBuffer, isBinary: boolean): void {
    try {
      ws.getUserData().connection.received(new Uint8Array(message), isBinary)
    } catch (error) {
      // Nothing that a client sends ends the process (SPEC 5.7).
      this.#options.logger.error({ err: error }, 'a frame was not handled')
    }
  }

  #drained(ws: WebSocket<SocketData>): void {
    try {
      ws.getUserData().connection.drained()
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a drained connection was not continued')
    }
  }

  #closed(ws: WebSocket<SocketData>): void {
    ws.getUserData().connection.closed()
  }

  #checkBacklogs(next: number): void {
    this.#bytesSinceCheck = next
    for (const connection of this.#connections) connection.checkBacklog()
  }
}
