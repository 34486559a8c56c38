/**
 * Connection: one socket from its upgrade to its end, and the engine's port to it.
 *
 *   new → verifying | awaiting_token → opening → open → closing → closed
 *
 * Before its token is verified no frame is processed and nothing is sent (AUT-1). Frames that arrive
 * early are held, within a limit, and processed in order after `connected`. Requests go to the request
 * path, answers and events to the socket writer. The socket is not used once it is closing.
 * A server has ten thousand of these: no timers, no closures, objects are created when first needed.
 */
import type { Identity, SessionPort } from '../engine/hub/gateway.ts'
import { type CloseReason, closeCodes } from '../protocol/close-codes.ts'
import { encodeEvent } from '../protocol/codec.ts'
import type { ChatError } from '../protocol/errors.ts'
import { events } from '../protocol/events.ts'
import { codeOf } from '../protocol/frame-head.ts'
import type { Fault } from './auth-error.ts'
import type { Verified } from './claims.ts'
import type { ConnectionHost, HostedConnection, Moment } from './connection-host.ts'
import { errorCodeOf } from './error-code.ts'
import { firstToken } from './first-token.ts'
import { refOf, withRef } from './frame-ref.ts'
import { HeldFrames } from './held-frames.ts'
import { MAX_NEWCOMER_BYTES } from './newcomers.ts'
import { Offences } from './offences.ts'
import { PendingRequests } from './pending-requests.ts'
import type { Requester } from './request-path.ts'
import { SocketWriter } from './socket-writer.ts'
import { TokenExpiry } from './token-expiry.ts'
import type { Socket } from './transport/transport.ts'
import type { Wire } from './wire.ts'

/** What the connection does, with the data that only this state has. Deadlines use the monotonic clock. */
type State =
  /** Accepted; the socket is not open yet. */
  | { readonly name: 'new'; readonly token: string | null }
  /** The first frame must contain a token. */
  | { readonly name: 'awaiting_token'; readonly dueAtMs: number }
  /** `ref` is that of `authenticate`; 0 if the token came with the upgrade. */
  | {
      readonly name: 'verifying'
      readonly dueAtMs: number
      readonly ref: number
      readonly early: HeldFrames
    }
  /** The engine opens a session, whose first frame is `connected`. */
  | {
      readonly name: 'opening'
      readonly dueAtMs: number
      readonly ref: number
      readonly early: HeldFrames
      readonly expiry: TokenExpiry
    }
  | { readonly name: 'open'; readonly expiry: TokenExpiry }
  /** The close frame is sent. */
  | { readonly name: 'closing' }
  | { readonly name: 'closed' }

const AUTH_DEADLINE_MS = 10_000
const OPENING_DEADLINE_MS = 10_000
const NO_SESSION = -1
/** Bytes of an answer per token of `reads`; the request itself covers the first ones (INP-2). */
const ANSWER_BYTES_PER_TOKEN = 8_192
const MAX_CLOSE_TEXT_BYTES = 123
const CONNECTED_CODE: number = events.connected.code
const closing: State = { name: 'closing' }
const closed: State = { name: 'closed' }

export class Connection implements SessionPort, Requester, HostedConnection {
  readonly wire: Wire
  readonly address: string
  readonly pending = new PendingRequests()
  userId = ''
  /** When the client last sent something, in steps of a second. */
  lastReceivedAtMs = 0
  session = NO_SESSION
  /** In seconds: a small integer needs no memory of its own. */
  openedAtSeconds = 0
  newcomerBytes = MAX_NEWCOMER_BYTES
  readonly #host: ConnectionHost
  #state: State
  #socket: Socket | null = null
  #writer: SocketWriter | null = null
  #offences: Offences | null = null

  constructor(host: ConnectionHost, wire: Wire, address: string, token: string | null) {
    this.#host = host
    this.wire = wire
    this.address = address
    this.#state = { name: 'new', token }
  }

  // Called by the transport's handler

