/**
 * Connection: one socket from its upgrade to its end, and the engine's port to it.
 *
 *   verifying | awaiting_token → opening → open → closing → closed
 *
 * Before its token is verified no frame is processed and nothing is sent (AUT-1). Frames that arrive early
 * are held, within a limit, and processed in order after `connected`.
 * Every write checks the unsent bytes first. A reader that lags too far is closed with 4008 before any
 * event is skipped (SLW-1); at half of that limit it receives no ephemeral events. The socket is not used
 * once it is closing.
 * A server has ten thousand of these: no timers, no closures, lists are created when first needed.
 */
import type { Gateway, Identity, SessionPort } from '../engine/gateway.ts'
import { type CloseReason, closeCodes } from '../protocol/close-codes.ts'
import { encodeEvent } from '../protocol/codec.ts'
import type { ChatError } from '../protocol/errors.ts'
import { type EventSpec, events } from '../protocol/events.ts'
import { codeOf, type FrameHead } from '../protocol/frame-head.ts'
import { eventToJson } from '../protocol/json-codec.ts'
import { requests } from '../protocol/requests.ts'
import type { Fault } from './auth-error.ts'
import type { Verified } from './claims.ts'
import { errorCodeOf } from './error-code.ts'
import { firstToken } from './first-token.ts'
import { refOf, withRef } from './frame-ref.ts'
import { HeldFrames } from './held-frames.ts'
import { clockUs } from './metrics/latency.ts'
import type { Meters } from './metrics/meters.ts'
import type { RefusalKind } from './refusal-log.ts'
import { SocketTopics } from './socket-topics.ts'
import type { Topics } from './topics.ts'
import type { Socket } from './transport/transport.ts'

/** Both clocks at one moment: wall-clock time for tokens, the monotonic clock for durations (TIM-1). */
export interface Moment {
  readonly now: number
  readonly steadyNow: number
}

export type ConnectionState = 'verifying' | 'awaiting_token' | 'opening' | 'open' | 'closing' | 'closed'

/** What all connections share; implemented by the front end. */
export interface ConnectionHost {
  readonly gateway: Gateway
  readonly topics: Topics
  /** The limit of unsent bytes of one connection, above which it is closed. */
  readonly maxBackpressure: number
  /** Frames of this many bytes and more are compressed. */
  readonly compressFrom: number
  readonly meters: Meters
  /** For durations, milliseconds of a monotonic clock (TIM-1). */
  steadyNow(): number
  /** Verifies a token, then calls `verified` or `refused` of the connection. */
  verify(connection: Connection, token: string): void
  /** Milliseconds of a monotonic clock, as of the last sweep. */
  readonly sweptAtMs: number
  /** An authentication attempt from this address has failed. */
  attemptFailed(address: string): void
  /** Records a refusal in the log. */
  noteRefusal(connection: Connection, kind: RefusalKind, why: string): void
  /**
   * Registers a session of the user. Returns 0, or the milliseconds to wait if the user has connected too
   * often.
   */
  admit(connection: Connection): number
  /** Charges `reads` for costs that are known only afterwards: replayed events, a long answer (INP-2). */
  chargeReads(connection: Connection, tokens: number): void
  /** A frame of an open connection; the bytes are valid during the call only. */
  request(connection: Connection, bytes: Uint8Array, isBinary: boolean): void
  /** The server is closing the connection. */
  closing(connection: Connection, reason: CloseReason, text: string): void
  /** The connection is closed. */
  closed(connection: Connection): void
}

const AUTH_DEADLINE_MS = 10_000
const OPENING_DEADLINE_MS = 10_000
/** A token of 8 KiB, and the JSON around it. */
const MAX_FIRST_BYTES = 16_384
const MALFORMED_LIMIT = 10
const MINUTE_MS = 60_000
const MAX_WAITING = 64
const NO_SESSION = -1
/** What one token of `reads` pays for; the first events are paid for by the request itself. */
const REPLAYED_PER_TOKEN = 100
/** Bytes of an answer per token of `reads`; the request itself covers the first ones. */
const ANSWER_BYTES_PER_TOKEN = 8_192
const MAX_CLOSE_TEXT_BYTES = 123
const CONNECTED_CODE: number = events.connected.code
const RESUMED_CODE: number = events.resumed.code
const RESUME_CODE: number = requests.resume.code
const rows: readonly EventSpec[] = Object.values(events)
const ephemeralCodes: ReadonlySet<number> = new Set(
  rows.filter((row) => row.ephemeral).map((row) => row.code),
)
const durableCodes: ReadonlySet<number> = new Set(rows.filter((row) => row.durable).map((row) => row.code))

