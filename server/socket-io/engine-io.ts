/**
 * Engine.IO: the sessions of Engine.IO 4 on one path, by WebSocket, long polling, and the upgrade from one
 * to the other (SIO-1). It knows no Socket.IO: each new session is passed to `opened`.
 *
 * Bounded: every session has a connection of the front end, which limits them.
 */
import { randomId } from '../../engine/base/random-bytes.ts'
import { IDLE_TIMEOUT_SECONDS } from '../front-end.ts'
import type { HeldBytes } from '../held-bytes.ts'
import { MAX_NEWCOMER_BYTES, type NewcomerRefusal, type Newcomers } from '../newcomers.ts'
import type { OriginRule } from '../origins.ts'
import type { Request, Response, Socket, SocketBehavior, Verdict } from '../transport/transport.ts'
import type { RefusedUpgrade } from '../upgrade-gate.ts'
import { EngineSession, PING_INTERVAL_MS, PING_TIMEOUT_MS, type SessionOwner } from './engine-session.ts'
import { type FixedBytes, FixedLimits, fixedBytes, type LimitClaim } from './fixed-limits.ts'
import { type EngineRequest, readEngineRequest, refusalMessages } from './handshake.ts'
import type { OtherFronts } from './other-fronts.ts'
import { answerOf, Polling, refuse } from './polling.ts'
import type { Relay } from './relay.ts'

/** What Engine.IO needs of the server. */
export interface EngineHost {
  readonly originAllowed: OriginRule
  readonly held: HeldBytes
  readonly newcomers: Newcomers
  /** The largest message of a client. */
  readonly maxPayloadBytes: number
  /** The largest message without a file. */
  readonly maxMessageBytes: number
  readonly compression: boolean
  /** Whether the transport fixes the largest message of a socket in its handshake. */
  readonly fixesLimits: boolean
  steadyNow(): number
  /** Checks a handshake. Returns the refusal, or null if it is allowed. */
  check(request: Request, isWebSocket: boolean): RefusedUpgrade | null
  /** The refusal of a handshake for which there is no room. */
  withoutRoom(address: string, refusal: NewcomerRefusal): RefusedUpgrade
  addressOf(request: Request): string
  /** The user of a token; null if it is not valid, or if that cannot be known at once. Must not throw. */
  userOf(token: string): string | null
  /** A session is open: its user receives the messages. */
  opened(session: EngineSession, address: string, token: string): void
  /** Fronts that share the port, whose clients may reach this one; null if there are none. */
  readonly others?: OtherFronts | null
  /** Handling a message failed; nothing of it was sent to the client. */
  failed(error: unknown): void
}

/** A handshake of a WebSocket. */
interface Handshake {
  readonly asked: EngineRequest
  readonly address: string
  /** Null if the transport raises the limit of an open socket. */
  readonly claim: LimitClaim | null
}

/** A WebSocket: of a new session, of a session that polls, or of neither, to be closed. */
interface Carrier {
  /** Set if the session is on another front; the rest is not used then. */
  readonly relay: Relay | null
  /** Null when the socket is open. */
  handshake: Handshake | null
  session: EngineSession | null
  socket: Socket | null
}

const BAD_REQUEST = 3
const UNKNOWN_SID = 1
const BAD_METHOD = 2
/** RFC 6455 7.4.1 */
const POLICY_VIOLATION = 1008
/** Handshakes with the id of a session pass fewer checks than those of a new one. */
const MAX_REFUSED_SOCKETS = 8

export class EngineIo implements SessionOwner {
  readonly #host: EngineHost
  readonly #bytes: FixedBytes
  readonly #polling: Polling
  readonly #limits: FixedLimits
  readonly #sessions = new Map<string, EngineSession>()

