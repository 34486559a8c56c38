/**
 * Link: maintains one connection, and reports its state.
 *
 *   idle → connecting → connected ⇄ reconnecting → closed
 *
 * The close code decides whether to reconnect: with exponential backoff and full jitter,
 * or after the delay that the server announced. A token function is called for every connection,
 * with a time limit, and once more if its token was rejected (4401, 4402). The count of failures is
 * reset only after a connection was stable for a while, so that a server that accepts and closes
 * connections is not flooded with attempts.
 */
import { mayReconnect } from '../protocol/close-codes.ts'
import type { Event, EventFields } from '../protocol/events.ts'
import { backoffMs } from './backoff.ts'
import { ClientConnection, type Disconnect } from './client-connection.ts'
import { ClientError, clientErrors } from './client-error.ts'
import type { Clock } from './clock.ts'
import { tokenExpired, unauthenticated } from './wire-numbers.ts'

/** A token, or a function that returns one; called for each connection, and before the token expires. */
export type TokenSource = string | (() => string | Promise<string>)

export type ClientState =
  | { readonly state: 'idle' }
  | { readonly state: 'connecting' }
  | { readonly state: 'connected'; readonly sessionId: string }
  /** The next attempt starts after `delayMs`. `failures` is the number of failures in a row. */
  | {
      readonly state: 'reconnecting'
      readonly failures: number
      readonly delayMs: number
      readonly reason: Disconnect
    }
  | { readonly state: 'closed'; readonly reason: Disconnect }

export interface LinkHandlers {
  state(state: ClientState): void
  connected(connection: ClientConnection, fields: EventFields<'connected'>): void
  event(event: Event): void
  /** The open connection has ended. */
  lost(): void
  /** There will be no connection until `start` is called again. */
  closed(error: ClientError): void
}

export interface LinkOptions {
  readonly url: string
  readonly token: TokenSource
  readonly clock: Clock
  readonly timeoutMs: number
  readonly silenceMs: number
  readonly openSocket: (url: string) => Promise<WebSocket>
  readonly handlers: LinkHandlers
}

type Phase =
  | { readonly name: 'idle' }
  | { readonly name: 'asking for a token'; readonly cancel: () => void }
  | { readonly name: 'opening' | 'up'; readonly connection: ClientConnection }
  | { readonly name: 'waiting'; readonly cancel: () => void }

const STABLE_MS = 10_000
/** The longest time for one step of connecting, whatever the time limit of requests is. */
const MAX_STEP_MS = 60_000
/** A 4401 after this time may be the server's deadline for the token, missed on a slow network. */
const LATE_MS = 8_000

export class Link {
  readonly #options: LinkOptions
  #phase: Phase = { name: 'idle' }
  #state: ClientState = { state: 'idle' }
  #failures = 0
  #rejectedTokens = 0
  #announcedMs: number | null = null
  #cancelStable: () => void = () => {}
  /** The time limit for the token, and for the handshake. */
  readonly #stepMs: number
  #openedAtMs = 0

  constructor(options: LinkOptions) {
    this.#options = options
    this.#stepMs = Math.min(options.timeoutMs, MAX_STEP_MS)
  }

  get state(): ClientState {
    return this.#state
  }

