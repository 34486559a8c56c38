/**
 * Client connection: one WebSocket, from the handshake to its end.
 *
 *   opening → open → ended
 *
 * The token is sent in the first frame: that works in browsers, and the token does not appear in
 * addresses, which are logged. Answers are matched to requests by `ref`; all other events go to the
 * handlers in the order of the wire. A silent connection is tested with a ping. `ended` is called
 * once, after every pending request was rejected.
 */
import { AwaitedAnswers } from '../protocol/awaited-answers.ts'
import { ChatError } from '../protocol/errors.ts'
import type { Event, EventFields } from '../protocol/events.ts'
import type { Answer } from '../protocol/methods.ts'
import type { RequestFields, RequestName } from '../protocol/requests.ts'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { decodeEvent, encodeRequest } from './codec.ts'

/** Why a connection ended, or could not be established. */
export type Disconnect =
  /** The server closed it; `code` is from the table of close codes. */
  | { readonly cause: 'server'; readonly code: number; readonly message: string }
  /** It could not be established, or broke. */
  | { readonly cause: 'network'; readonly message: string }
  /** Nothing was received any more, not even an answer to a ping or a `resume`. */
  | { readonly cause: 'silence' }
  /** Too many live events arrived during a catch-up; the next catch-up includes them. */
  | { readonly cause: 'overflow' }
  /** The token function failed. */
  | { readonly cause: 'token'; readonly message: string }
  /** `close()` was called. */
  | { readonly cause: 'application' }

export interface ConnectionHandlers {
  connected(fields: EventFields<'connected'>): void
  /** Every event that is not an answer. */
  event(event: Event): void
  ended(why: Disconnect): void
}

export interface ConnectionOptions {
  readonly url: string
  readonly token: string
  readonly clock: Clock
  readonly openSocket: (url: string) => Promise<WebSocket>
  /** The time limit from the handshake to `connected`, milliseconds. */
  readonly openTimeoutMs: number
  /** A ping is sent after this time without a frame. */
  readonly silenceMs: number
  readonly handlers: ConnectionHandlers
}

const MAX_PENDING = 2_000
const PONG_WITHIN_MS = 10_000
/** "Normal closure": the only code except 3000 to 4999 that a page can send. */
const NORMAL = 1_000
/** No close frame was received: a failure of the network, not a close by the server. */
const ABNORMAL = 1_006