export class Connection implements SessionPort {
  readonly json: boolean
  readonly address: string
  userId = ''
  /** When the client last sent something, in steps of a second. */
  lastReceivedAtMs = 0
  state: ConnectionState = 'verifying'
  /** Requests with a ref that have no answer yet. */
  unanswered = 0
  readonly #host: ConnectionHost
  #socket: Socket | null = null
  #topics: SocketTopics | null = null
  #session = NO_SESSION
  /** The token of the upgrade, until the socket is open. */
  #token: string | null
  /** The ref that `connected` answers; 0 if the token came with the upgrade. */
  #authRef = 0
  /** The deadline for opening the session, by the monotonic clock. */
  #dueAtMs = 0
  /** When to send the expiry warning, or to close, by wall-clock time. */
  #tokenDueAtMs = 0
  #expiresAtMs = 0
  #endsAtMs = 0
  #warned = false
  #held: HeldFrames | null = null
  #malformedAtMs: number[] | null = null
  /** Requests refused as `rate_limited` since `#rateRefusedSinceMs`; a new connection starts at 0. */
  #rateRefusals = 0
  #rateRefusedSinceMs = Number.NEGATIVE_INFINITY
  #waiting: (() => void)[] | null = null
  /** True between a `resume` and its `resumed`: durable events passed to `send` are replayed ones. */
  #resuming = false
  /** Replayed events that are not yet charged. */
  #replayed = 0
  /**
   * One request at a time is measured: its ref, or 0, and its arrival time. Small integers need no memory.
   */
  #timedRef = 0
  #timedAtUs = 0

  constructor(host: ConnectionHost, json: boolean, address: string, token: string | null) {
    this.#host = host
    this.json = json
    this.address = address
    this.#token = token
  }

  /** The socket is open: verifies its token, or waits for a first frame with one. */
  opened(socket: Socket): void {
    this.#socket = socket
    this.#topics = new SocketTopics(this.#host.topics, socket, this.json)
    this.lastReceivedAtMs = this.#host.sweptAtMs
    this.#dueAtMs = this.#host.steadyNow() + AUTH_DEADLINE_MS
    const token = this.#token
    this.#token = null
    if (token === null) this.state = 'awaiting_token'
    else this.#host.verify(this, token)
  }

  /** Handles a frame; the bytes are valid during the call only. */
  received(bytes: Uint8Array, isBinary: boolean): void {
    this.lastReceivedAtMs = this.#host.sweptAtMs
    switch (this.state) {
      case 'open':
        this.#host.request(this, bytes, isBinary)
        return
      case 'verifying':
      case 'opening':
        this.#hold(bytes, isBinary)
        return
      case 'awaiting_token': {
        const first = bytes.length > MAX_FIRST_BYTES ? null : firstToken(bytes, isBinary, this.json)
        if (!first) {
          this.refused('the first frame must be authenticate with a token', 'client')
          return
        }
        this.state = 'verifying'
        this.#authRef = first.ref
        this.#host.verify(this, first.token)
        return
      }
      case 'closing':
      case 'closed':
        return
    }
  }

  /** The token is valid: opens a session of the engine, whose first frame is `connected`. */
  verified(verified: Verified): void {
    if (this.state !== 'verifying') return
    this.userId = verified.identity.userId
    const waitMs = this.#host.admit(this)
    if (waitMs > 0) {
      this.end(
        'try_later',
        `too many connections of this user; retry after ${Math.ceil(waitMs / 1_000)} seconds`,
      )
      return
    }
    this.#socket?.trust?.()
    this.state = 'opening'
    this.#dueAtMs = this.#host.steadyNow() + OPENING_DEADLINE_MS
    this.setExpiry(verified)
    this.#open(verified.identity)
  }

  /** The token is missing, invalid or late, or cannot be checked now; `why` is sent to the client. */
  refused(why: string, fault: Fault): void {
    if (this.state !== 'verifying' && this.state !== 'awaiting_token') return
    // AUT-2: not for a token that has only expired, nor if the server is at fault.
    if (fault === 'client') this.#host.attemptFailed(this.address)
    this.end(fault === 'server' ? 'try_later' : 'unauthenticated', why)
  }

