/**
 * Socket.IO: clients of Socket.IO 4 and of its Dart port, unchanged, on `/socket.io/` (SIO-1).
 *
 * Engine.IO carries the packets (`engine-io.ts`), each client has a socket that converts them
 * (`client-socket.ts`), and each socket has a connection of the front end like any other client's.
 */
import { randomId } from '../../engine/base/random-bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { TokenAuthenticator } from '../auth.ts'
import { Connection } from '../connection.ts'
import type { ConnectionHost } from '../connection-host.ts'
import { HeldBytes } from '../held-bytes.ts'
import { addressOf } from '../http/address.ts'
import type { ServerLogger } from '../logger.ts'
import { fixedNewcomerBytes, MAX_NEWCOMER_BYTES, type NewcomerRefusal, type Newcomers } from '../newcomers.ts'
import type { OriginRule } from '../origins.ts'
import type { RateLimiter } from '../rate-limit.ts'
import type { Request, Response, Socket, SocketBehavior } from '../transport/transport.ts'
import type { UpgradeRequest } from '../upgrade.ts'
import type { RefusedUpgrade } from '../upgrade-gate.ts'
import type { Wire } from '../wire.ts'
import { ClientSocket, type ClientSocketHost } from './client-socket.ts'
import { EngineIo } from './engine-io.ts'
import { EventsForClients } from './events-for-clients.ts'
import { asUpgrade, reconnecting } from './handshake.ts'
import type { LocalTopics } from './local-topics.ts'
import { OtherFronts } from './other-fronts.ts'
import { Recoveries } from './recovery.ts'
import { Posts, socketIoWire } from './socket-io-wire.ts'

/** Where fronts that share a port reach each other. */
export interface FrontSockets {
  /** The number of this front; 0 if it shares no port. */
  readonly number: number
  readonly id: number
  /** The Unix socket of the front with that id. */
  socketOf(id: number): string
}

/** The front end, as this gateway uses it. */
export interface SocketIoFrontEnd extends ConnectionHost {
  /** Checks a handshake. Returns the refusal, or null if it is allowed. */
  check(asked: UpgradeRequest, address: string, newcomerBytes: number): RefusedUpgrade | null
  /** The refusal of a handshake for which there is no room. */
  withoutRoom(address: string, refusal: NewcomerRefusal): RefusedUpgrade
  readonly newcomers: Newcomers
  /** Adds a connection with its open socket. */
  attach(connection: Connection, socket: Socket): void
}

export interface SocketIoOptions {
  readonly frontEnd: SocketIoFrontEnd
  readonly authenticate: TokenAuthenticator
  readonly limiter: RateLimiter
  readonly topics: LocalTopics
  readonly originAllowed: OriginRule
  readonly trustProxy: boolean
  /** Whether the transport fixes the largest message of a socket in its handshake. */
  readonly fixesLimits: boolean
  readonly compression: 'off' | 'shared'
  readonly maxMessageBytes: number
  readonly maxUpload: number
  readonly socketIoMessage: 'both' | 'nested' | 'flat'
  readonly socketIoTimes: 'iso' | 'ms'
  readonly socketIoLeave: 'screen' | 'membership'
  readonly logger: ServerLogger
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The fronts that share the port. */
  readonly fleet?: FrontSockets | null
}

/** The paths of the clients; the second is that of clients with `addTrailingSlash: false`. */
export const socketIoPaths: readonly string[] = ['/socket.io/', '/socket.io']
/** A message of a client; larger files are uploaded in pieces or over HTTP. */
const MAX_PAYLOAD_BYTES = 16 * 1_048_576
const PAYLOAD_BYTES_BESIDE_FILE = 65_536
/** A chunk of a file costs one token. */
const CHARS_PER_TOKEN = 49_152
const MAX_HELD_BYTES = 256 * 1_048_576

export class SocketIo {
  readonly #engine: EngineIo
  readonly #wire: Wire
  readonly #frontEnd: SocketIoFrontEnd
  readonly #logger: ServerLogger