  /** Starts to connect. Has no effect if it has started already. */
  start(): void {
    if (this.#phase.name !== 'idle') return
    this.#failures = 0
    this.#rejectedTokens = 0
    this.#setState({ state: 'connecting' })
    this.#dial()
  }

  /** Ends the delay before the next attempt, unless the browser is offline; checks a connection that is open. */
  retryNow(): void {
    if (this.#phase.name === 'up') this.#phase.connection.check()
    else if (this.#phase.name === 'waiting' && globalThis.navigator?.onLine !== false) {
      this.#phase.cancel()
      this.#dial()
    }
  }

  /** Closes the open connection; a new one is established. */
  drop(why: Disconnect): void {
    if (this.#phase.name === 'up') this.#phase.connection.end(why)
  }

  close(): void {
    const phase = this.#phase
    switch (phase.name) {
      case 'idle':
        return
      case 'opening':
      case 'up':
        phase.connection.end({ cause: 'application' })
        return
      case 'asking for a token':
      case 'waiting':
        phase.cancel()
        this.#stop({ cause: 'application' })
    }
  }

  #dial(): void {
    const { clock, token } = this.#options
    const failed = (error: unknown) => {
      if (this.#phase !== asking) return
      cancel()
      this.#retry({ cause: 'token', message: messageOf(error) })
    }
    const cancel = clock.after(this.#stepMs, () => failed(`no token within ${this.#stepMs} ms`))
    const asking: Phase = { name: 'asking for a token', cancel }
    this.#phase = asking
    requestToken(token).then((fresh) => {
      if (this.#phase !== asking) return
      cancel()
      this.#open(fresh)
    }, failed)
  }

  #open(token: string): void {
    const { url, clock, silenceMs, openSocket } = this.#options
    this.#openedAtMs = clock.now()
    const connection = new ClientConnection({
      url,
      token,
      clock,
      openTimeoutMs: this.#stepMs,
      silenceMs,
      openSocket,
      handlers: {
        connected: (fields) => this.#connected(connection, fields),
        event: (event) => this.#onEvent(event),
        ended: (why) => this.#ended(why),
      },
    })
    this.#phase = { name: 'opening', connection }
  }

  #connected(connection: ClientConnection, fields: EventFields<'connected'>): void {
    this.#phase = { name: 'up', connection }
    this.#rejectedTokens = 0
    this.#announcedMs = null
    this.#cancelStable = this.#options.clock.after(STABLE_MS, () => {
      this.#failures = 0
    })
    this.#state = { state: 'connected', sessionId: fields.sessionId }
    this.#options.handlers.connected(connection, fields)
  }

  #onEvent(event: Event): void {
    if (event.event === 'server_shutdown') this.#announcedMs = event.fields.reconnectInMs
    if (event.event === 'token_expiring') this.#refresh()
    this.#options.handlers.event(event)
  }

  #ended(why: Disconnect): void {
    const wasUp = this.#phase.name === 'up'
    this.#cancelStable()
    if (wasUp) this.#options.handlers.lost()
    if (why.cause === 'application') this.#stop(why)
    else if (why.cause !== 'server' || mayReconnect(why.code) || this.#isLate(why.code, wasUp))
      this.#retry(why)
    else if (this.#canRenewToken(why.code)) this.#renewToken(why)
    else this.#stop(why)
  }

  #isLate(code: number, wasUp: boolean): boolean {
    const tookMs = this.#options.clock.now() - this.#openedAtMs
    return !wasUp && code === unauthenticated && tookMs >= LATE_MS
  }

  #canRenewToken(code: number): boolean {
    const ofToken = code === unauthenticated || code === tokenExpired
    return ofToken && typeof this.#options.token === 'function' && this.#rejectedTokens === 0
  }

  #renewToken(reason: Disconnect): void {
    this.#rejectedTokens += 1
    this.#setState({ state: 'reconnecting', failures: this.#failures, delayMs: 0, reason })
    this.#dial()
  }

  #retry(reason: Disconnect): void {
    const { clock } = this.#options
    this.#failures += 1
    const delayMs = this.#announcedMs ?? backoffMs(this.#failures, clock)
    this.#announcedMs = null
    this.#phase = { name: 'waiting', cancel: clock.after(delayMs, () => this.#dial()) }
    this.#setState({ state: 'reconnecting', failures: this.#failures, delayMs, reason })
  }

  #stop(reason: Disconnect): void {
    this.#phase = { name: 'idle' }
    this.#state = { state: 'closed', reason }
    this.#options.handlers.closed(toError(reason))
    this.#options.handlers.state(this.#state)
  }

  /** Refreshes the token, if a function provides it. Else the server closes with 4402 when it expires. */
  #refresh(): void {
    const { token, timeoutMs } = this.#options
    const phase = this.#phase
    if (typeof token !== 'function' || phase.name !== 'up') return
    requestToken(token)
      .then((newer) => phase.connection.request('refresh_token', { token: newer }, timeoutMs))
      // Without a newer token the session ends with 4402, and the next one requests a token again.
      .catch(() => {})
  }

  #setState(state: ClientState): void {
    this.#state = state
    this.#options.handlers.state(state)
  }
}

async function requestToken(source: TokenSource): Promise<string> {
  const token: unknown = typeof source === 'function' ? await source() : source
  if (typeof token === 'string' && token !== '') return token
  const given = token === '' ? 'an empty string' : typeof token
  throw new TypeError(`the token function must return a non-empty string; it returned ${given}`)
}

function toError(why: Disconnect): ClientError {
  if (why.cause !== 'server') return new ClientError('closed')
  return new ClientError('refused', `${clientErrors.refused}: ${why.message || why.code}`, why.code)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
