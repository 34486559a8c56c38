/**
 * The parts of the gateway on a free port of one transport, with clocks that only a test moves: Engine.IO
 * with a user that echoes, and the whole gateway in front of a fake engine or a real one.
 */
import { expect, onTestFinished } from 'vitest'
import type { Engine } from '../../../engine/engine.ts'
import { AddressGuard } from '../../../server/address-guard.ts'
import { createAuthenticator } from '../../../server/auth.ts'
import { FrontEnd } from '../../../server/front-end.ts'
import { HeldBytes } from '../../../server/held-bytes.ts'
import { Newcomers } from '../../../server/newcomers.ts'
import { originRule } from '../../../server/origins.ts'
import { RateLimiter } from '../../../server/rate-limit.ts'
import { RefusalLog } from '../../../server/refusal-log.ts'
import { EngineIo } from '../../../server/socket-io/engine-io.ts'
import type { EngineSession } from '../../../server/socket-io/engine-session.ts'
import { LocalTopics } from '../../../server/socket-io/local-topics.ts'
import { SocketIo, socketIoPaths } from '../../../server/socket-io/socket-io.ts'
import type { App, SocketBehavior, Transport } from '../../../server/transport/transport.ts'
import { FakeGateway } from '../../support/fake-gateway.ts'
import { SECRET, START_MS, tokenOf } from '../front-end-harness.ts'
import { RawClient } from './clients.ts'

export interface EngineIoServer {
  readonly port: number
  /** All sessions so far, in the order of their handshakes. */
  readonly sessions: EngineSession[]
  /** Advances the clock, then runs the sweep. */
  advance(ms: number): void
}

/** Engine.IO alone: each message is sent back, text as text and bytes as bytes. */
export async function startEngineIo(transport: Transport): Promise<EngineIoServer> {
  let steadyMs = 0
  const sessions: EngineSession[] = []
  const engine = new EngineIo({
    originAllowed: () => true,
    held: new HeldBytes(10_000_000),
    newcomers: new Newcomers({ maxBytes: 16 * 1_048_576, now: () => steadyMs }),
    maxPayloadBytes: 1_000_000,
    maxMessageBytes: 65_536,
    compression: false,
    steadyNow: () => steadyMs,
    fixesLimits: transport.fixesLimits,
    check: () => null,
    withoutRoom: () => expect.unreachable(),
    addressOf: ({ address }) => address,
    userOf: () => null,
    opened(session) {
      sessions.push(session)
      session.user = {
        userId: '',
        received: (message) => echo(session, message),
        ponged() {},
        drained() {},
        upgraded() {},
        closed() {},
      }
    },
    failed(error) {
      throw error
    },
  })
  const app = transport.createApp()
  app.sockets('/socket.io/', engine.behavior as unknown as SocketBehavior<object>)
  app.serve((request, response) => engine.serve(request, response))
  return {
    port: await listen(app),
    sessions,
    advance(ms) {
      steadyMs += ms
      engine.sweep()
    },
  }
}

function echo(session: EngineSession, message: string | Uint8Array): void {
  if (typeof message === 'string') session.send(Buffer.from(`4${message}`), false)
  else if (session.socket) session.socket.send(message, true, false)
  else session.send(Buffer.from(`b${Buffer.from(message).toString('base64')}`), false)
}

export interface GatewayOptions {
  /** A fake one by default. */
  readonly engine?: Engine
  readonly corsOrigins?: readonly string[]
  readonly maxSessionsPerUser?: number
  readonly maxBackpressure?: number
  readonly maxUnauthenticatedBytes?: number
  readonly rateLimit?: number
}

export interface GatewayServer {
  readonly port: number
  /** The fake one; unused with an engine. */
  readonly gateway: FakeGateway
  readonly frontEnd: FrontEnd
  /** Warnings and errors. */
  readonly logged: string[]
  /** Advances the clocks, then runs the sweeps. */
  advance(ms: number): void
}