  constructor(options: SocketIoOptions) {
    const { frontEnd, logger, trustProxy, now, topics } = options
    this.#frontEnd = frontEnd
    this.#logger = logger
    const translate = new EventsForClients({
      message: options.socketIoMessage,
      times: options.socketIoTimes,
    })
    const posts = new Posts()
    this.#wire = socketIoWire(translate, posts)
    const held = new HeldBytes(MAX_HELD_BYTES)
    // A file as base64 needs four bytes for three.
    const wholeFile = Math.ceil(options.maxUpload / 3) * 4 + PAYLOAD_BYTES_BESIDE_FILE
    const { maxMessageBytes } = options
    const maxPayloadBytes = Math.max(
      fixedNewcomerBytes(maxMessageBytes),
      Math.min(MAX_PAYLOAD_BYTES, wholeFile),
    )
    const clients: ClientSocketHost = {
      translate,
      posts,
      topics,
      recoveries: new Recoveries(() => frontEnd.steadyNow()),
      held,
      maxPayloadBytes,
      now,
      maxMessageBytes,
      charge: (userId, chars) => {
        const verdict = options.limiter.take(userId, 'upload', Math.ceil(chars / CHARS_PER_TOKEN))
        if (verdict.pass) return null
        return new ChatError('rate_limited', undefined, { retryAfterMs: verdict.retryAfterMs })
      },
      leaves: options.socketIoLeave === 'membership',
      newSid: () => randomId(15),
      connect: (socket, address, isFirst) => this.#connect(socket, address, isFirst),
    }
    this.#engine = new EngineIo({
      others: othersOf(options.fleet, maxPayloadBytes),
      held,
      maxPayloadBytes,
      maxMessageBytes,
      originAllowed: options.originAllowed,
      compression: options.compression === 'shared',
      steadyNow: () => frontEnd.steadyNow(),
      newcomers: frontEnd.newcomers,
      fixesLimits: options.fixesLimits,
      check: (request, isWebSocket) =>
        frontEnd.check(asUpgrade(request, isWebSocket), addressOf(request, trustProxy), MAX_NEWCOMER_BYTES),
      withoutRoom: (address, refusal) => frontEnd.withoutRoom(address, refusal),
      addressOf: (request) => addressOf(request, trustProxy),
      userOf: (token) => userOf(options.authenticate, token),
      opened: (session, address, token) => new ClientSocket(clients, session, address, token).start(),
      failed: (error) => logger.error({ err: error }, 'handling a Socket.IO packet failed'),
    })
  }

  /** How WebSockets on the paths become clients. */
  get behavior(): SocketBehavior<object> {
    return this.#engine.behavior as unknown as SocketBehavior<object>
  }

  /** Handles an HTTP request if it is for one of the paths. Returns whether it is. */
  serve(request: Request, response: Response): boolean {
    if (!socketIoPaths.includes(request.path)) return false
    try {
      this.#engine.serve(request, response)
    } catch (error) {
      // No input of a client ends the process (INP-2).
      this.#logger.error({ err: error }, 'handling a Socket.IO request failed')
      response.destroy()
    }
    return true
  }

  /** Heartbeats; called about once a second. */
  sweep(): void {
    this.#engine.sweep()
  }

  #connect(socket: ClientSocket, address: string, isFirst: boolean): Connection | null {
    if (!isFirst && this.#frontEnd.check(reconnecting, address, MAX_NEWCOMER_BYTES)) return null
    const connection = new Connection(this.#frontEnd, this.#wire, address, null)
    this.#frontEnd.attach(connection, socket)
    return connection
  }
}

/** Null if the token is not valid: the client is refused at CONNECT, with the reason. */
function userOf({ atOnce }: TokenAuthenticator, token: string): string | null {
  try {
    return atOnce(token)?.identity.userId ?? null
  } catch {
    return null
  }
}

function othersOf(fleet: FrontSockets | null | undefined, maxBytes: number): OtherFronts | null {
  if (!fleet || fleet.number === 0) return null
  // A poll may answer with several messages.
  return new OtherFronts({ own: fleet.id, pathOf: (id) => fleet.socketOf(id), maxBytes: 2 * maxBytes })
}