  constructor(host: EngineHost) {
    this.#host = host
    this.#bytes = fixedBytes(host.maxMessageBytes, host.maxPayloadBytes)
    this.#polling = new Polling({ ...host, maxBytes: host.maxPayloadBytes })
    this.#limits = new FixedLimits({
      newcomers: host.newcomers,
      bytes: this.#bytes,
      userOf: (token) => host.userOf(token),
    })
  }

  /** How WebSockets of a transport become sessions. */
  get behavior(): SocketBehavior<Carrier> {
    const { maxPayloadBytes, compression } = this.#host
    return {
      compression,
      idleTimeoutSeconds: IDLE_TIMEOUT_SECONDS,
      maxPayloadBytes,
      newcomer: { maxPayloadBytes: MAX_NEWCOMER_BYTES, fixedPayloadBytes: this.#bytes },
      upgrade: (request) => this.#upgrade(request),
      opened: (carrier, socket) =>
        this.#guarded(() => {
          if (carrier.relay) carrier.relay.opened(socket)
          else this.#opened(carrier, socket)
        }),
      message: (carrier, bytes, isBinary) => {
        if (carrier.relay) carrier.relay.message(bytes, isBinary)
        else this.#message(carrier, bytes, isBinary)
      },
      pong: () => {},
      drained: ({ session, socket, relay }) => {
        relay?.drained()
        if (session?.socket === socket) this.#guarded(() => session?.drained())
      },
      closed: (carrier) =>
        this.#guarded(() => {
          if (carrier.relay) carrier.relay.closed()
          else this.#closed(carrier)
        }),
    }
  }

  /** Handles an HTTP request on the path. */
  serve(request: Request, response: Response): void {
    const answer = answerOf(request, response)
    if (this.#polling.answered(request, answer)) return
    const asked = readEngineRequest(request)
    if (typeof asked === 'number') return refuse(answer, asked)
    if (asked.sid !== '') {
      const session = this.#sessions.get(asked.sid)
      if (!session) {
        const unknown = () => refuse(answer, UNKNOWN_SID)
        if (!this.#host.others?.passOn(asked.sid, request, response, unknown)) unknown()
        return
      }
      if (asked.transport !== 'polling') return refuse(answer, BAD_REQUEST)
      this.#guarded(() => this.#polling.handle(session, request, response, answer))
      return
    }
    if (request.method !== 'GET') return refuse(answer, BAD_METHOD)
    if (asked.transport !== 'polling') return refuse(answer, BAD_REQUEST)
    const refused = this.#host.check(request, false)
    if (refused) {
      const { status, headers } = refused.refuse
      const others = headers.filter(([name]) => name !== 'Content-Type')
      answer(status, 'application/json', Buffer.from(refused.body).toString(), others)
      return
    }
    // The request cannot be read after its answer.
    const address = this.#host.addressOf(request)
    const session = this.#open(null)
    this.#polling.handshake(answer, this.#openPacket(session, ['websocket']))
    this.#guarded(() => this.#host.opened(session, address, asked.token))
  }

  /** Heartbeats and upgrades that do not end; called about once a second. */
  sweep(): void {
    const nowMs = this.#host.steadyNow()
    for (const session of this.#sessions.values()) session.sweep(nowMs)
  }

  #upgrade(request: Request): Verdict<Carrier> {
    try {
      return this.#verdictOf(request)
    } catch (error) {
      this.#host.failed(error)
      return { refuse: { status: 500, headers: [] }, body: Buffer.alloc(0) }
    }
  }

  #verdictOf(request: Request): Verdict<Carrier> {
    const asked = readEngineRequest(request)
    if (typeof asked === 'number') return refusedUpgrade(asked)
    const session = this.#sessions.get(asked.sid)
    if (asked.sid !== '' && !session) return this.#relayed(asked.sid, request)
    const refused = asked.sid === '' ? this.#host.check(request, true) : null
    if (refused) return refused
    if (!this.#host.originAllowed(request.header('origin'), request.header('host'))) return refusedUpgrade(4)
    const address = this.#host.addressOf(request)
    const limited = { token: asked.token, address, session: session ?? null }
    const claim = this.#host.fixesLimits ? this.#limits.decide(limited) : null
    if (typeof claim === 'string') return this.#host.withoutRoom(address, claim)
    const accept = { relay: null, handshake: { asked, address, claim }, session: null, socket: null }
    return { accept, protocol: '', fixedLimit: claim?.limit ?? 'small' }
  }

  /** A session of another front, which checks the handshake as well. */
  #relayed(sid: string, request: Request): Verdict<Carrier> {
    const relay = this.#host.others?.relay(sid, request)
    if (!relay) return refusedUpgrade(UNKNOWN_SID)
    // The other front disconnects those that it does not accept.
    const accept = { relay, handshake: null, session: null, socket: null }
    return { accept, protocol: '', fixedLimit: 'full' }
  }

  #opened(carrier: Carrier, socket: Socket): void {
    const { handshake } = carrier
    if (!handshake) return
    const { asked, address, claim } = handshake
    carrier.handshake = null
    carrier.socket = socket
    if (asked.sid !== '') {
      const session = this.#sessions.get(asked.sid)
      // A second WebSocket of a session is closed after its handshake; the first one stays.
      if (!session || session.socket || session.isUpgrading) {
        if (claim) this.#limits.remove(claim)
        socket.end(POLICY_VIOLATION, Buffer.alloc(0))
        if (session && ++session.refusedSockets > MAX_REFUSED_SOCKETS) session.close()
        return
      }
      this.#carries(carrier, session, claim)
      session.probe(socket, this.#host.steadyNow())
      return
    }
    const session = this.#open(socket)
    this.#carries(carrier, session, claim)
    session.send(Buffer.from(this.#openPacket(session, [])), false)
    this.#host.opened(session, address, asked.token)
  }

  #message({ session, socket }: Carrier, bytes: Uint8Array, isBinary: boolean): void {
    if (!session || !socket) return
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#guarded(() => {
      if (session.socket !== socket) session.probed(socket, isBinary ? '' : message.toString())
      else session.receive(isBinary ? Uint8Array.from(message) : message.toString())
    })
  }

  #closed({ session, socket }: Carrier): void {
    if (!session || !socket) return
    if (session.socket === socket) session.lost()
    else if (session.probeClosed(socket)) this.settled(session)
  }

  // SessionOwner, called by the sessions

  settled(session: EngineSession): void {
    if (session.claim) this.#limits.remove(session.claim)
    session.claim = null
  }

  distrusted(session: EngineSession, userId: string): void {
    if (!session.socket || session.socket.trust) return
    const claim = this.#limits.again(userId)
    if (claim) this.#claim(session, claim)
    else session.close()
  }

  closed({ sid }: EngineSession): void {
    this.#sessions.delete(sid)
  }

  #carries(carrier: Carrier, session: EngineSession, claim: LimitClaim | null): void {
    carrier.session = session
    if (!claim) return
    if (session.isTrusted) this.#limits.remove(claim)
    else this.#claim(session, claim)
  }

  #claim(session: EngineSession, claim: LimitClaim): void {
    session.claim = claim
    claim.evict = () => session.terminate()
  }

  #open(socket: Socket | null): EngineSession {
    const random = randomId(15)
    const sid = this.#host.others?.own(random) ?? random
    const session = new EngineSession(sid, this.#host.steadyNow(), socket, this)
    this.#sessions.set(sid, session)
    return session
  }

  #openPacket({ sid }: EngineSession, upgrades: readonly string[]): string {
    const timing = { pingInterval: PING_INTERVAL_MS, pingTimeout: PING_TIMEOUT_MS }
    return `0${JSON.stringify({ sid, upgrades, ...timing, maxPayload: this.#host.maxPayloadBytes })}`
  }

  /** No input of a client ends the process (INP-2). */
  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#host.failed(error)
    }
  }
}

function refusedUpgrade(code: 0 | 1 | 2 | 3 | 4 | 5): RefusedUpgrade {
  const body = Buffer.from(JSON.stringify({ code, message: refusalMessages[code] }))
  return { refuse: { status: code === 4 ? 403 : 400, headers: [['Content-Type', 'application/json']] }, body }
}
