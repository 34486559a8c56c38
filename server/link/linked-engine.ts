/**
 * Linked engine: an engine in another process, as a front uses it.
 *
 * `connectEngine` makes the first link. After a break it connects again, at once and then with pauses of up
 * to half a second, for as long as the front runs. Meanwhile requests of sessions wait (`LinkedGateway`), and
 * so do calls; after `waitMs` they are refused as `overloaded`. A call that waits for its answer when the link
 * breaks is made again if it may be made twice (RES-2).
 */
import { randomBytes } from 'node:crypto'
import { machineClock } from '../../engine/base/clock.ts'
import { overloaded, shuttingDown } from '../../engine/base/refusals.ts'
import type { Identity } from '../../engine/hub/gateway.ts'
import type { Health } from '../../engine/hub/health.ts'
import { machineTimers, type Timers } from '../../engine/threads/timer.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Answer, MethodRequest } from '../../protocol/methods.ts'
import { type RequestFields, type RequestName, requests } from '../../protocol/requests.ts'
import type { ServerLogger } from '../logger.ts'
import type { ServedEngine, ServedStats } from '../served-engine.ts'
import { greetEngine } from './handshake.ts'
import { Link } from './link.ts'
import { type ConnectTls, connectTo } from './link-address.ts'
import { LinkError } from './link-error.ts'
import { ToEngine, ToFront } from './link-records.ts'
import { LinkedFiles } from './linked-files.ts'
import { LinkedGateway } from './linked-gateway.ts'
import { packed, unpacked, unpackedFields } from './packed.ts'
import { isRepeatable, maybeDone } from './waiting-requests.ts'

const CONNECT_WITHIN_MS = 30_000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500
/** Calls that wait for an answer. */
const MAX_CALLS = 10_000

/** How long requests wait for the next link. */
const WAIT_MS = 5_000

export interface ConnectOptions {
  /** That of the engine: `unix:/path`, `tcp://host:port` or `tls://host:port`. */
  readonly address: string
  /** Shared by the engine and its fronts. */
  readonly key: string
  /** For `tls://`. */
  readonly tls?: ConnectTls | undefined
  readonly logger: ServerLogger
  /** How long the first link may take. 30,000 ms by default. */
  readonly connectWithinMs?: number | undefined
  /** How long requests wait for the engine while the link is down; 5,000 ms by default. */
  readonly waitMs?: number | undefined
  readonly timers?: Timers | undefined
  /** Milliseconds of a monotonic clock. */
  readonly steadyNow?: (() => number) | undefined
}

export interface LinkedEngine extends ServedEngine {
  readonly linked: boolean
  readonly linkRequests: number
  /** Sends a small value to the engine's process; dropped while the link is down. */
  notify(notice: unknown): void
  /** Calls `listener` with each notice of the engine's process; the returned function removes it. */
  onNotice(listener: (notice: unknown) => void): () => void
  /** Ends the link; the engine closes the sessions of this front. */
  close(): Promise<void>
}

/**
 * Connects to an engine in another process.
 *
 * @throws LinkError if the engine refuses the key or has another protocol version, or if it cannot be
 *   reached within the time
 */
export async function connectEngine(options: ConnectOptions): Promise<LinkedEngine> {
  const engine = new EngineBehindLink(options)
  await engine.connect()
  return engine
}

interface Waiting {
  readonly name: string
  readonly args: readonly unknown[]
  sent: boolean
  resolve(result: unknown): void
  reject(error: ChatError): void
}

/** Calls that may be made twice, besides those of `request` that may. */
const repeatableCalls: ReadonlySet<string> = new Set(['stats', 'details', 'fileProgress', 'fileRead'])

class EngineBehindLink implements LinkedEngine {
  readonly gateway: LinkedGateway
  readonly files = new LinkedFiles(this)
  readonly #options: ConnectOptions
  readonly #timers: Timers
  readonly #id = randomBytes(18).toString('base64url')
  readonly #calls = new Map<number, Waiting>()
  readonly #listeners = new Set<(notice: unknown) => void>()
  #lastCall = 0
  #link: Link | null = null
  #health: Health = { ready: false, reason: 'no engine is linked' }
  #closed = false
  /** The engine stops: calls wait for the next one. */
  #paused = false
  /** No link came in time. */
  #expired = false
  #cancelExpiry: () => void = () => {}
  /** That of the last engine's package. */
  #version = ''
  /** Counts the links. */
  epoch = 0

  constructor(options: ConnectOptions) {
    this.#options = options
    this.#timers = options.timers ?? machineTimers
    const { steadyNow = machineClock.steadyNow } = options
    this.gateway = new LinkedGateway({ steadyNow })
  }

  get linked(): boolean {
    return this.#link !== null && this.gateway.isSettled
  }

  get linkRequests(): number {
    return this.gateway.unanswered
  }

