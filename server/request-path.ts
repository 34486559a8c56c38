/**
 * Request path: handles one frame of an open connection, up to the engine.
 *
 * Checks size, form, code and rate limit, then handles the connection's own request (`refresh_token`) or
 * passes the frame to the engine. The payload is not decoded here: the head is sufficient. Every refusal
 * is an `error` with the request's ref. A malformed frame counts towards 4400; any other refusal is
 * charged like an answered request (INP-1).
 */
import type { Gateway } from '../engine/gateway.ts'
import { decodeRequest, encodeEvent } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import { type FrameHead, peekHead } from '../protocol/frame-head.ts'
import { refOf, requestFromJson } from '../protocol/json-codec.ts'
import { type Budget, type RequestSpec, requests } from '../protocol/requests.ts'
import type { Authenticator } from './auth.ts'
import { AuthError } from './auth-error.ts'
import type { Connection } from './connection.ts'
import { enabledAt, type ServerLogger } from './log.ts'
import { costOf, type RateLimiter } from './rate-limit.ts'

export interface RequestPathOptions {
  readonly gateway: Gateway
  readonly limiter: RateLimiter
  readonly authenticate: Authenticator
  readonly maxMessageBytes: number
  readonly logger: ServerLogger
}

/** TRN-5: an escape such as \u0061 needs six bytes of text for one byte of the value. */
const JSON_TEXT_FACTOR = 6

const nameByCode = new Map<number, string>(Object.entries(requests).map(([name, row]) => [row.code, name]))
const rowByCode = new Map<number, RequestSpec>(Object.values(requests).map((row) => [row.code, row]))

export class RequestPath {
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

  /** Handles one frame; the bytes are valid during the call only. Never throws. */
  handle(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    let ref = 0
    try {
      if (isBinary === connection.json) {
        throw malformed(`a frame of this subprotocol must be ${connection.json ? 'text' : 'binary'}`)
      }
      const { maxMessageBytes } = this.#options
      if (bytes.length > (connection.json ? JSON_TEXT_FACTOR : 1) * maxMessageBytes) {
        ref = refIn(connection, bytes)
        this.#refuseTooLarge(connection)
      }
      const frame = connection.json ? this.#fromJson(connection, bytes, (found) => (ref = found)) : bytes
      const head = peekHead(frame)
      if (!head) throw malformed('a frame must begin with [code, ref]')
      ref = head.ref
      // The limit applies to the decoded values, whatever their size as JSON.
      if (frame.length > maxMessageBytes) this.#refuseTooLarge(connection)
      this.#request(connection, frame, head)
    } catch (error) {
      this.#refuse(connection, ref, error)
    }
  }

  #request(connection: Connection, frame: Uint8Array, head: FrameHead): void {
    const row = rowByCode.get(head.code)
    if (row && this.#stopping) throw new ChatError('shutting_down')
    this.#charge(connection, row?.budget ?? 'events', row ? costOf(row, frame.length) : 1)
    if (!row) throw new ChatError('unknown_event')
    if (this.#traced) this.#trace(connection, frame, head)
    if (row.route === 'connection') {
      this.#ownRequest(connection, frame)
      return
    }
    connection.toEngine(frame, head)
  }

  /** @throws ChatError `rate_limited` */
  #charge(connection: Connection, budget: Budget, cost = 1): void {
    const verdict = this.#options.limiter.take(connection.userId, budget, cost)
    if (verdict.pass) return
    const { retryAfterMs } = verdict
    connection.countRateRefusal(this.#options.limiter.perMinute)
    throw new ChatError('rate_limited', undefined, { retryAfterMs })
  }

  #refuseTooLarge(connection: Connection): never {
    this.#charge(connection, 'events')
    throw new ChatError('too_large', `a frame must have at most ${this.#options.maxMessageBytes} bytes`)
  }

  #ownRequest(connection: Connection, frame: Uint8Array): void {
    const request = decodeRequest(frame)
    if (request.event !== 'refresh_token') {
      throw new ChatError('bad_request', 'authenticate is only allowed as the first frame')
    }
    connection.unanswered++
    this.#options.authenticate(request.fields.token).then(
      (verified) => {
        connection.unanswered--
        const { identity, expiresAtMs } = verified
        if (identity.userId !== connection.userId) {
          connection.refuse(
            request.ref,
            new ChatError('unauthenticated', 'the token belongs to another user'),
          )
          return
        }
        connection.setExpiry(verified)
        connection.renew(identity) // IDN-2
        // Times on the wire are integers; msgpack would encode this number as a float.
        connection.sendEvent(encodeEvent('ok', request.ref, { result: { expiresAt: BigInt(expiresAtMs) } }))
      },
      (error: unknown) => {
        connection.unanswered--
        const why = error instanceof AuthError ? error.toChatError() : error
        this.#refuse(connection, request.ref, why)
      },
    )
  }

  #trace({ userId }: Connection, { length: bytes }: Uint8Array, { code, ref }: FrameHead): void {
    this.#traced?.trace?.({ userId, request: nameByCode.get(code), ref, bytes }, 'request')
  }

  #fromJson(connection: Connection, bytes: Uint8Array, found: (ref: number) => void): Uint8Array {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
    try {
      return requestFromJson(text)
    } catch (error) {
      found(refOf(text))
      if (error instanceof ChatError && !error.malformed) this.#charge(connection, 'events')
      throw error
    }
  }

  #refuse(connection: Connection, ref: number, error: unknown): void {
    if (!(error instanceof ChatError)) this.#options.logger.error({ err: error }, 'handling a frame failed')
    const refusal = ChatError.from(error)
    connection.refuse(ref, refusal)
    if (refusal.malformed) connection.countMalformed()
  }
}

function malformed(message: string): ChatError {
  return new ChatError('bad_request', message, { malformed: true })
}

/** The ref of a frame that is too large to be handled, 0 if it has none. */
function refIn(connection: Connection, bytes: Uint8Array): number {
  if (!connection.json) return peekHead(bytes)?.ref ?? 0
  return refOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
}