export class ClientConnection {
  readonly #options: ConnectionOptions
  readonly #answers = new AwaitedAnswers(MAX_PENDING)
  #phase: 'opening' | 'open' | 'ended' = 'opening'
  #socket: WebSocket | null = null
  #maxFrameBytes = Number.POSITIVE_INFINITY
  #lastFrameAtMs: number
  #framesReceived = 0
  #isChecking = false
  /** The timer of the phase: for the handshake, for silence, for a pong. */
  #cancelTimer: () => void

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { clock, openTimeoutMs, openSocket, url } = options
    this.#lastFrameAtMs = clock.now()
    this.#cancelTimer = clock.after(openTimeoutMs, () => {
      this.end({ cause: 'network', message: 'the connection was not established within the time limit' })
    })
    openSocket(url).then(
      (socket) => this.#attach(socket),
      (error: unknown) => this.end({ cause: 'network', message: String(error) }),
    )
  }

  get isOpen(): boolean {
    return this.#phase === 'open'
  }

  /**
   * Sends a request and resolves with its answer. Rejects with a `ChatError` if the server rejects it,
   * with a `ClientError` after `timeoutMs` or when the connection ends.
   */
  request<N extends RequestName>(
    name: N,
    fields: RequestFields<N>,
    timeoutMs: number | null,
  ): Promise<Answer<N>> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket
      if (this.#phase !== 'open' || !socket) throw new ClientError('connection_lost')
      const ref = this.#answers.nextRef()
      const frame = encodeRequest(name, ref, fields)
      // The server closes the socket for a frame far above the limit, and would close the next one again.
      if (frame.length > this.#maxFrameBytes) throw new ChatError('too_large')
      const expire = () => {
        this.#answers.remove(ref)
        reject(new ClientError('timeout'))
      }
      const cancelTimeout = timeoutMs === null ? () => {} : this.#options.clock.after(timeoutMs, expire)
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          cancelTimeout()
          settle(value)
        }
      this.#answers.add(ref, settled(resolve), settled(reject))
      socket.send(frame as Uint8Array<ArrayBuffer>)
    })
  }

  /** Sends a ping, and ends the connection if nothing arrives soon. */
  check(): void {
    if (this.#phase !== 'open' || this.#isChecking) return
    const before = this.#framesReceived
    this.#isChecking = true
    this.#cancelTimer()
    // Any frame shows that the connection works, also an error that answers the ping.
    this.request('ping', {}, null).catch(() => {})
    this.#cancelTimer = this.#options.clock.after(PONG_WITHIN_MS, () => {
      this.#isChecking = false
      if (this.#framesReceived > before) this.#watch()
      else this.end({ cause: 'silence' })
    })
  }

  /** Ends the connection immediately, without waiting for a closing handshake on a dead network. */
  end(why: Disconnect): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    this.#cancelTimer()
    const socket = this.#socket
    this.#socket = null
    if (socket) {
      socket.onopen = null
      socket.onmessage = null
      socket.onclose = null
      // Closing a socket that is not open yet is reported as an error, which is ignored.
      socket.onerror = () => {}
      socket.close(NORMAL)
    }
    this.#answers.rejectAll(new ClientError('connection_lost'))
    this.#options.handlers.ended(why)
  }

  #attach(socket: WebSocket): void {
    if (this.#phase === 'ended') {
      socket.onerror = () => {}
      socket.close(NORMAL)
      return
    }
    this.#socket = socket
    socket.onopen = () => {
      const frame = encodeRequest('authenticate', this.#answers.nextRef(), { token: this.#options.token })
      socket.send(frame as Uint8Array<ArrayBuffer>)
    }
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data)
    // Not every platform reports `close` after `error`.
    socket.onerror = (event) => this.#broke('message' in event ? event.message : undefined)
    socket.onclose = ({ code, reason }) => {
      if (code === ABNORMAL) this.#broke(undefined)
      else this.end({ cause: 'server', code, message: reason })
    }
  }

  #broke(message: unknown): void {
    if (this.#phase === 'open') this.end({ cause: 'network', message: 'the connection broke' })
    else if (typeof message === 'string' && message) this.end({ cause: 'network', message })
    else this.end({ cause: 'network', message: 'the connection could not be established' })
  }

  #receive(data: unknown): void {
    this.#lastFrameAtMs = this.#options.clock.now()
    this.#framesReceived += 1
    let event: Event | null
    try {
      event = decodeEvent(new Uint8Array(data as ArrayBuffer))
    } catch {
      this.end({ cause: 'network', message: 'a frame could not be decoded' })
      return
    }
    // An event of a newer server is ignored.
    if (!event) return
    if (event.event === 'connected') this.#opened(event.fields)
    else if (event.ref !== 0) this.#answers.settle(event)
    else this.#options.handlers.event(event)
  }

  #opened(fields: EventFields<'connected'>): void {
    if (this.#phase !== 'opening') return
    this.#phase = 'open'
    this.#maxFrameBytes = fields.limits.maxMessageBytes
    this.#cancelTimer()
    this.#watch()
    this.#options.handlers.connected(fields)
  }

  /** Waits for silence, then sends a ping. */
  #watch(): void {
    const { clock, silenceMs } = this.#options
    const silentMs = clock.now() - this.#lastFrameAtMs
    if (silentMs < silenceMs) {
      this.#cancelTimer = clock.after(silenceMs - silentMs, () => this.#watch())
      return
    }
    this.check()
  }
}
