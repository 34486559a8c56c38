/**
 * Link: keeps one connection up, and says in which state it is.
 *
 *   idle → connecting → connected ⇄ reconnecting → closed
 *
 * What time can mend is tried again, with exponential backoff and full jitter, or when the server
 * said; the table of close codes decides. A token function is asked for every connection, and
 * once more at once where its token was refused (4401, 4402). The count of failures begins anew
 * only after a connection has held for a while, so that a server that lets one in and throws one
 * out is not stormed.
 */
import { closeCodes, mayReconnect } from '../protocol/close-codes.ts'
import type { Event, EventFields } from '../protocol/events.ts'
import { backoffMs } from './backoff.ts'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { Connection, type Disconnect } from './connection.ts'

/** A token, or how to get one; asked anew for each connection, and before the token ends. */
export type TokenSource = string | (() => string | Promise<string>)

export type ClientState =
  | { readonly state: 'idle' }
  | { readonly state: 'connecting' }
  | { readonly state: 'connected'; readonly sessionId: string }
  /** The next attempt begins after `delayMs`. `failures` counts those in a row. */
  | {
      readonly state: 'reconnecting'
      readonly failures: number
      readonly delayMs: number
      readonly reason: Disconnect
    }
  | { readonly state: 'closed'; readonly reason: Disconnect }

export interface LinkHandlers {
  state(state: ClientState): void
  connected(connection: Connection, fields: EventFields<'connected'>): void
  event(event: Event): void
  /** The connection that was there is gone. */
  lost(): void
  /** There will be none any more, until `start` is called again. */
  closed(error: ClientError): void
}

export interface LinkOptions {
  readonly url: string
  readonly token: TokenSource
  readonly clock: Clock
  readonly timeoutMs: number
  readonly silenceMs: number
  readonly handlers: LinkHandlers
}

type Phase =
  | { readonly name: 'idle' }
  | { readonly name: 'asking for a token' }
  | { readonly name: 'opening' | 'up'; readonly connection: Connection }
  | { readonly name: 'waiting'; readonly cancel: () => void }

const STABLE_MS = 10_000

export class Link {
  readonly #options: LinkOptions
  #phase: Phase = { name: 'idle' }
  #state: ClientState = { state: 'idle' }
  #failures = 0
  #refusals = 0
  #announcedMs: number | null = null
  #cancelStable: () => void = () => {}

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get state(): ClientState {
    return this.#state
  }

  /** Begins to connect; nothing where it has begun already. */
  start(): void {
    if (this.#phase.name !== 'idle') return
    this.#failures = 0
    this.#refusals = 0
    this.#say({ state: 'connecting' })
    this.#dial()
  }

  /** Gives the present connection up; a new one is made. */
  drop(why: Disconnect): void {
    if (this.#phase.name === 'up') this.#phase.connection.end(why)
  }

  close(): void {
    const phase = this.#phase
    if (phase.name === 'idle') return
    if (phase.name === 'opening' || phase.name === 'up') {
      phase.connection.end({ cause: 'application' })
      return
    }
    if (phase.name === 'waiting') phase.cancel()
    this.#stop({ cause: 'application' })
  }

  #dial(): void {
    const asking: Phase = { name: 'asking for a token' }
    this.#phase = asking
    askFor(this.#options.token).then(
      (token) => {
        if (this.#phase === asking) this.#open(token)
      },
      (error: unknown) => {
        if (this.#phase === asking) this.#retry({ cause: 'token', message: textOf(error) })
      },
    )
  }

  #open(token: string): void {
    const { url, clock, timeoutMs, silenceMs } = this.#options
    const connection = new Connection({
      url,
      token,
      clock,
      openTimeoutMs: timeoutMs,
      silenceMs,
      handlers: {
        connected: (fields) => this.#connected(connection, fields),
        event: (event) => this.#heard(event),
        ended: (why) => this.#ended(why),
      },
    })
    this.#phase = { name: 'opening', connection }
  }

  #connected(connection: Connection, fields: EventFields<'connected'>): void {
    this.#phase = { name: 'up', connection }
    this.#refusals = 0
    this.#announcedMs = null
    this.#cancelStable = this.#options.clock.after(STABLE_MS, () => {
      this.#failures = 0
    })
    this.#state = { state: 'connected', sessionId: fields.sessionId }
    this.#options.handlers.connected(connection, fields)
  }

  #heard(event: Event): void {
    if (event.event === 'server_shutdown') this.#announcedMs = event.fields.reconnectInMs
    if (event.event === 'token_expiring') this.#refresh()
    this.#options.handlers.event(event)
  }

  #ended(why: Disconnect): void {
    const wasUp = this.#phase.name === 'up'
    this.#cancelStable()
    if (wasUp) this.#options.handlers.lost()
    if (why.cause === 'application') this.#stop(why)
    else if (why.cause !== 'server' || mayReconnect(why.code)) this.#retry(why)
    else if (this.#mayAskAnew(why.code)) this.#askAnew(why)
    else this.#stop(why)
  }

  #mayAskAnew(code: number): boolean {
    const ofToken = code === closeCodes.unauthenticated.code || code === closeCodes.token_expired.code
    return ofToken && typeof this.#options.token === 'function' && this.#refusals === 0
  }

  #askAnew(reason: Disconnect): void {
    this.#refusals += 1
    this.#say({ state: 'reconnecting', failures: this.#failures, delayMs: 0, reason })
    this.#dial()
  }

  #retry(reason: Disconnect): void {
    const { clock } = this.#options
    this.#failures += 1
    const delayMs = this.#announcedMs ?? backoffMs(this.#failures, clock)
    this.#announcedMs = null
    this.#phase = { name: 'waiting', cancel: clock.after(delayMs, () => this.#dial()) }
    this.#say({ state: 'reconnecting', failures: this.#failures, delayMs, reason })
  }

  #stop(reason: Disconnect): void {
    this.#phase = { name: 'idle' }
    this.#state = { state: 'closed', reason }
    this.#options.handlers.closed(toError(reason))
    this.#options.handlers.state(this.#state)
  }

  /** A token that was given once cannot be renewed: the server closes with 4402 when it ends. */
  #refresh(): void {
    const { token, timeoutMs } = this.#options
    const phase = this.#phase
    if (typeof token !== 'function' || phase.name !== 'up') return
    askFor(token)
      .then((newer) => phase.connection.request('refresh_token', { token: newer }, timeoutMs))
      // Without a newer token the session ends with 4402, and the next one asks again.
      .catch(() => {})
  }

  #say(state: ClientState): void {
    this.#state = state
    this.#options.handlers.state(state)
  }
}

async function askFor(token: TokenSource): Promise<string> {
  return typeof token === 'function' ? await token() : token
}

function toError(why: Disconnect): ClientError {
  if (why.cause !== 'server') return new ClientError('closed')
  const row = Object.values(closeCodes).find(({ code }) => code === why.code)
  const meaning = row ? `${row.meaning}; ${row.advice}` : `closed with ${why.code}`
  return new ClientError('refused', why.message ? `${meaning} (${why.message})` : meaning, why.code)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
