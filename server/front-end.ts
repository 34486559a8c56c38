/**
 * Front end: all connections, in front of the engine's gateway.
 *
 * It accepts handshakes, verifies tokens, limits sessions and publishes events; requests do not pass
 * through it. Fan-out is native: an event is encoded once for each wire whose sockets subscribe to the
 * topic, and published once. Because a transport never drops a message, backlogs are checked here, at
 * the latest after a quarter of the limit was published since the last check. A reader receives no
 * ephemeral events above half of the limit. No buffer exceeds one and a half limits plus one frame,
 * and no stream has a hole.
 * Bounded: `maxConnections`. One `sweep` handles everything that depends on time.
 */
import type { Gateway, Publisher, SessionPort } from '../engine/hub/gateway.ts'
import type { CloseReason } from '../protocol/close-codes.ts'
import { encodeEvent } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import { events } from '../protocol/events.ts'
import { codeOf } from '../protocol/frame-head.ts'
import type { AddressGuard } from './address-guard.ts'
import type { Authenticator } from './auth.ts'
import { AuthError } from './auth-error.ts'
import { Connection } from './connection.ts'
import type { ConnectionHost, HostedConnection, TokenHolder } from './connection-host.ts'
import { addressOf } from './http/address.ts'
import type { ServerLogger } from './logger.ts'
import { Meters } from './metrics/meters.ts'
import { fixedNewcomerBytes, MAX_NEWCOMER_BYTES, type NewcomerRefusal, Newcomers } from './newcomers.ts'
import type { OriginRule } from './origins.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { RefusalKind, RefusalLog } from './refusal-log.ts'
import { RequestPath } from './request-path.ts'
import { type PublishingApp, Topics } from './topics.ts'
import type { Request, Socket, SocketBehavior, Verdict } from './transport/transport.ts'
import { readUpgrade, type UpgradeRequest } from './upgrade.ts'
import { type RefusedUpgrade, UpgradeGate } from './upgrade-gate.ts'
import { UserSessions } from './user-sessions.ts'
import { type Wire, wires } from './wire.ts'

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
  /** The limit of what all sockets can make the server hold before they are authenticated. */
  readonly maxUnauthenticatedBytes: number
  /** Whether the transport fixes the largest message of a socket in its handshake. */
  readonly fixesLimits: boolean
  readonly refusals: RefusalLog
  readonly logger: ServerLogger
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds of a monotonic clock. */
  readonly steadyNow: () => number
}

/** PRS-1: a connection that does not answer pings is terminated after this time, within a few seconds. */
export const IDLE_TIMEOUT_SECONDS = 40
const MIB = 1_048_576
const COMPRESS_FROM_BYTES = 1_024
const SLOW_CHECK_MS = 1_000
/** Close reasons that are logged for the operator. */
const refusals: ReadonlySet<CloseReason> = new Set([
  ...(['unauthenticated', 'try_later', 'rate_limit_ignored', 'malformed'] as const),
  ...(['slow_reader', 'too_many_sessions'] as const),
])
const NEW_MESSAGE_CODE: number = events.new_message.code

