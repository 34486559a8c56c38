/**
 * Options of a `ChatClient`, validated in the constructor, before any connection is made.
 */
import { type Clock, MAX_DELAY_MS, systemClock } from './clock.ts'
import type { TokenSource } from './link.ts'
import { openWebSocket, toWebSocketUrl } from './websocket.ts'

export interface ChatClientOptions {
  /** `ws://host:port/ws`, or the server's address: `http://host:port`. */
  readonly url: string
  /** A token, or a function that returns one. With a function the client can outlive a single token. */
  readonly token: TokenSource
  /**
   * The time limit for an answer, milliseconds; 15,000 by default, `Infinity` for no limit. The
   * handshake and the token function have the same limit, at most a minute. Messages have no limit:
   * they are sent again.
   */
  readonly requestTimeoutMs?: number | undefined
  /** The connection is tested after this time without a frame, milliseconds; 25,000 by default. */
  readonly silenceMs?: number | undefined
  /**
   * Messages of one group in flight at once, 1 to 1,000. With 1, the default, the client's messages
   * stay in order even if one fails and is sent again; a higher value is faster.
   */
  readonly sendWindow?: number | undefined
  /**
   * Where an earlier run of the application ended, for the same user: the first `connected` is followed by
   * all events of its groups since then (CUP-1). Dropped if the token belongs to another user.
   */
  readonly start?: StartPositions | undefined
  /** Time and randomness, for tests. */
  readonly clock?: Clock | undefined
  /** Opens the connection instead of a WebSocket to `url`, for tests; `tertulia/testing` passes one. */
  readonly openSocket?: ((url: string) => Promise<WebSocket>) | undefined
}

/** What the application has received: of each group, the seq of the last event. */
export interface StartPositions {
  readonly userId: string
  readonly groups: readonly (readonly [groupId: string, lastSeq: number])[]
}

/** The options with their defaults. */
export interface ClientSettings {
  readonly url: string
  readonly token: TokenSource
  readonly timeoutMs: number
  readonly silenceMs: number
  readonly sendWindow: number
  readonly clock: Clock
  readonly start: StartPositions | undefined
  readonly openSocket: (url: string) => Promise<WebSocket>
}

const REQUEST_TIMEOUT_MS = 15_000
const SILENCE_MS = 25_000
const MAX_SEND_WINDOW = 1_000
const names = [
  'url',
  'token',
  'requestTimeoutMs',
  'silenceMs',
  'sendWindow',
  'start',
  'clock',
  'openSocket',
] satisfies (keyof ChatClientOptions)[]

/** @throws TypeError or RangeError that names the option and what it accepts. */
export function readOptions(options: ChatClientOptions): ClientSettings {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('ChatClient needs options, at least {url, token}')
  }
  for (const name of Object.keys(options)) {
    if (!(names as string[]).includes(name)) {
      throw new TypeError(`unknown option: ${name}; the options are ${names.join(', ')}`)
    }
  }
  const { token, sendWindow = 1, clock = systemClock } = options
  if (typeof token !== 'function' && (typeof token !== 'string' || token === '')) {
    throw new TypeError('token must be a non-empty string, or a function that returns one')
  }
  if (!Number.isInteger(sendWindow) || sendWindow < 1 || sendWindow > MAX_SEND_WINDOW) {
    throw new RangeError(`sendWindow must be an integer from 1 to ${MAX_SEND_WINDOW} (got ${sendWindow})`)
  }
  return {
    url: toWebSocketUrl(options.url),
    token,
    timeoutMs: timeLimit('requestTimeoutMs', options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS),
    silenceMs: timeLimit('silenceMs', options.silenceMs ?? SILENCE_MS),
    sendWindow,
    clock,
    start: options.start,
    openSocket: options.openSocket ?? openWebSocket,
  }
}

function timeLimit(name: string, ms: number): number {
  if (typeof ms !== 'number' || !(ms >= 1)) {
    throw new RangeError(`${name} must be at least 1 millisecond (got ${ms})`)
  }
  return Math.min(ms, MAX_DELAY_MS)
}