  /** The token that is valid from now on. Sending the same one again causes no second warning (AUT-4). */
  setExpiry({ expiresAtMs, warnAtMs, endsAtMs }: Verified): void {
    if (this.#warned && expiresAtMs === this.#expiresAtMs) return
    this.#expiresAtMs = expiresAtMs
    this.#endsAtMs = endsAtMs
    this.#tokenDueAtMs = warnAtMs
    this.#warned = false
  }

  /** A newer token replaces the user's name and picture. */
  renew(identity: Identity): void {
    if (this.#session !== NO_SESSION) this.#host.gateway.renew(this.#session, identity)
  }

  // SessionPort, called by the engine

  send(frame: Uint8Array): void {
    if (this.state === 'open') {
      this.#write(frame)
      if (this.#resuming) this.#countReplayed(codeOf(frame))
      const ref = refOf(frame)
      if (ref !== 0) this.#answered(frame, ref)
    } else if (this.state === 'opening' && codeOf(frame) === CONNECTED_CODE) {
      // Events for all devices of the user may arrive earlier: `connected` contains their effect.
      this.#sendConnected(frame)
    }
  }

  together(send: () => void): void {
    if (this.#socket && this.#isUp()) this.#socket.cork(send)
    else send()
  }

  subscribe(topic: string): void {
    if (this.#isUp()) this.#topics?.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    if (this.#isUp()) this.#topics?.unsubscribe(topic)
  }

  close(reason: CloseReason): void {
    this.end(reason)
  }

  whenDrained(then: () => void): void {
    if (!this.#isUp()) return
    if (this.#hasRoom()) {
      then()
      return
    }
    this.#waiting ??= []
    if (this.#waiting.length >= MAX_WAITING) this.end('slow_reader')
    else this.#waiting.push(then)
  }

  // Called by the front end

  /** Sends an event that the front end created. */
  sendEvent(frame: Uint8Array): void {
    if (this.state === 'open') this.#write(frame)
  }

  /**
   * Hands a request to the engine; the bytes are valid during the call only.
   * @throws ChatError as `Gateway.receive` does.
   */
  toEngine(frame: Uint8Array, head: FrameHead): void {
    // An answer with ref 0 looks like an event; such requests are not counted.
    const counts = head.ref === 0 ? 0 : 1
    this.unanswered += counts
    if (head.code === RESUME_CODE) this.#resuming = true
    if (this.#timedRef === 0) {
      this.#timedRef = head.ref
      this.#timedAtUs = clockUs()
    }
    try {
      this.#host.gateway.receive(this.#session, frame, head)
    } catch (error) {
      this.unanswered -= counts
      if (this.#timedRef === head.ref) this.#timedRef = 0
      throw error
    }
  }

  /** Answers a request with an error. */
  refuse(ref: number, error: ChatError): void {
    this.#host.meters.error(error.code)
    this.sendEvent(encodeEvent('error', ref, error.toFields()))
  }

  /**
   * Ten malformed frames in a minute close the socket (INP-1). The engine calls this for frames that a
   * shard rejects.
   */
  countMalformed(): void {
    this.#host.noteRefusal(this, 'malformed', 'a malformed frame')
    const now = this.#host.steadyNow()
    this.#malformedAtMs ??= []
    this.#malformedAtMs.push(now)
    if (this.#malformedAtMs.length < MALFORMED_LIMIT) return
    const firstAtMs = this.#malformedAtMs.shift() as number
    if (now - firstAtMs < MINUTE_MS) this.end('malformed')
  }

  /** Closes the socket if more than `limit` requests were refused as `rate_limited` in a minute (LIM-1). */
  countRateRefusal(limit: number): void {
    this.#host.noteRefusal(this, 'rate_limited', 'requests over the rate limit')
    const now = this.#host.steadyNow()
    if (now - this.#rateRefusedSinceMs >= MINUTE_MS) {
      this.#rateRefusedSinceMs = now
      this.#rateRefusals = 0
    }
    this.#rateRefusals++
    if (this.#rateRefusals > limit) this.end('rate_limit_ignored')
  }

  /** The client answered a ping. */
  ponged(): void {
    this.lastReceivedAtMs = this.#host.sweptAtMs
  }

  /** Terminates a connection without a token to make room for another one. */
  evict(): void {
    if (this.state === 'closing' || this.state === 'closed') return
    this.state = 'closing'
    this.#host.closing(this, 'try_later', 'too many sockets without a token')
    this.#socket?.close()
  }

  /** Unsent bytes. */
  get unsentBytes(): number {
    return this.#isUp() ? this.#buffered() : 0
  }

  /** The socket has written some of the unsent bytes. */
  drained(): void {
    if ((!this.#waiting && !this.#topics?.isPaused) || !this.#isUp() || !this.#hasRoom()) return
    this.#topics?.resume()
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting) for (const then of waiting) then()
  }

  /** Closes the connection if its reader lags too far, and pauses ephemeral events at half of that limit. */
  checkBacklog(): void {
    if (!this.#isUp()) return
    const buffered = this.#buffered()
    if (buffered > this.#host.maxBackpressure) this.end('slow_reader')
    else if (buffered > this.#host.maxBackpressure / 2) this.#topics?.pause()
  }

  /** Publishes to an ephemeral topic while this connection does not receive it. */
  publishWithout(topic: string, publish: () => void): void {
    if (this.#topics && this.#isUp()) this.#topics.publishWithout(topic, publish)
    else publish()
  }

  /** Handles deadlines, expiries and backlogs; called about once a second. */
  sweep({ now, steadyNow }: Moment): void {
    this.checkBacklog()
    // A transport may report a drained socket late.
    this.drained()
    if (this.state === 'open') {
      if (now >= this.#tokenDueAtMs) this.#expire()
      return
    }
    if (steadyNow < this.#dueAtMs) return
    if (this.state === 'verifying' || this.state === 'awaiting_token') {
      this.refused('no valid token within 10 seconds', this.state === 'verifying' ? 'server' : 'client')
    } else if (this.state === 'opening') {
      this.end('try_later', 'the session was not opened within 10 seconds')
    }
  }

  /** How long the token has been under verification; 0 in other states. */
  verifyingMs(steadyNow: number): number {
    return this.state === 'verifying' ? steadyNow + AUTH_DEADLINE_MS - this.#dueAtMs : 0
  }

  /** Closes the connection; the text is sent to the client. */
  end(reason: CloseReason, text: string = closeCodes[reason].meaning): void {
    if (this.state === 'closing' || this.state === 'closed') return
    this.state = 'closing'
    this.#host.meters.ended(reason)
    this.#host.closing(this, reason, text)
    // The close frame follows all unsent bytes, so a slow reader sees no hole.
    this.#socket?.end(closeCodes[reason].code, closeText(text))
  }

  /** The socket is closed, by either side. */
  closed(): void {
    this.state = 'closed'
    this.#socket = null
    this.#held = null
    this.#waiting = null
    this.#topics = null
    if (this.#session !== NO_SESSION) this.#host.gateway.closed(this.#session)
    this.#host.closed(this)
  }

  #open(identity: Identity): void {
    const session = this.#host.gateway.open(identity, this)
    if (this.#isUp()) this.#session = session
    else this.#host.gateway.closed(session)
  }

  #sendConnected(connected: Uint8Array): void {
    this.state = 'open'
    this.#write(this.#authRef === 0 ? connected : withRef(connected, this.#authRef))
    // Not inside the engine's call: held frames are requests to the engine.
    if (this.#held) queueMicrotask(() => this.#release())
  }

  /** Charged during the replay, so that a client that disconnects before `resumed` is charged, too. */
  #countReplayed(code: number): void {
    if (code === RESUMED_CODE) this.#resuming = false
    if (!durableCodes.has(code)) return
    this.#replayed += 1
    if (this.#replayed < REPLAYED_PER_TOKEN) return
    this.#replayed = 0
    this.#host.chargeReads(this, 1)
  }

  #hold(bytes: Uint8Array, isBinary: boolean): void {
    this.#held ??= new HeldFrames()
    if (!this.#held.hold(bytes, isBinary)) {
      this.end('unauthenticated', 'too many frames before connected')
    }
  }

  #release(): void {
    const held = this.#held
    this.#held = null
    for (const { bytes, isBinary } of held?.frames ?? []) this.received(bytes, isBinary)
  }

  #answered(frame: Uint8Array, ref: number): void {
    if (this.unanswered > 0) this.unanswered--
    const tokens = Math.floor(frame.length / ANSWER_BYTES_PER_TOKEN)
    if (tokens > 0) this.#host.chargeReads(this, tokens)
    const { meters } = this.#host
    if (this.#timedRef !== 0 && this.#timedRef === ref) {
      this.#timedRef = 0
      meters.latency.record((clockUs() - this.#timedAtUs) | 0)
    }
    const code = errorCodeOf(frame)
    if (code !== null) meters.error(code)
  }

  #expire(): void {
    if (this.#warned) {
      this.end('token_expired')
      return
    }
    this.#warned = true
    this.#tokenDueAtMs = this.#endsAtMs
    this.sendEvent(encodeEvent('token_expiring', 0, { expiresAt: this.#expiresAtMs }))
  }

  #write(frame: Uint8Array): void {
    const socket = this.#socket
    if (!socket) return
    this.checkBacklog()
    if (!this.#isUp() || (this.#topics?.isPaused && ephemeralCodes.has(codeOf(frame)))) return
    const { meters, compressFrom } = this.#host
    meters.deliveries += 1
    const sent = this.json ? Buffer.from(eventToJson(frame)) : frame
    socket.send(sent, !this.json, sent.length >= compressFrom)
  }

  #isUp(): boolean {
    return this.state === 'open' || this.state === 'opening'
  }

  #buffered(): number {
    return this.#socket?.getBufferedAmount() ?? 0
  }

  /** Below a quarter of the limit, waiting tasks continue. */
  #hasRoom(): boolean {
    return this.#buffered() <= this.#host.maxBackpressure / 4
  }
}

/** The reason of a close frame: at most 123 bytes, cut at a character. */
function closeText(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_CLOSE_TEXT_BYTES) return bytes
  let end = MAX_CLOSE_TEXT_BYTES
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