/** The whole gateway. Tokens are those of the front end's harness. */
export async function startGateway(
  transport: Transport,
  options: GatewayOptions = {},
): Promise<GatewayServer> {
  let nowMs = START_MS
  let steadyMs = 0
  const now = () => nowMs
  const steadyNow = () => steadyMs
  const gateway = new FakeGateway()
  const logged: string[] = []
  const log = (_: object, message: string) => void logged.push(message)
  const logger = { info() {}, warn: log, error: log }
  const app = transport.createApp()
  const topics = new LocalTopics([app])
  const shared = {
    authenticate: await createAuthenticator({ key: { kind: 'secret', secret: SECRET }, logger, now }),
    limiter: new RateLimiter({ perMinute: options.rateLimit ?? 0, maxUsers: 1_000, now: steadyNow }),
    guard: new AddressGuard({ perMinute: 0, maxAddresses: 1_000, now: steadyNow }),
    originAllowed: originRule(options.corsOrigins ?? []),
    maxConnections: 1_000,
    maxSessionsPerUser: options.maxSessionsPerUser ?? 16,
    maxMessageBytes: 65_536,
    maxBackpressure: options.maxBackpressure ?? 1_048_576,
    maxUnauthenticatedBytes: options.maxUnauthenticatedBytes ?? 16 * 1_048_576,
    fixesLimits: transport.fixesLimits,
    trustProxy: false,
    refusals: new RefusalLog({ logger: { ...logger, warn() {} }, now: steadyNow }),
    logger,
    now,
    steadyNow,
  }
  const frontEnd = new FrontEnd(topics, { ...shared, gateway: options.engine?.gateway ?? gateway })
  const socketIo = new SocketIo({
    ...shared,
    frontEnd,
    topics,
    compression: 'off',
    maxUpload: 100 * 1_048_576,
    socketIoMessage: 'both',
    socketIoTimes: 'iso',
    socketIoLeave: 'screen',
  })
  app.sockets('/ws', frontEnd.behavior)
  for (const path of socketIoPaths) app.sockets(path, socketIo.behavior)
  app.serve((request, response) => {
    if (!socketIo.serve(request, response)) response.end({ status: 404, headers: [] }, Buffer.alloc(0))
  })
  const removePublisher = (options.engine?.gateway ?? gateway).addPublisher(frontEnd)
  onTestFinished(removePublisher)
  return {
    port: await listen(app),
    gateway,
    frontEnd,
    logged,
    advance(ms) {
      nowMs += ms
      steadyMs += ms
      frontEnd.sweep()
      socketIo.sweep()
    },
  }
}

async function listen(app: App): Promise<number> {
  const port = await app.listen('127.0.0.1', 0)
  onTestFinished(() => app.close())
  return port
}

export const POLLING = 'EIO=4&transport=polling'
export const WEBSOCKET = 'EIO=4&transport=websocket'

type Target = Pick<EngineIoServer, 'port'>

/** One HTTP request: a body is sent by POST. */
export async function http(
  { port }: Target,
  query: string,
  { body, path = '/socket.io/', ...init }: RequestInit & { readonly path?: string } = {},
): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const method = init.method ?? (body === undefined ? 'GET' : 'POST')
  const given = body === undefined ? {} : { body }
  const response = await fetch(`http://127.0.0.1:${port}${path}?${query}`, { ...init, method, ...given })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/** Opens a session over long polling. Returns the query of its requests. */
export async function openPolling(server: Target, query = POLLING): Promise<string> {
  const { text } = await http(server, query)
  return `${query}&sid=${JSON.parse(text.slice(1)).sid}`
}

/** Opens a session over a WebSocket, after its first packet. */
export async function openWebSocket(server: Target, query = WEBSOCKET): Promise<RawClient> {
  const client = new RawClient(server, query)
  await client.next()
  return client
}

/** A WebSocket for a session that polls. */
export async function openUpgrade(server: Target, polling: string): Promise<RawClient> {
  const client = new RawClient(server, polling.replace('polling', 'websocket'))
  await client.opened()
  return client
}

/** A raw Socket.IO client of a user, after `connected`. */
export async function openConnected(
  server: GatewayServer,
  userId = 'ana',
  ttlSeconds?: number,
): Promise<RawClient> {
  const client = await openWebSocket(server)
  client.send(`40${JSON.stringify({ token: await tokenOf(userId, ttlSeconds) })}`)
  while (!String(await client.next()).startsWith('42["connected"')) {}
  return client
}