  /** Makes the first link. @throws LinkError */
  async connect(): Promise<void> {
    const { connectWithinMs = CONNECT_WITHIN_MS } = this.#options
    let late = false
    const cancel = this.#timers.after(connectWithinMs, () => {
      late = true
    })
    try {
      await this.#connect((error) => error.permanent || late)
    } finally {
      cancel()
    }
  }

  async request<N extends MethodRequest>(
    { userId, name, picture }: Identity,
    request: N,
    fields: RequestFields<N>,
    asker: 'service' | 'user' = 'service',
  ): Promise<Answer<N>> {
    return (await this.call('request', [{ userId, name, picture }, request, fields, asker])) as Answer<N>
  }

  health(): Health {
    return this.#health
  }

  stats(): Promise<ServedStats> {
    return this.call('stats', []) as Promise<ServedStats>
  }

  details(): ReturnType<ServedEngine['details']> {
    return this.call('details', []) as ReturnType<ServedEngine['details']>
  }

  notify(notice: unknown): void {
    this.#link?.push(ToEngine.notice, 0, undefined, packed(notice))
  }

  onNotice(listener: (notice: unknown) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  call(name: string, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw shuttingDown()
      if (this.#expired || this.#calls.size >= MAX_CALLS) throw overloaded()
      do this.#lastCall = (this.#lastCall + 1) >>> 0
      while (this.#calls.has(this.#lastCall))
      const waiting: Waiting = { name, args, sent: false, resolve, reject }
      this.#calls.set(this.#lastCall, waiting)
      if (this.#link && !this.#paused) this.#send(this.#link, this.#lastCall, waiting)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#link?.push(ToEngine.leaving, 0)
    await this.#link?.finish()
  }

  /** Tries until a link is up, until `isFinal` of an error, or until the front closes. */
  async #connect(isFinal: (error: LinkError) => boolean): Promise<void> {
    const { address, key, tls, logger } = this.#options
    let refusal = ''
    for (let pauseMs = FIRST_PAUSE_MS; !this.#closed; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const socket = await connectTo(address, tls)
        const peer = await greetEngine(socket, this.#id, address, { key, after: this.#timers.after })
        if (this.#closed) socket.destroy()
        else this.#join(new Link(socket, this.#linkOptions()), peer.version)
        return
      } catch (error) {
        const known = error instanceof LinkError ? error : new LinkError(String(error))
        if (isFinal(known)) throw known
        if (known.permanent && known.message !== refusal) {
          logger.error({ cause: known.message }, 'the engine refuses the link')
        }
        if (known.permanent) refusal = known.message
        await new Promise<void>((resolve) => this.#timers.after(pauseMs, resolve))
      }
    }
  }

  #linkOptions(): ConstructorParameters<typeof Link>[1] {
    return {
      timers: this.#timers,
      visit: (kind, number, id, body) => this.#take(kind, number, id, body),
      onHeartbeat: (body) => {
        this.#health = unpackedFields(body) as unknown as Health
        this.gateway.sweep()
      },
      onEnd: (why) => this.#broken(why),
    }
  }

  #join(link: Link, version: string): void {
    this.#link = link
    this.epoch += 1
    this.#paused = false
    this.#expired = false
    this.#cancelExpiry()
    this.#health = { ready: true }
    this.#options.logger.info({ address: this.#options.address, version }, 'the engine is linked')
    if (version !== this.#version) this.gateway.forgetAttaching()
    this.#version = version
    this.gateway.linked(link)
    for (const [number, call] of this.#calls) this.#send(link, number, call)
  }

  #send(link: Link, number: number, call: Waiting): void {
    call.sent = true
    link.push(ToEngine.call, number, Buffer.from(call.name), packed(call.args))
  }

  #broken(why: string): void {
    this.#link = null
    this.#health = { ready: false, reason: 'no engine is linked' }
    this.#waitForLink()
    this.gateway.broken()
    for (const [number, call] of [...this.#calls]) {
      if (!call.sent || isRepeatableCall(call)) continue
      this.#calls.delete(number)
      call.reject(call.name === 'request' ? maybeDone() : overloaded())
    }
    if (this.#closed) return this.#expire()
    this.#options.logger.warn({ why }, 'the link to the engine has ended')
    void this.#connect(() => false)
  }

  /** From now on requests wait, for a limited time. */
  #waitForLink(): void {
    this.#cancelExpiry()
    this.#cancelExpiry = this.#timers.after(this.#options.waitMs ?? WAIT_MS, () => this.#expire())
  }

  #expire(): void {
    this.#expired = true
    this.#cancelExpiry()
    this.gateway.expire()
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const { reject } of calls) reject(overloaded())
  }

  #take(kind: number, number: number, id: Uint8Array, body: Uint8Array): void {
    switch (kind) {
      case ToFront.answer:
        return this.#settle(number)?.resolve(unpacked(body))
      case ToFront.refusal:
        return this.#settle(number)?.reject(ChatError.fromFields(unpackedFields(body) as never))
      case ToFront.notice: {
        const notice = unpacked(body)
        for (const listener of this.#listeners) listener(notice)
        return
      }
      case ToFront.pause:
        this.#paused = true
        this.#waitForLink()
        return this.gateway.take(kind, number, id, body)
      default:
        return this.gateway.take(kind, number, id, body)
    }
  }

  #settle(number: number): Waiting | undefined {
    const waiting = this.#calls.get(number)
    this.#calls.delete(number)
    return waiting
  }
}

function isRepeatableCall({ name, args }: Waiting): boolean {
  if (name !== 'request') return repeatableCalls.has(name)
  const request = String(args[1])
  return Object.hasOwn(requests, request) && isRepeatable(requests[request as RequestName])
}
