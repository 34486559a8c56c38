/**
 * Links for tests: an engine behind each way to reach it, and connections without sockets of clients.
 */
import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { ephemeralTwin } from '../../../engine/base/topics.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Publisher, SessionPort } from '../../../engine/hub/gateway.ts'
import type { CloseReason } from '../../../protocol/close-codes.ts'
import { decodeEvent, encodeRequest } from '../../../protocol/codec.ts'
import { ChatError } from '../../../protocol/errors.ts'
import type { Event, EventFields, EventName } from '../../../protocol/events.ts'
import { viewFrame } from '../../../protocol/frame-view.ts'
import type { RequestFields, RequestName } from '../../../protocol/requests.ts'
import { type FrontListenerOptions, listenForFronts } from '../../../server/link/front-listener.ts'
import { type ConnectOptions, connectEngine } from '../../../server/link/linked-engine.ts'
import type { LinkableEngine } from '../../../server/link/linked-front.ts'
import type { ServerLogger } from '../../../server/logger.ts'
import type { ServedEngine } from '../../../server/served-engine.ts'
import { aCertificate } from '../../support/certificate.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'

export const KEY = 'a key of the engine and its fronts, for tests'

/** A logger whose lines a test can read. */
export function memoryLog(): ServerLogger & { readonly lines: { fields: object; message: string }[] } {
  const lines: { fields: object; message: string }[] = []
  const add = (fields: object, message: string) => void lines.push({ fields, message })
  return { lines, info: add, warn: add, error: add }
}

/** Listens for fronts until the end of the test. */
export async function listen(engine: LinkableEngine, options: Partial<FrontListenerOptions> = {}) {
  const listener = await listenForFronts(engine, {
    address: `unix:${temporaryFolder()}/link.sock`,
    key: KEY,
    logger: memoryLog(),
    ...options,
  })
  onTestFinished(() => listener.close())
  return listener
}

/** Connects a front until the end of the test. */
export async function connect(address: string, options: Partial<ConnectOptions> = {}) {
  const engine = await connectEngine({ address, key: KEY, logger: memoryLog(), ...options })
  onTestFinished(() => engine.close())
  return engine
}

/** The ways to an engine: one contract for all. */
export const ways: readonly {
  readonly way: string
  readonly reach: (engine: Engine) => Promise<ServedEngine>
}[] = [
  { way: 'in this process', reach: async (engine) => engine },
  {
    way: 'over a Unix socket',
    reach: async (engine) => connect((await listen(engine)).address),
  },
  {
    way: 'over TCP',
    reach: async (engine) => connect((await listen(engine, { address: 'tcp://127.0.0.1:0' })).address),
  },
  {
    way: 'over TLS',
    reach: async (engine) => {
      const { address, ca } = await listenTls(engine)
      return connect(address, { tls: { ca } })
    },
  },
]

/** Listens at `tls://` with a certificate for 127.0.0.1 and localhost, which `ca` trusts. */
export async function listenTls(engine: LinkableEngine): Promise<{ address: string; ca: string }> {
  const { tlsCert, tlsKey } = await aCertificate()
  const tls = { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') }
  const { address } = await listen(engine, { address: 'tls://127.0.0.1:0', tls })
  return { address, ca: tls.cert }
}

export { startInline }

/** The connections of one process, with what is published there. */
export class TestFront implements Publisher {
  readonly engine: ServedEngine
  readonly clients = new Set<TestClient>()

  constructor(engine: ServedEngine) {
    this.engine = engine
    engine.gateway.addPublisher(this)
  }

  publish(topic: string, frame: Uint8Array, except?: SessionPort): void {
    for (const client of this.clients)
      if (client !== except && client.topics.has(topic)) client.receive(frame)
  }

  /** Opens a session and waits for `connected`. */
  async open(userId: string): Promise<TestClient> {
    const client = new TestClient(this)
    client.open({ userId, name: `Name of ${userId}` })
    await client.next('connected')
    return client
  }
}

type Listener = (event: Event) => void

/** One connection: sends requests as frames and stores what it receives. */
export class TestClient implements SessionPort {
  readonly front: undefined
  readonly events: Event[] = []
  readonly topics = new Set<string>()
  closedBy: CloseReason | null = null
  malformed = 0
  session = -1
  /** While false, `whenDrained` waits: the reader is slow. */
  reads = true
  readonly #of: TestFront
  readonly #listeners = new Set<Listener>()
  readonly #waiting: (() => void)[] = []
  #lastRef = 0

  constructor(of: TestFront) {
    this.#of = of
  }

  open(identity: { userId: string; name?: string }): void {
    this.#of.clients.add(this)
    this.session = this.#of.engine.gateway.open(identity, this)
  }

  /** The connection is closed by its client. */
  leave(): void {
    this.#of.clients.delete(this)
    this.#of.engine.gateway.closed(this.session)
  }

  /** Sends a request. Rejects with the error of its answer. */
  request<N extends RequestName>(name: N, fields: RequestFields<N>): Promise<Event> {
    const ref = ++this.#lastRef
    return new Promise((resolve, reject) => {
      const stop = this.#listen((event) => {
        if (event.ref !== ref) return
        stop()
        if (event.event === 'error' || event.event === 'message_error')
          reject(ChatError.fromFields(event.fields as never))
        else resolve(event)
      })
      const frame = encodeRequest(name, ref, fields)
      const view = viewFrame(frame)
      if (!view) throw new Error('no frame')
      try {
        this.#of.engine.gateway.receive(this.session, frame, view)
      } catch (error) {
        stop()
        reject(error)
      }
    })
  }

  /** The next event of that name, or one that has arrived already and matches. */
  next<N extends EventName>(
    name: N,
    matches: (fields: EventFields<N>) => boolean = () => true,
  ): Promise<EventFields<N>> {
    const is = (event: Event) => event.event === name && matches(event.fields as EventFields<N>)
    const known = this.events.find(is)
    if (known) return Promise.resolve(known.fields as EventFields<N>)
    return new Promise((resolve) => {
      const stop = this.#listen((event) => {
        if (!is(event)) return
        stop()
        resolve(event.fields as EventFields<N>)
      })
    })
  }

  /** The fields of all events of that name so far. */
  of<N extends EventName>(name: N): EventFields<N>[] {
    return this.events.filter(({ event }) => event === name).map(({ fields }) => fields as EventFields<N>)
  }

  /** The reader has caught up. */
  drain(): void {
    this.reads = true
    for (const then of this.#waiting.splice(0)) then()
  }

  receive(frame: Uint8Array): void {
    const event = decodeEvent(Uint8Array.from(frame))
    if (!event) throw new Error('the engine sent no event')
    this.events.push(event)
    for (const listener of [...this.#listeners]) listener(event)
  }

  // SessionPort

  send(frame: Uint8Array): void {
    this.receive(frame)
  }

  subscribe(topic: string): void {
    this.topics.add(topic).add(ephemeralTwin(topic))
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic)
    this.topics.delete(ephemeralTwin(topic))
  }

  close(reason: CloseReason): void {
    this.closedBy ??= reason
  }

  countMalformed(): void {
    this.malformed += 1
  }

  whenDrained(then: () => void): void {
    if (this.reads) then()
    else this.#waiting.push(then)
  }

  #listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
