/**
 * Front end: all sockets of a transport, in front of the engine's gateway.
 *
 * The upgrade is answered at once; the token is verified afterwards. Fan-out is native: an event is
 * published once to its topic (JSON sockets subscribe to `j` + topic). Because a transport never drops a
 * message, backlogs are checked here, at the latest after a quarter of the limit was published since the
 * last check. A reader receives no ephemeral events above half of the limit. No buffer exceeds one and a
 * half limits plus one frame, and no stream has a hole.
 * Bounded: `maxConnections`. One `sweep` handles everything that depends on time.
 */
import type { Gateway, Publisher, SessionPort } from '../engine/gateway.ts'
import type { CloseReason } from '../protocol/close-codes.ts'
import { encodeEvent } from '../protocol/codec.ts'
import { ChatError, type ErrorCode } from '../protocol/errors.ts'
import { events } from '../protocol/events.ts'
import { codeOf } from '../protocol/frame-head.ts'
import { eventToJson } from '../protocol/json-codec.ts'
import { subprotocols } from '../protocol/subprotocols.ts'
import type { AddressGuard } from './address-guard.ts'
import type { Authenticator } from './auth.ts'
import { AuthError } from './auth-error.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { addressOf } from './http/address.ts'
import type { ServerLogger } from './log.ts'
import { Meters, type UpgradeRefusal } from './metrics/meters.ts'
import { Newcomers } from './newcomers.ts'
import { type OriginRule, originRefusal } from './origins.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { RefusalKind, RefusalLog } from './refusal-log.ts'
import { RequestPath } from './request-path.ts'
import { Topics } from './topics.ts'
import type { App, Request, Socket, Verdict } from './transport/transport.ts'
import { readUpgrade, type UpgradeRequest } from './upgrade.ts'
import { UserSessions } from './user-sessions.ts'

export interface FrontEndOptions {
  readonly gateway: Gateway
  readonly authenticate: Authenticator
  readonly limiter: RateLimiter
  readonly guard: AddressGuard
  readonly originAllowed: OriginRule
  readonly maxConnections: number
  readonly maxSessionsPerUser: number
  readonly maxMessageBytes: number
  /** The limit of unsent bytes of one connection. */
  readonly maxBackpressure: number
  /** Whether frames of at least 1 KiB are compressed. */
  readonly compression?: 'off' | 'shared'
  readonly trustProxy: boolean
  /** Limits of sockets that have not sent a token, per address and in total. */
  readonly maxUnauthenticatedPerAddress: number
  readonly maxUnauthenticated: number
  readonly refusals: RefusalLog
  readonly logger: ServerLogger
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds of a monotonic clock. */
  readonly steadyNow: () => number
}

interface Refusal {
  readonly status: number
  readonly why: string
  readonly counts: UpgradeRefusal
  readonly headers?: readonly (readonly [string, string])[]
}

/** PRS-1: a connection that does not answer pings is terminated after this time, within a few seconds. */
const IDLE_TIMEOUT_SECONDS = 40
/** The largest message before `connected`. */
const MAX_NEWCOMER_BYTES = 16_384
const RETRY_AFTER_SECONDS = '5'
const WEBSOCKET_VERSION = '13'
const MIB = 1_048_576
const COMPRESS_FROM_BYTES = 1_024
const SLOW_CHECK_MS = 1_000
/** Close reasons that are logged for the operator. */
const refusals: ReadonlySet<CloseReason> = new Set([
  ...(['unauthenticated', 'try_later', 'rate_limit_ignored', 'malformed'] as const),
  ...(['slow_reader', 'too_many_sessions'] as const),
])
const codeOfRefusal: Readonly<Record<UpgradeRefusal, ErrorCode>> = {
  full: 'overloaded',
  stopping: 'shutting_down',
  origin: 'forbidden',
  attempts: 'rate_limited',
  connects: 'rate_limited',
  newcomers: 'rate_limited',
  version: 'bad_request',
  subprotocol: 'bad_request',
  failed: 'internal',
}
const NEW_MESSAGE_CODE: number = events.new_message.code

export class FrontEnd implements ConnectionHost, Publisher {
  readonly gateway: Gateway
  readonly topics: Topics
  readonly maxBackpressure: number
  readonly compressFrom: number
  readonly meters: Meters
  readonly steadyNow: () => number
  readonly #options: FrontEndOptions
  readonly #path: RequestPath
  readonly #connections = new Set<Connection>()
  readonly #sessions: UserSessions<Connection>
  readonly #newcomers: Newcomers
  readonly #removePublisher: () => void
  #jsonConnections = 0
  #bytesSinceCheck = 0
  #accepting = true
  sweptAtMs: number