export class FrontEnd implements ConnectionHost, Publisher {
  readonly gateway: Gateway
  readonly topics: Topics
  readonly path: RequestPath
  readonly maxBackpressure: number
  readonly rateLimit: number
  readonly compressFrom: number
  readonly meters: Meters
  readonly steadyNow: () => number
  readonly newcomers: Newcomers
  sweptAtMs: number
  readonly #options: FrontEndOptions
  readonly #gate: UpgradeGate
  readonly #connections = new Set<HostedConnection>()
  /** The wires of the upgrade and others that connections have used, and the number of open ones. */
  readonly #wires: { readonly wire: Wire; connections: number }[] = wires.map((wire) => ({
    wire,
    connections: 0,
  }))
  readonly #sessions: UserSessions<HostedConnection>
  readonly #ofFixed: { readonly full: number; readonly small: number }
  #bytesSinceCheck = 0
  #accepting = true

  /** Events are published on `app`; who starts the server registers `behavior` and the publisher. */
  constructor(app: PublishingApp, options: FrontEndOptions) {
    const { steadyNow } = options
    this.gateway = options.gateway
    this.maxBackpressure = options.maxBackpressure
    this.rateLimit = options.limiter.perMinute
    this.steadyNow = steadyNow
    this.#options = options
    this.meters = new Meters(steadyNow())
    this.sweptAtMs = steadyNow()
    this.compressFrom = options.compression === 'shared' ? COMPRESS_FROM_BYTES : Number.POSITIVE_INFINITY
    this.topics = new Topics(app, setImmediate, this)
    this.path = new RequestPath({ ...options, meters: this.meters })
    this.#sessions = new UserSessions(options.maxSessionsPerUser)
    this.newcomers = new Newcomers({ maxBytes: options.maxUnauthenticatedBytes, now: steadyNow })
    const { maxMessageBytes } = options
    // A frame above `maxMessageBytes` is answered with an error; the transport closes the socket only far above it.
    this.#ofFixed = {
      full: Math.max(6 * maxMessageBytes, 2 * MIB),
      small: fixedNewcomerBytes(maxMessageBytes),
    }
    this.#gate = new UpgradeGate({ ...options, newcomers: this.newcomers, meters: this.meters })
  }

  /** How sockets of a transport become connections. */
  get behavior(): SocketBehavior<Connection> {
    const { compression } = this.#options
    const { full, small } = this.#ofFixed
    return {
      compression: compression === 'shared',
      idleTimeoutSeconds: IDLE_TIMEOUT_SECONDS,
      maxPayloadBytes: full,
      newcomer: {
        maxPayloadBytes: MAX_NEWCOMER_BYTES,
        fixedPayloadBytes: { large: small, medium: small, small },
      },
      upgrade: (request) => this.#upgrade(request),
      opened: (connection, socket) => this.attach(connection, socket),
      message: (connection, bytes, isBinary) => this.#received(connection, bytes, isBinary),
      pong: (connection) => connection.ponged(),
      drained: (connection) => this.#drained(connection),
      closed: (connection) => connection.socketClosed(),
    }
  }

  /** The number of open connections, for the metrics. */
  get connections(): number {
    return this.#connections.size
  }

  /** The number of open connections by subprotocol; `socket.io` for its clients. */
  get connectionsByProtocol(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#wires.map(({ wire, connections }) => [wire.subprotocol, connections]))
  }

  /** The number of users with at least one session. */
  get users(): number {
    return this.#sessions.users
  }

  /** The connections of one user, for operators. */
  connectionsOf(userId: string): readonly HostedConnection[] {
    return this.#sessions.of(userId)
  }

  /** Unsent bytes of all connections. */
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
    if (codeOf(frame) === NEW_MESSAGE_CODE) this.meters.published(topic)
    this.#bytesSinceCheck += frame.length
    if (this.#bytesSinceCheck > this.maxBackpressure / 4) this.#checkBacklogs(frame.length)
    const excepted = except && this.#isHosted(except) ? except : null
    for (const { wire, connections } of this.#wires) {
      if (connections === 0) continue
      const without = excepted?.wire === wire ? excepted : (wire.published?.posterOf(frame) ?? null)
      const message = this.topics.publish(wire.topicPrefix + topic, frame, wire.published ?? wire, without)
      if (message && message !== frame) this.#bytesSinceCheck += message.length
    }
  }

  // ConnectionHost, called by the connections

  verify(holder: TokenHolder, token: string): void {
    this.#options
      .authenticate(token)
      .then((verified) => {
        if (this.#accepting) holder.verified(verified)
        else holder.end('shutdown')
      })
      .catch((error: unknown) => {
        if (error instanceof AuthError) {
          holder.refused(error.message, error.fault)
          return
        }
        // The engine is full, stopping or broken: not the client's fault, it reconnects later.
        if (!(error instanceof ChatError)) this.#options.logger.error({ err: error }, 'no session was opened')
        holder.end('shutdown', 'no session can be opened now')
      })
  }

  attemptFailed(address: string): void {
    this.#options.guard.failed(address)
  }

  noteRefusal({ address, userId }: HostedConnection, kind: RefusalKind, why: string): void {
    this.#options.refusals.note({ kind, address, userId, why })
  }

  admit(connection: HostedConnection): number {
    this.newcomers.remove(connection)
    const verdict = this.#options.limiter.take(connection.userId, 'connect')
    if (!verdict.pass) return verdict.retryAfterMs
    // LIM-2
    this.#sessions.add(connection)?.end('too_many_sessions')
    return 0
  }

  chargeReads({ userId }: HostedConnection, tokens: number): void {
    this.#options.limiter.charge(userId, 'reads', tokens)
  }

  closing(connection: HostedConnection, reason: CloseReason, text: string): void {
    if (refusals.has(reason)) this.noteRefusal(connection, reason, text)
    const { address, userId } = connection
    this.#options.logger.debug?.({ address, userId, reason, text }, 'connection closed by the server')
  }

  closed(connection: HostedConnection): void {
    if (this.#connections.delete(connection)) this.#count(connection, -1)
    this.newcomers.remove(connection)
    this.#sessions.remove(connection)
    const { address, userId } = connection
    this.#options.logger.debug?.({ address, userId }, 'connection closed')
  }

  /** Handles deadlines, expiries and backlogs; called about once a second. */
  sweep(): void {
    const moment = { now: this.#options.now(), steadyNow: this.steadyNow() }
    this.sweptAtMs = moment.steadyNow
    this.meters.sample(moment.steadyNow)
    let slowBytes = 0
    for (const connection of this.#connections) {
      connection.sweep(moment)
      // While the issuer does not answer, sockets with a token from the upgrade wait as well.
      if (connection.verifyingMs(moment.steadyNow) <= SLOW_CHECK_MS) continue
      slowBytes += connection.newcomerBytes
      if (slowBytes > this.#options.maxUnauthenticatedBytes) {
        connection.refused('too many tokens wait for verification', 'server')
      }
    }
    this.#bytesSinceCheck = 0
  }

  /** Refuses upgrades and requests from now on, and notifies each client. */
  stop(reason: string, reconnectInMs: () => number): void {
    this.#accepting = false
    this.#gate.stop()
    this.path.stop()
    for (const connection of this.#connections) {
      connection.sendEvent(encodeEvent('server_shutdown', 0, { reason, reconnectInMs: reconnectInMs() }))
    }
  }

  /** Closes all connections with 1001. */
  closeAll(): void {
    for (const connection of this.#connections) connection.end('shutdown')
  }

  /** Checks a handshake of a client that uses at most `newcomerBytes`. Returns the refusal, or null if it is allowed. */
  check(asked: UpgradeRequest, address: string, newcomerBytes: number): RefusedUpgrade | null {
    return this.#gate.check(asked, address, this.#connections.size, newcomerBytes)
  }

  /** The refusal of a handshake for which `newcomers` has no room. */
  withoutRoom(address: string, refusal: NewcomerRefusal): RefusedUpgrade {
    return this.#gate.withoutRoom(address, refusal)
  }

  #upgrade(request: Request): Verdict<Connection> {
    try {
      const asked = readUpgrade(request)
      const address = addressOf(request, this.#options.trustProxy)
      const { full, small } = this.#ofFixed
      const { fixesLimits } = this.#options
      const refused = this.check(asked, address, fixesLimits ? small : MAX_NEWCOMER_BYTES)
      if (refused) return refused
      const accept = new Connection(this, asked.wire, address, asked.token)
      // A token may wait for its issuer.
      const fixedLimit =
        asked.token !== null && fixesLimits && this.newcomers.makeLargeRoom(full) ? 'full' : 'small'
      if (fixesLimits) accept.newcomerBytes = this.#ofFixed[fixedLimit]
      return { accept, protocol: asked.protocol, fixedLimit }
    } catch (error) {
      this.#options.logger.error({ err: error }, 'handling an upgrade failed')
      return this.#gate.failed()
    }
  }

  /** Adds a connection with its open socket. */
  attach(connection: Connection, socket: Socket): void {
    this.#connections.add(connection)
    this.#count(connection, 1)
    this.meters.opened += 1
    connection.opened(socket)
    if (connection.isNewcomer) this.newcomers.add(connection, connection.newcomerBytes)
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

  #count({ wire }: HostedConnection, change: number): void {
    const used = this.#wires.find((entry) => entry.wire === wire)
    if (used) used.connections += change
    else this.#wires.push({ wire, connections: change })
  }

  #isHosted(port: SessionPort | HostedConnection): port is SessionPort & HostedConnection {
    return this.#connections.has(port as HostedConnection)
  }

  #checkBacklogs(next: number): void {
    this.#bytesSinceCheck = next
    for (const connection of this.#connections) connection.checkBacklog()
  }
}
