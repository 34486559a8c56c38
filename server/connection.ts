/**
 * Connection: one socket, from the upgrade to its end, and the engine's port to it.
 *
 *   verifying | awaiting_token → opening → open → closing → closed
 *
 * Until its token is verified nothing it sends is acted on and nothing is sent to it (AUT-1);
 * frames that come too early are held, within a bound, and handed on in order after `connected`.
 * Every write looks at what waits unsent first: a reader too far behind is closed with 4008
 * before anything is left out (SLW-1), and at half of that does without ephemeral events. The
 * socket is not touched once it is closing.
 * There are ten thousand of these: no timers, no closures, lists are made when first needed.
 */
import type { Gateway, Identity, SessionPort } from '../engine/gateway.ts'
import { type CloseReason, closeCodes } from '../protocol/close-codes.ts'
import { encodeEvent } from '../protocol/codec.ts'
import type { ChatError } from '../protocol/errors.ts'
import { type EventSpec, events } from '../protocol/events.ts'
import { codeOf, type FrameHead } from '../protocol/frame-head.ts'
import { eventToJson } from '../protocol/json-codec.ts'
import { requests } from '../protocol/requests.ts'
import type { Blame } from './auth-error.ts'
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

/** Both clocks at one moment: the time of day for tokens, the steady one for durations (TIM-1). */
export interface Moment {
  readonly now: number
  readonly steadyNow: number
}

export type ConnectionState = 'verifying' | 'awaiting_token' | 'opening' | 'open' | 'closing' | 'closed'

/** What all connections share: the front end. */
export interface ConnectionHost {
  readonly gateway: Gateway
  readonly topics: Topics
  /** What may wait unsent for a reader before it is closed, bytes. */
  readonly maxBackpressure: number
  /** Frames of so many bytes and more are compressed. */
  readonly compressFrom: number
  readonly meters: Meters
  /** For durations, milliseconds of a monotonic clock (TIM-1). */
  steadyNow(): number
  /** Checks a token for `connection`, which hears `verified` or `refused`. */
  verify(connection: Connection, token: string): void
  /** Milliseconds of a monotonic clock, as of the last sweep. */
  readonly sweptAtMs: number
  /** An attempt from this address has failed. */
  attemptFailed(address: string): void
  /** Something of this connection was refused, for the log. */
  noteRefusal(connection: Connection, kind: RefusalKind, why: string): void
  /** Notes a session of the user's. Returns for how many milliseconds there may be none, or 0. */
  admit(connection: Connection): number
  /** Charges `reads` for what is known only afterwards: replayed events, a long answer (INP-2). */
  chargeReads(connection: Connection, tokens: number): void
  /** A frame of an open connection; the bytes are valid during the call only. */
  request(connection: Connection, bytes: Uint8Array, isBinary: boolean): void
  /** This server ends the connection. */
  ends(connection: Connection, reason: CloseReason, text: string): void
  /** The connection is closed. */
  gone(connection: Connection): void
}