  /** Registers `/ws` on the app. */
  constructor(app: App, options: FrontEndOptions) {
    this.gateway = options.gateway
    this.maxBackpressure = options.maxBackpressure
    this.steadyNow = options.steadyNow
    this.#options = options
    this.meters = new Meters(options.steadyNow())
    this.sweptAtMs = options.steadyNow()
    this.#sessions = new UserSessions(options.maxSessionsPerUser)
    this.#newcomers = new Newcomers({
      max: options.maxUnauthenticated,
      maxPerAddress: options.maxUnauthenticatedPerAddress,
      now: options.steadyNow,
    })
    const compresses = options.compression === 'shared'
    this.compressFrom = compresses ? COMPRESS_FROM_BYTES : Number.POSITIVE_INFINITY
    this.topics = new Topics(app, setImmediate, this)
    this.#path = new RequestPath(options)
    app.sockets<Connection>('/ws', {
      compression: compresses,
      idleTimeoutSeconds: IDLE_TIMEOUT_SECONDS,
      // A frame above `maxMessageBytes` is answered with an error; the transport closes the socket only
      // far above it.
      maxPayloadBytes: Math.max(6 * options.maxMessageBytes, 2 * MIB),
      newcomer: {
        maxPayloadBytes: MAX_NEWCOMER_BYTES,
        fixedPayloadBytes: options.maxMessageBytes + MAX_NEWCOMER_BYTES,
      },
      upgrade: (request) => this.#upgrade(request),
      opened: (connection, socket) => this.#opened(connection, socket),
      message: (connection, bytes, isBinary) => this.#received(connection, bytes, isBinary),
      pong: (connection) => connection.ponged(),
      drained: (connection) => this.#drained(connection),
      closed: (connection) => connection.closed(),
    })
    this.#removePublisher = options.gateway.addPublisher(this)
  }

  /** The number of open sockets, for the metrics. */
  get connections(): number {
    return this.#connections.size
  }

  /** The number of users with at least one session. */
  get users(): number {
    return this.#sessions.users
  }

  /** Unsent bytes of all sockets. */
  get unsentBytes(): number {
    let sum = 0
    for (const connection of this.#connections) sum += connection.unsentBytes
    return sum
  }

  /** Requests that have no answer yet. */
  get unanswered(): number {
    let sum = 0
    for (const connection of this.#connections) sum += connection.unanswered
    return sum
  }

  // Publisher, called by the engine

  publish(topic: string, frame: Uint8Array, except?: SessionPort): void {
    if (except instanceof Connection) except.publishWithout(topic, () => this.publish(topic, frame))
    else this.#publish(topic, frame)
  }

  #publish(topic: string, frame: Uint8Array): void {
    this.#bytesSinceCheck += frame.length
    if (codeOf(frame) === NEW_MESSAGE_CODE) this.meters.messages += 1
    if (this.#bytesSinceCheck > this.maxBackpressure / 4) this.#checkBacklogs(frame.length)
    this.topics.publish(topic, frame, true)
    if (this.#jsonConnections > 0 && this.topics.hasSubscribers(`j${topic}`)) {
      const text = Buffer.from(eventToJson(frame))
      this.#bytesSinceCheck += text.length
      this.topics.publish(`j${topic}`, text, false)
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
          connection.refused(error.message, error.fault)
          return
        }
        // The engine is full, stopping or broken: not the client's fault, it reconnects later.
        if (!(error instanceof ChatError)) this.#options.logger.error({ err: error }, 'no session was opened')
        connection.end('shutdown', 'no session can be opened now')
      })
  }

  attemptFailed(address: string): void {
    this.#options.guard.failed(address)
  }

  noteRefusal({ address, userId }: Connection, kind: RefusalKind, why: string): void {
    this.#options.refusals.note({ kind, address, userId, why })
  }

  admit(connection: Connection): number {
    this.#newcomers.remove(connection)
    const verdict = this.#options.limiter.take(connection.userId, 'connect')
    if (!verdict.pass) return verdict.retryAfterMs
    // LIM-2
    this.#sessions.add(connection)?.end('too_many_sessions')
    return 0
  }

  chargeReads({ userId }: Connection, tokens: number): void {
    this.#options.limiter.charge(userId, 'reads', tokens)
  }

  closing(connection: Connection, reason: CloseReason, text: string): void {
    if (refusals.has(reason)) this.noteRefusal(connection, reason, text)
    const { address, userId } = connection
    this.#options.logger.debug?.({ address, userId, reason, text }, 'connection closed by the server')
  }

  request(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    this.meters.requests += 1
    this.#path.handle(connection, bytes, isBinary)
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
    if (connection.json) this.#jsonConnections--
    this.#newcomers.remove(connection)
    this.#sessions.remove(connection)
    const { address, userId } = connection
    this.#options.logger.debug?.({ address, userId }, 'connection closed')
  }

  /** Handles deadlines, expiries and backlogs; called about once a second. */
  sweep(): void {
    const moment = { now: this.#options.now(), steadyNow: this.steadyNow() }
    this.sweptAtMs = moment.steadyNow
    this.meters.sample(moment.steadyNow)
    let slow = 0
    for (const connection of this.#connections) {
      connection.sweep(moment)
      // While the issuer does not answer, sockets with a token from the upgrade wait as well.
      if (
        connection.verifyingMs(moment.steadyNow) > SLOW_CHECK_MS &&
        ++slow > this.#options.maxUnauthenticated
      ) {
        connection.refused('too many tokens wait for verification', 'server')
      }
    }
    this.#bytesSinceCheck = 0
  }

  /** Refuses upgrades and requests from now on, and notifies each client. */
  stop(reason: string, reconnectInMs: () => number): void {
    this.#accepting = false
    this.#path.stop()
    for (const connection of this.#connections) {
      connection.sendEvent(encodeEvent('server_shutdown', 0, { reason, reconnectInMs: reconnectInMs() }))
    }
  }

  /** Closes all sockets with 1001. */
  closeAll(): void {
    for (const connection of this.#connections) connection.end('shutdown')
    this.#removePublisher()
  }

  #upgrade(request: Request): Verdict<Connection> {
    try {
      const asked = readUpgrade(request)
      const address = addressOf(request, this.#options.trustProxy)
      const refusal = this.#refusalOf(asked, address)
      if (refusal) {
        this.#note(refusal, asked, address)
        return this.#refused(refusal)
      }
      const connection = new Connection(this, asked.json, address, asked.token)
      return { accept: connection, protocol: asked.protocol, isNewcomer: asked.token === null }
    } catch (error) {
      this.#options.logger.error({ err: error }, 'handling an upgrade failed')
      return this.#refused({ status: 500, why: 'internal', counts: 'failed' })
    }
  }

  #refused({ status, why, counts, headers = [] }: Refusal): Verdict<Connection> {
    this.meters.refused(counts)
    const body = Buffer.from(JSON.stringify({ error: { code: codeOfRefusal[counts], message: why } }))
    return { refuse: { status, headers: [...headers, ['Content-Type', 'application/json']] }, body }
  }

  #note({ counts, why }: Refusal, { origin }: UpgradeRequest, address: string): void {
    const { refusals, logger } = this.#options
    refusals.note({ kind: counts === 'origin' ? 'origin' : 'upgrade', address, why })
    logger.debug?.({ address, origin, why }, 'upgrade refused')
  }

  /** The reason to refuse an upgrade at once, if there is one; the token is verified later. */
  #refusalOf(asked: UpgradeRequest, address: string): Refusal | null {
    const { guard, limiter, originAllowed, maxConnections } = this.#options
    if (!this.#accepting || this.#connections.size >= maxConnections) {
      const counts = this.#accepting ? 'full' : 'stopping'
      return {
        status: 503,
        why: counts === 'full' ? 'the server is full' : 'the server is stopping',
        counts,
        headers: [['Retry-After', RETRY_AFTER_SECONDS]],
      }
    }
    if (!originAllowed(asked.origin, asked.host)) {
      return { status: 403, why: originRefusal(asked.origin), counts: 'origin' }
    }
    const blockedMs = guard.blockedForMs(address)
    if (blockedMs > 0) {
      const retryAfter = String(Math.ceil(blockedMs / 1_000))
      const headers = [['Retry-After', retryAfter]] as const
      return { status: 429, why: 'too many failed attempts from this address', counts: 'attempts', headers }
    }
    const connects = limiter.take(address, 'connect_address')
    if (!connects.pass) {
      const headers = [['Retry-After', String(Math.ceil(connects.retryAfterMs / 1_000))]] as const
      return { status: 429, why: 'too many connections from this address', counts: 'connects', headers }
    }
    // RFC 6455 4.4
    if (asked.version !== WEBSOCKET_VERSION) {
      const headers = [['Sec-WebSocket-Version', WEBSOCKET_VERSION]] as const
      return { status: 426, why: 'this server supports WebSocket version 13', counts: 'version', headers }
    }
    if (asked.foreign) {
      const why = `unknown subprotocol: this server supports ${subprotocols.msgpack} and ${subprotocols.json}`
      return { status: 400, why, counts: 'subprotocol' }
    }
    const full = asked.token === null ? this.#newcomers.makeRoom(address) : null
    if (!full) return null
    const why = 'too many sockets without a token; send the token with the upgrade, or retry'
    const headers = [['Retry-After', '1']] as const
    return { status: full === 'address' ? 429 : 503, why, counts: 'newcomers', headers }
  }

  #opened(connection: Connection, socket: Socket): void {
    this.#connections.add(connection)
    this.meters.opened += 1
    if (connection.json) this.#jsonConnections++
    connection.opened(socket)
    if (connection.state === 'awaiting_token') this.#newcomers.add(connection)
  }

  #received(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    try {
      connection.received(bytes, isBinary)
    } catch (error) {
      // No input of a client ends the process (INP-2).
      this.#options.logger.error({ err: error }, 'handling a frame failed')
    }
  }

  #drained(connection: Connection): void {
    try {
      connection.drained()
    } catch (error) {
      this.#options.logger.error({ err: error }, 'continuing a drained connection failed')
    }
  }

  #checkBacklogs(next: number): void {
    this.#bytesSinceCheck = next
    for (const connection of this.#connections) connection.checkBacklog()
  }
}