  /** The socket is open: verifies its token, or waits for a first frame with one. */
  opened(socket: Socket): void {
    if (this.#state.name !== 'new') return
    const { token } = this.#state
    this.#socket = socket
    this.#writer = new SocketWriter(this.#host, socket, this.wire)
    this.lastReceivedAtMs = this.#host.sweptAtMs
    this.openedAtSeconds = Math.floor(this.lastReceivedAtMs / 1_000)
    const dueAtMs = this.#host.steadyNow() + AUTH_DEADLINE_MS
    if (token === null) this.#state = { name: 'awaiting_token', dueAtMs }
    else this.#verify(token, 0, dueAtMs)
  }

  /** Handles a frame; the bytes are valid during the call only. */
  received(message: Uint8Array, isBinary: boolean): void {
    this.lastReceivedAtMs = this.#host.sweptAtMs
    const state = this.#state
    switch (state.name) {
      case 'open':
        this.#host.path.handle(this, message, isBinary)
        return
      case 'verifying':
      case 'opening':
        if (!state.early.hold(message, isBinary))
          this.end('unauthenticated', 'too many frames before connected')
        return
      case 'awaiting_token': {
        const first = message.length > MAX_NEWCOMER_BYTES ? null : firstToken(message, isBinary, this.wire)
        if (first) this.#verify(first.token, first.ref, state.dueAtMs)
        else this.refused('the first frame must be authenticate with a token', 'client')
        return
      }
      case 'new':
      case 'closing':
      case 'closed':
        return
    }
  }

  /** The client answered a ping. */
  ponged(): void {
    this.lastReceivedAtMs = this.#host.sweptAtMs
  }

  /** The socket has written some of the unsent bytes. */
  drained(): void {
    if (this.#isUp()) this.#writer?.drained()
  }

  /** The socket is closed, by either side. */
  socketClosed(): void {
    this.#state = closed
    this.#socket = null
    this.#writer = null
    if (this.session !== NO_SESSION) this.#host.gateway.closed(this.session)
    this.#host.closed(this)
  }

  // TokenHolder, called by the front end with the result of `verify`

  verified(token: Verified): void {
    const state = this.#state
    if (state.name !== 'verifying') return
    this.userId = token.identity.userId
    const waitMs = this.#host.admit(this)
    if (waitMs > 0) {
      this.end(
        'try_later',
        `too many connections of this user; retry after ${Math.ceil(waitMs / 1_000)} seconds`,
      )
      return
    }
    this.#socket?.trust?.()
    this.#state = {
      name: 'opening',
      dueAtMs: this.#host.steadyNow() + OPENING_DEADLINE_MS,
      ref: state.ref,
      early: state.early,
      expiry: new TokenExpiry(token),
    }
    this.#open(token.identity)
  }

  refused(why: string, fault: Fault): void {
    if (this.#state.name !== 'verifying' && this.#state.name !== 'awaiting_token') return
    // AUT-2: not for a token that has only expired, nor if the server is at fault.
    if (fault === 'client') this.#host.attemptFailed(this.address)
    this.end(fault === 'server' ? 'try_later' : 'unauthenticated', why)
  }

  /** Closes the connection; the text is sent to the client. */
  end(reason: CloseReason, text: string = closeCodes[reason].meaning): void {
    if (this.#isEnding()) return
    this.#state = closing
    this.#host.meters.ended(reason)
    this.#host.closing(this, reason, text)
    // The close frame follows all unsent bytes, so a slow reader sees no hole.
    this.#socket?.end(closeCodes[reason].code, closeText(text))
  }

  // SessionPort, called by the engine

  send(frame: Uint8Array): void {
    const state = this.#state
    const code = codeOf(frame)
    if (state.name === 'open') {
      this.#write(frame, code)
      if (this.pending.replayed(code)) this.#host.chargeReads(this, 1)
      const ref = refOf(frame)
      if (ref !== 0) this.#answered(frame, code, ref)
    } else if (state.name === 'opening' && code === CONNECTED_CODE) {
      // Events for all devices of the user may arrive earlier: `connected` contains their effect.
      this.#state = { name: 'open', expiry: state.expiry }
      this.#write(state.ref === 0 ? frame : withRef(frame, state.ref), code)
      // Not inside the engine's call: held frames are requests to the engine.
      if (state.early.frames.length > 0) queueMicrotask(() => this.#release(state.early))
    }
  }

  together(send: () => void): void {
    if (this.#writer && this.#isUp()) this.#writer.together(send)
    else send()
  }

  subscribe(topic: string): void {
    if (this.#isUp()) this.#writer?.topics.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    if (this.#isUp()) this.#writer?.topics.unsubscribe(topic)
  }

  close(reason: CloseReason): void {
    this.end(reason)
  }

  whenDrained(then: () => void): void {
    if (this.#writer && this.#isUp() && !this.#writer.whenDrained(then)) this.end('slow_reader')
  }

  /** Ten malformed frames in a minute close the socket. The engine calls this for frames that a shard rejects. */
  countMalformed(): void {
    this.#host.noteRefusal(this, 'malformed', 'a malformed frame')
    this.#offences ??= new Offences()
    if (this.#offences.addMalformed(this.#host.steadyNow())) this.end('malformed')
  }

  // Requester, called by the request path

  sendEvent(frame: Uint8Array): void {
    if (this.#state.name === 'open') this.#write(frame, codeOf(frame))
  }

  refuse(ref: number, error: ChatError): void {
    this.#host.meters.error(error.code)
    this.sendEvent(encodeEvent('error', ref, error.toFields()))
  }

  countRateRefusal(limit: number): void {
    this.#host.noteRefusal(this, 'rate_limited', 'requests over the rate limit')
    this.#offences ??= new Offences()
    if (this.#offences.addRateRefusal(this.#host.steadyNow(), limit)) this.end('rate_limit_ignored')
  }

  renew(token: Verified): void {
    if (this.#state.name === 'open') this.#state.expiry.replace(token)
    // IDN-2
    if (this.session !== NO_SESSION) this.#host.gateway.renew(this.session, token.identity)
  }

  // HostedConnection, called by the front end

  get unanswered(): number {
    return this.pending.unanswered
  }

  get unsentBytes(): number {
    return this.#isUp() ? (this.#writer?.unsentBytes ?? 0) : 0
  }

  /** Whether the first frame must contain a token. */
  get isNewcomer(): boolean {
    return this.#state.name === 'awaiting_token' || this.#state.name === 'verifying'
  }

  evict(): void {
    if (this.#isEnding()) return
    this.#state = closing
    this.#host.closing(this, 'try_later', 'too many sockets that are not authenticated')
    this.#socket?.close()
  }

  checkBacklog(): void {
    if (this.#writer && this.#isUp() && !this.#writer.keepsUp()) this.end('slow_reader')
  }

  publishWithout(name: string, publish: () => void): void {
    const socket = this.#isUp() ? this.#socket : null
    const isSubscribed = socket?.isSubscribed(name) ?? false
    if (isSubscribed) socket?.unsubscribe(name)
    publish()
    if (isSubscribed) socket?.subscribe(name)
  }

  sweep({ now, steadyNow }: Moment): void {
    this.checkBacklog()
    // A transport may report a drained socket late.
    this.drained()
    const state = this.#state
    switch (state.name) {
      case 'open':
        this.#checkExpiry(state.expiry, now)
        return
      case 'awaiting_token':
      case 'verifying':
        if (steadyNow >= state.dueAtMs) {
          this.refused('no valid token within 10 seconds', state.name === 'verifying' ? 'server' : 'client')
        }
        return
      case 'opening':
        if (steadyNow >= state.dueAtMs) this.end('try_later', 'the session was not opened within 10 seconds')
        return
      case 'new':
      case 'closing':
      case 'closed':
        return
    }
  }

  verifyingMs(steadyNow: number): number {
    return this.#state.name === 'verifying' ? steadyNow + AUTH_DEADLINE_MS - this.#state.dueAtMs : 0
  }

  #verify(token: string, ref: number, dueAtMs: number): void {
    this.#state = { name: 'verifying', dueAtMs, ref, early: new HeldFrames() }
    this.#host.verify(this, token)
  }

  #open(identity: Identity): void {
    const session = this.#host.gateway.open(identity, this)
    if (this.#isUp()) this.session = session
    else this.#host.gateway.closed(session)
  }

  #release(early: HeldFrames): void {
    for (const { bytes, isBinary } of early.frames) this.received(bytes, isBinary)
  }

  #answered(frame: Uint8Array, code: number, ref: number): void {
    const { meters } = this.#host
    const tokens = Math.floor(frame.length / ANSWER_BYTES_PER_TOKEN)
    if (tokens > 0) this.#host.chargeReads(this, tokens)
    this.pending.answered(ref, meters.latency)
    const error = errorCodeOf(frame, code)
    if (error === null) return
    meters.error(error)
    // Over the limit of all fronts (LIM-1).
    if (error === 'rate_limited') this.countRateRefusal(this.#host.rateLimit)
  }

  #checkExpiry(expiry: TokenExpiry, now: number): void {
    const due = expiry.due(now)
    if (due === 'end') this.end('token_expired')
    if (due === 'warning') this.sendEvent(encodeEvent('token_expiring', 0, { expiresAt: expiry.expiresAtMs }))
  }

  #write(frame: Uint8Array, code: number): void {
    if (this.#writer?.keepsUp()) this.#writer.write(frame, code)
    else this.end('slow_reader')
  }

  #isUp(): boolean {
    return this.#state.name === 'open' || this.#state.name === 'opening'
  }

  #isEnding(): boolean {
    return this.#state.name === 'closing' || this.#state.name === 'closed'
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