const AUTH_DEADLINE_MS = 10_000
const OPENING_DEADLINE_MS = 10_000
/** A token of 8 KiB, and JSON around it. */
const MAX_FIRST_BYTES = 16_384
const MALFORMED_LIMIT = 10
const MINUTE_MS = 60_000
const MAX_WAITING = 64
const NO_SESSION = -1
/** What one token of `reads` pays for; the first events are paid for by the request itself. */
const REPLAYED_PER_TOKEN = 100
/** What one token of `reads` pays for of an answer; the first bytes are paid for by the request itself. */
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
  /** When the client was last heard of, to a second. */
  heardAtMs = 0
  state: ConnectionState = 'verifying'
  /** Requests that the engine has not answered yet, of those with a ref. */
  unanswered = 0
  readonly #host: ConnectionHost
  #socket: Socket | null = null
  #topics: SocketTopics | null = null
  #session = NO_SESSION
  /** The token of the upgrade, until the socket is up. */
  #token: string | null
  /** The ref that `connected` answers; 0 where the token came with the upgrade. */
  #authRef = 0
  /** When the session has to be open, by the steady clock. */
  #dueAtMs = 0
  /** When to warn of the token's end, or to end, by the time of day. */
  #tokenDueAtMs = 0
  #expiresAtMs = 0
  #endsAtMs = 0
  #warned = false
  #held: HeldFrames | null = null
  #malformedAtMs: number[] | null = null
  /** Requests refused as `rate_limited` since then; a new connection starts clean. */
  #rateRefusals = 0
  #rateRefusedSinceMs = Number.NEGATIVE_INFINITY
  #waiting: (() => void)[] | null = null
  /** From a `resume` to its `resumed`: events of groups that come by `send` are replayed ones. */
  #resuming = false
  /** Replayed events that are not charged yet. */
  #replayed = 0
  /** One request at a time is timed: its ref, or 0, and when it came. Small integers need no memory. */
  #timedRef = 0
  #timedAtUs = 0

  constructor(host: ConnectionHost, json: boolean, address: string, token: string | null) {
    this.#host = host
    this.json = json
    this.address = address
    this.#token = token
  }

  /** The socket is up: its token is verified, or the first frame has to bring one. */
  opened(socket: Socket): void {
    this.#socket = socket
    this.#topics = new SocketTopics(this.#host.topics, socket, this.json)
    this.heardAtMs = this.#host.sweptAtMs
    this.#dueAtMs = this.#host.steadyNow() + AUTH_DEADLINE_MS
    const token = this.#token
    this.#token = null
    if (token === null) this.state = 'awaiting_token'
    else this.#host.verify(this, token)
  }

  /** A frame came; the bytes are valid during the call only. */
  received(bytes: Uint8Array, isBinary: boolean): void {
    this.heardAtMs = this.#host.sweptAtMs
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
          this.refused('the first frame has to be authenticate, with a token', 'client')
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

  /** The token is good: a session of the engine begins, whose first frame is `connected`. */
  verified(verified: Verified): void {
    if (this.state !== 'verifying') return
    this.userId = verified.identity.userId
    const waitMs = this.#host.admit(this)
    if (waitMs > 0) {
      this.end('try_later', `too many connections of this user; wait ${Math.ceil(waitMs / 1_000)} seconds`)
      return
    }
    this.#socket?.trust?.()
    this.state = 'opening'
    this.#dueAtMs = this.#host.steadyNow() + OPENING_DEADLINE_MS
    this.setExpiry(verified)
    this.#open(verified.identity)
  }

  /** The token is missing, bad or late, or cannot be checked at present; `why` is shown. */
  refused(why: string, blame: Blame): void {
    if (this.state !== 'verifying' && this.state !== 'awaiting_token') return
    // AUT-2: not for a token that is only too old, nor for what is the server's fault.
    if (blame === 'client') this.#host.attemptFailed(this.address)
    this.end(blame === 'server' ? 'try_later' : 'unauthenticated', why)
  }

  /** The token that is valid from now on. The same one again is not warned of again (AUT-4). */
  setExpiry({ expiresAtMs, warnAtMs, endsAtMs }: Verified): void {
    if (this.#warned && expiresAtMs === this.#expiresAtMs) return
    this.#expiresAtMs = expiresAtMs
    this.#endsAtMs = endsAtMs
    this.#tokenDueAtMs = warnAtMs
    this.#warned = false
  }

  /** A newer token counts from now on, for the name and the picture, too. */
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
      // What its user is told on all devices may come before: `connected` says it all.
      this.#greet(frame)
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

  /** Sends an event of the front end's own. */
  tell(frame: Uint8Array): void {
    if (this.state === 'open') this.#write(frame)
  }

  /**
   * Hands a request to the engine; the bytes are valid during the call only.
   * @throws ChatError as `Gateway.receive` does.
   */
  toEngine(frame: Uint8Array, head: FrameHead): void {
    // A client that uses ref 0 cannot be told from events; it is not waited for.
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

  /** Answers a request with a refusal. */
  refuse(ref: number, error: ChatError): void {
    this.#host.meters.error(error.code)
    this.tell(encodeEvent('error', ref, error.toFields()))
  }

  /** Ten malformed frames in a minute close the socket (INP-1); the engine reports those that a shard finds. */
  countMalformed(): void {
    this.#host.noteRefusal(this, 'malformed', 'a malformed frame')
    const now = this.#host.steadyNow()
    this.#malformedAtMs ??= []
    this.#malformedAtMs.push(now)
    if (this.#malformedAtMs.length < MALFORMED_LIMIT) return
    const firstAtMs = this.#malformedAtMs.shift() as number
    if (now - firstAtMs < MINUTE_MS) this.end('malformed')
  }

  /** Closes the socket once more than `limit` requests were refused as `rate_limited` in a minute (LIM-1). */
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
    this.heardAtMs = this.#host.sweptAtMs
  }

  /** Cuts a connection that has not brought a token, for another one. */
  giveWay(): void {
    if (this.state === 'closing' || this.state === 'closed') return
    this.state = 'closing'
    this.#host.ends(this, 'try_later', 'too many sockets without a token')
    this.#socket?.close()
  }

  /** What waits for its reader, bytes. */
  get unsentBytes(): number {
    return this.#isUp() ? this.#buffered() : 0
  }

  /** The socket took some of what waits for it. */
  drained(): void {
    if ((!this.#waiting && !this.#topics?.spared) || !this.#isUp() || !this.#hasRoom()) return
    this.#topics?.restore()
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting) for (const then of waiting) then()
  }

  /** Closes the connection where its reader is too far behind, and spares one who is half as far. */
  checkBacklog(): void {
    if (!this.#isUp()) return
    const buffered = this.#buffered()
    if (buffered > this.#host.maxBackpressure) this.end('slow_reader')
    else if (buffered > this.#host.maxBackpressure / 2) this.#topics?.spare()
  }

  /** Publishes to the ephemeral topic while this connection does not hear it. */
  apartFrom(topic: string, publish: () => void): void {
    if (this.#topics && this.#isUp()) this.#topics.apartFrom(topic, publish)
    else publish()
  }

  /** Looks after everything that is a matter of time; called about once a second. */
  sweep({ now, steadyNow }: Moment): void {
    this.checkBacklog()
    // A transport may be late to say that a socket has drained.
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

  /** For how long its token has been checked; 0 in other states. */
  verifyingMs(steadyNow: number): number {
    return this.state === 'verifying' ? steadyNow + AUTH_DEADLINE_MS - this.#dueAtMs : 0
  }

  /** Ends the connection; the text is shown to the client. */
  end(reason: CloseReason, text: string = closeCodes[reason].meaning): void {
    if (this.state === 'closing' || this.state === 'closed') return
    this.state = 'closing'
    this.#host.meters.ended(reason)
    this.#host.ends(this, reason, text)
    // The close frame goes behind all that waits, so what a slow reader gets has no hole.
    this.#socket?.end(closeCodes[reason].code, closeText(text))
  }

  /** The socket is gone, whoever ended it. */
  closed(): void {
    this.state = 'closed'
    this.#socket = null
    this.#held = null
    this.#waiting = null
    this.#topics = null
    if (this.#session !== NO_SESSION) this.#host.gateway.closed(this.#session)
    this.#host.gone(this)
  }

  #open(identity: Identity): void {
    const session = this.#host.gateway.open(identity, this)
    if (this.#isUp()) this.#session = session
    else this.#host.gateway.closed(session)
  }

  #greet(connected: Uint8Array): void {
    this.state = 'open'
    this.#write(this.#authRef === 0 ? connected : withRef(connected, this.#authRef))
    // Not from within the engine's call: what was held goes back into the engine.
    if (this.#held) queueMicrotask(() => this.#release())
  }

  /** Charged on the way, so that one who leaves before `resumed` has paid, too. */
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
      this.end('unauthenticated', 'too much was sent before connected')
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
    this.tell(encodeEvent('token_expiring', 0, { expiresAt: this.#expiresAtMs }))
  }

  #write(frame: Uint8Array): void {
    const socket = this.#socket
    if (!socket) return
    this.checkBacklog()
    if (!this.#isUp() || (this.#topics?.spared && ephemeralCodes.has(codeOf(frame)))) return
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

  /** At a quarter of the limit there is room again for what can wait. */
  #hasRoom(): boolean {
    return this.#buffered() <= this.#host.maxBackpressure / 4
  }
}

/** The reason of a close frame, which has 123 bytes at most, whole characters. */
function closeText(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_CLOSE_TEXT_BYTES) return bytes
  let end = MAX_CLOSE_TEXT_BYTES
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
