/**
 * Request path: handles one frame of an open connection, up to the engine.
 *
 * Checks size, form, code and rate limit, then handles the connection's own request (`refresh_token`)
 * or passes the frame to the engine. The head is read once, into a `FrameView`, and the payload is not
 * decoded (TRN-9). Every refusal is an `error` with the request's ref. A malformed frame counts
 * towards 4400; any other refusal is charged like an answered request (INP-1).
 */
import { shuttingDown } from '../engine/base/refusals.ts'
import type { Gateway } from '../engine/hub/gateway.ts'
import { decodeRequest, encodeEvent } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import { type FrameView, viewFrame } from '../protocol/frame-view.ts'
import { type Budget, requests } from '../protocol/requests.ts'
import type { Authenticator } from './auth.ts'
import { AuthError } from './auth-error.ts'
import type { Verified } from './claims.ts'
import { enabledAt, type ServerLogger } from './logger.ts'
import type { Meters } from './metrics/meters.ts'
import type { PendingRequests } from './pending-requests.ts'
import { costOf, type RateLimiter } from './rate-limit.ts'
import type { Wire } from './wire.ts'

export interface RequestPathOptions {
  readonly gateway: Pick<Gateway, 'receive'>
  readonly limiter: RateLimiter
  readonly authenticate: Authenticator
  readonly maxMessageBytes: number
  readonly logger: ServerLogger
  readonly meters: Pick<Meters, 'requests'>
}

/** The sender of frames: an open connection of any kind. */
export interface Requester {
  readonly wire: Wire
  readonly userId: string
  /** The session of the gateway. */
  readonly session: number
  readonly pending: PendingRequests
  sendEvent(frame: Uint8Array): void
  /** Answers a request with an error. */
  refuse(ref: number, error: ChatError): void
  countMalformed(): void
  /** A request was refused as `rate_limited`; the limit of such refusals in a minute is `limit`. */
  countRateRefusal(limit: number): void
  /** A newer token of the same user is valid from now on. */
  renew(token: Verified): void
}

/** Handles the frames of connections. */
export interface RequestHandler {
  /** Handles one frame; the bytes are valid during the call only. Never throws. */
  handle(from: Requester, message: Uint8Array, isBinary: boolean): void
}

export class RequestPath implements RequestHandler {
  readonly #options: RequestPathOptions
  /** Set if each request is logged. */
  readonly #traced: ServerLogger | null
  #stopping = false

  constructor(options: RequestPathOptions) {
    this.#options = options
    this.#traced = enabledAt(options.logger, 'trace')
  }

  /** Refuses every request with `shutting_down` from now on. */
  stop(): void {
    this.#stopping = true
  }

  handle(from: Requester, message: Uint8Array, isBinary: boolean): void {
    const { maxMessageBytes, meters } = this.#options
    const { wire } = from
    meters.requests += 1
    if (isBinary !== wire.isBinary) {
      this.#refuse(
        from,
        0,
        malformed(`a frame of this subprotocol must be ${wire.isBinary ? 'binary' : 'text'}`),
      )
      return
    }
    let view: FrameView | null = null
    try {
      if (message.length > wire.bytesPerFrameByte * maxMessageBytes) this.#refuseTooLarge(from)
      const frame = this.#decode(from, message)
      view = viewFrame(frame)
      if (!view) throw malformed('a frame must begin with [code, ref]')
      // The limit applies to the decoded values, whatever their size as JSON (TRN-5).
      if (frame.length > maxMessageBytes) this.#refuseTooLarge(from)
      this.#receive(from, frame, view)
    } catch (error) {
      this.#refuse(from, view ? view.ref : wire.refOf(message), error)
    }
  }

  #decode(from: Requester, message: Uint8Array): Uint8Array {
    try {
      return from.wire.decode(message)
    } catch (error) {
      if (error instanceof ChatError && !error.malformed) this.#charge(from, 'events')
      throw error
    }
  }

  #receive(from: Requester, frame: Uint8Array, view: FrameView): void {
    const { row } = view
    if (row && this.#stopping) throw shuttingDown()
    this.#charge(from, row?.budget ?? 'events', row ? costOf(row, frame.length) : 1)
    if (!row) throw new ChatError('unknown_event')
    if (this.#traced) this.#trace(from, frame, view)
    if (row.route === 'connection') {
      this.#refreshToken(from, frame)
      return
    }
    from.pending.add(view)
    try {
      this.#options.gateway.receive(from.session, frame, view)
    } catch (error) {
      from.pending.remove(view)
      throw error
    }
  }

  /** @throws ChatError `rate_limited` */
  #charge(from: Requester, budget: Budget, cost = 1): void {
    const verdict = this.#options.limiter.take(from.userId, budget, cost)
    if (verdict.pass) return
    throw new ChatError('rate_limited', undefined, { retryAfterMs: verdict.retryAfterMs })
  }

  #refuseTooLarge(from: Requester): never {
    this.#charge(from, 'events')
    throw new ChatError('too_large', `a frame must have at most ${this.#options.maxMessageBytes} bytes`)
  }

  #refreshToken(from: Requester, frame: Uint8Array): void {
    const { event, ref, fields } = decodeRequest(frame)
    if (event !== 'refresh_token') {
      throw new ChatError('bad_request', 'authenticate is only allowed as the first frame')
    }
    from.pending.unanswered += 1
    this.#options.authenticate(fields.token).then(
      (token) => {
        from.pending.unanswered -= 1
        if (token.identity.userId !== from.userId) {
          from.refuse(ref, new ChatError('unauthenticated', 'the token belongs to another user'))
          return
        }
        from.renew(token)
        // Times on the wire are integers; msgpack would encode this number as a float.
        from.sendEvent(encodeEvent('ok', ref, { result: { expiresAt: BigInt(token.expiresAtMs) } }))
      },
      (error: unknown) => {
        from.pending.unanswered -= 1
        this.#refuse(from, ref, error instanceof AuthError ? error.toChatError() : error)
      },
    )
  }

  #trace({ userId }: Requester, { length: bytes }: Uint8Array, { ref, row }: FrameView): void {
    const request = Object.entries(requests).find(([, { code }]) => code === row?.code)?.[0]
    this.#traced?.trace?.({ userId, request, ref, bytes }, 'request')
  }

  #refuse(from: Requester, ref: number, error: unknown): void {
    if (!(error instanceof ChatError)) this.#options.logger.error({ err: error }, 'handling a frame failed')
    const refusal = ChatError.from(error)
    from.refuse(ref, refusal)
    if (refusal.malformed) from.countMalformed()
    if (refusal.code === 'rate_limited') from.countRateRefusal(this.#options.limiter.perMinute)
  }
}

function malformed(message: string): ChatError {
  return new ChatError('bad_request', message, { malformed: true })
}
