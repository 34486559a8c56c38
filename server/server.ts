/**
 * Server: the sockets and the HTTP API in front of an engine, started and stopped together.
 *
 * `createServer` validates the settings, creates the engine unless one is given, and listens on its own
 * port. `close` loses nothing: it notifies the clients, stops accepting, waits for the answers of requests
 * under way, closes the sockets with 1001, and closes the engine if the server created it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { machineClock } from '../engine/base/clock.ts'
import { createEngine, type EngineOptions, type Hooks } from '../engine/engine.ts'
import { AddressGuard, MAX_ADDRESSES } from './address-guard.ts'
import { adminRoutes } from './admin/admin-routes.ts'
import { Live } from './admin/live-figures.ts'
import { UserConnections } from './admin/user-connections.ts'
import { createAuthenticator } from './auth.ts'
import { cannotListen } from './cannot-listen.ts'
import {
  ConfigError,
  type GivenSettings,
  resolveSettings,
  type Settings,
  settings as settingsTable,
} from './config.ts'
import { engineSettings, settingsOfEngine } from './engine-settings.ts'
import { FrontEnd } from './front-end.ts'
import type { Fleet } from './fronts/fleet.ts'
import { apiRoutes } from './http/api.ts'
import { documentRoutes } from './http/api-documents.ts'
import { fileRoutes } from './http/files.ts'
import { healthRoutes } from './http/health.ts'
import { iceServersRoute } from './http/ice-servers.ts'
import { metricsRoutes } from './http/metrics.ts'
import { addRoutes } from './http/router.ts'
import { trialRoutes } from './http/trial-routes.ts'
import { upgradeRequiredRoute } from './http/upgrade-required.ts'
import { webRoutes } from './http/web-routes.ts'
import { createLog, type ServerLogger } from './logger.ts'
import { LoopDelay } from './metrics/loop-delay.ts'
import { mergedStats } from './metrics/merged-stats.ts'
import {
  type FrontStats,
  type ServerStats,
  type StatsSources,
  statsOf,
  statsWithoutEngine,
} from './metrics/server-stats.ts'
import { originRule } from './origins.ts'
import { RateLimiter } from './rate-limit.ts'
import { RefusalLog } from './refusal-log.ts'
import type { ServedEngine } from './served-engine.ts'
import { signingKey } from './signing-key.ts'
import { LocalTopics } from './socket-io/local-topics.ts'
import { SocketIo, socketIoPaths } from './socket-io/socket-io.ts'
import { readTls } from './tls.ts'
import { type LoadedTransport, loadTransport } from './transport/load.ts'
import { createPrivateApp } from './transport/node/transport.ts'
import type { App } from './transport/transport.ts'

export interface ServerOptions extends GivenSettings {
  /**
   * The engine to serve; without one the server creates and closes its own. An `Engine` is one. Hooks and settings
   * that only an engine has are then refused.
   */
  readonly engine?: ServedEngine | undefined
  /** Whether other processes of the service listen on the same port; false by default. */
  readonly sharesPort?: boolean | undefined
  /** Hooks for the engine that the server creates. A given engine already has its own. */
  readonly hooks?: Hooks | undefined
  /** Timeout of one hook, 2,000 ms by default; then its request is refused as `internal`. */
  readonly hookTimeoutMs?: number | undefined
  /** The log; pino on standard error by default. */
  readonly logger?: ServerLogger | undefined
  /** Milliseconds since 1970, for tests. */
  readonly now?: (() => number) | undefined
}

export interface Server {
  /** The port it listens on, also if the setting is 0. */
  readonly port: number
  /** `http://host:port`, or https, with `localhost` if it listens on all addresses. */
  readonly url: string
  /**
   * The statistics of `/api/stats` and `/metrics`.
   * Rejects with a ChatError: `shutting_down`, or `overloaded` if a shard does not answer within 5
   * seconds. A front without an engine has its own only, and no shards.
   */
  getServerStats(): Promise<ServerStats>
  /** Accepts no more connections; open ones remain until `close`. */
  stopListening(): void
  /**
   * Notifies the clients, drains, and closes; idempotent. Requests under way get up to 2 seconds, the
   * engine's commits the rest of 3.9 seconds. Closing an idle server takes far less. Rejects if a thread
   * of the engine hangs; the sockets and the port are closed in any case.
   */
  close(reason?: string): Promise<void>
}

const SWEEP_EVERY_MS = 1_000
const FORGET_EVERY_MS = 10_000
/** The time that `close` gives to requests and commits together. `FAREWELL_MS` is added. */
const CLOSE_MS = 3_900
/** The part of it for requests under way. */
const DRAIN_MS = 2_000
const DRAIN_STEP_MS = 5
const FAREWELL_MS = 100
const RECONNECT_SPREAD_MS = 5_000

/**
 * Starts a server.
 *
 * @example
 * ```ts
 * const server = await createServer({ port: 4040, dataDir: './data', jwtSecret: process.env['JWT_SECRET'] })
 * process.once('SIGTERM', () => server.close())
 * ```
 *
 * @throws ConfigError if a setting is invalid or the port is in use, and the errors of `createEngine`.
 */
export async function createServer(options: ServerOptions = {}): Promise<Server> {
  requireForServer(options)
  return startServer(options, null)
}

/** The same, as one of several fronts of an engine. */
export async function startServer(options: ServerOptions, fleet: Fleet | null): Promise<Server> {
  requireKnown(options)
  const settings = resolveSettings(options)
  const logger = options.logger ?? createLog(settings.logLevel)
  const now = options.now ?? Date.now
  const { steadyNow } = machineClock
  const tls = readTls(settings)
  const { transport, why } = await chooseTransport(settings)
  const authenticate = createAuthenticator({
    key: signingKey(settings),
    issuer: settings.jwtIssuer,
    audience: settings.jwtAudience,
    userClaim: settings.jwtUserClaim,
    nameClaim: settings.jwtNameClaim,
    adminClaim: settings.jwtAdminClaim,
    leewaySeconds: settings.jwtLeeway,
    logger,
    now,
  })
  const { engine, closeEngine } = await chooseEngine(options, settings, { logger, now })
  const limiter = new RateLimiter({
    perMinute: settings.rateLimit,
    maxUsers: 2 * settings.maxConnections,
    now: steadyNow,
  })
  const guard = new AddressGuard({
    perMinute: settings.authFailureLimit,
    maxAddresses: MAX_ADDRESSES,
    now: steadyNow,
    onFailed: fleet?.attemptFailed,
  })
  const originAllowed = originRule(settings.corsOrigins)

  const app = transport.createApp(tls)
  const refusals = new RefusalLog({ logger, now: steadyNow })
  const shared = {
    ...settings,
    authenticate,
    limiter,
    guard,
    originAllowed,
    refusals,
    fixesLimits: transport.fixesLimits,
    logger,
    now,
    steadyNow,
  }
  const speaksSocketIo = settings.socketIo === 'on'
  const privateApp = speaksSocketIo && fleet && fleet.number > 0 ? createPrivateApp() : null
  const localTopics = speaksSocketIo ? new LocalTopics(privateApp ? [app, privateApp] : [app]) : null
  const frontEnd = new FrontEnd(localTopics ?? app, { ...shared, gateway: engine.gateway })
  app.sockets('/ws', frontEnd.behavior)
  const socketIo = localTopics && new SocketIo({ ...shared, frontEnd, topics: localTopics, fleet })
  if (socketIo) for (const path of socketIoPaths) app.sockets(path, socketIo.behavior)
  if (socketIo && privateApp) {
    for (const path of socketIoPaths) privateApp.sockets(path, socketIo.behavior)
    privateApp.serve((request, response) => {
      if (!socketIo.serve(request, response)) response.destroy()
    })
  }
  const removePublisher = engine.gateway.addPublisher(frontEnd)
  let accepting = true
  const startedAtMs = steadyNow()
  const loopDelay = new LoopDelay(startedAtMs)
  const sources: StatsSources = {
    ...settings,
    engine,
    sockets: frontEnd,
    httpPending: () => router.pending,
    loopDelay,
    transport: { name: transport.name, why },
    startedAtMs,
    now: steadyNow,
  }
  const ownStats = statsOf(sources)
  const ownConnections = new UserConnections({ ...shared, sockets: frontEnd, front: fleet?.number ?? 0 })
  fleet?.join({ guard, stats: ownStats, connections: ownConnections })
  const statsByFront = async (): Promise<readonly FrontStats[]> => {
    try {
      return fleet ? await fleet.stats() : [{ front: 0, stats: await ownStats() }]
    } catch (error) {
      // The engine connects the fronts: without one, this front knows only itself.
      const own = statsWithoutEngine(sources)
      if (!own) throw error
      return [{ front: fleet?.number ?? 0, stats: own }]
    }
  }
  const stats = async () => mergedStats(await statsByFront())
  const connections = fleet ?? {
    list: async (userId: string) => ownConnections.list(userId),
    end: async (userId: string, id: number | null, by: string) => ownConnections.end(userId, id, by),
  }
  const routes = [
    ...(settings.web === 'on' ? [...webRoutes(), ...trialRoutes({ settings, guard, engine })] : []),
    upgradeRequiredRoute(),
    ...healthRoutes(engine, () => accepting),
    ...apiRoutes({ ...shared, engine, accepting: () => accepting }),
    ...documentRoutes(),
    ...metricsRoutes({ ...shared, stats, statsByFront }),
    ...adminRoutes({
      ...shared,
      live: new Live({ stats, engine, meters: frontEnd.meters, recent: logger.recent, steadyNow }),
      connections,
      recent: logger.recent,
    }),
    iceServersRoute(shared),
    ...fileRoutes({ ...shared, engine, accepting: () => accepting }),
  ]
  const router = addRoutes(
    app,
    routes,
    shared,
    (request, response) => socketIo?.serve(request, response) ?? false,
  )

  let port: number
  try {
    if (fleet) await privateApp?.listenAt(fleet.socketOf(fleet.id))
    port = await listen(app, settings, options.sharesPort ?? false)
  } catch (error) {
    frontEnd.closeAll()
    removePublisher()
    loopDelay.close()
    app.close()
    privateApp?.close()
    await closeEngine()
    throw error
  }
  const sweeper = setInterval(() => {
    frontEnd.sweep()
    socketIo?.sweep()
    loopDelay.rotate(steadyNow())
  }, SWEEP_EVERY_MS)
  const forgetter = setInterval(() => {
    limiter.sweep()
    guard.sweep()
    refusals.sweep()
  }, FORGET_EVERY_MS)

  const stop = async (reason: string): Promise<void> => {
    accepting = false
    const endMs = performance.now() + CLOSE_MS
    app.stopListening()
    frontEnd.stop(reason, () => Math.floor(Math.random() * RECONNECT_SPREAD_MS))
    const drainedByMs = performance.now() + DRAIN_MS
    while (frontEnd.unanswered + router.pending > 0 && performance.now() < drainedByMs) {
      await delay(DRAIN_STEP_MS)
    }
    clearInterval(sweeper)
    clearInterval(forgetter)
    loopDelay.close()
    const farewells = frontEnd.connections > 0
    frontEnd.closeAll()
    removePublisher()
    try {
      await closeEngine(endMs - performance.now())
    } finally {
      // The close frames are on their way; a socket that does not answer them is terminated.
      if (farewells) await delay(FAREWELL_MS)
      app.close()
      privateApp?.close()
      logger.info({ reason }, 'closed')
    }
  }

  let closing: Promise<void> | undefined
  const scheme = settings.tlsCert === undefined ? 'http' : 'https'
  const url = `${scheme}://${isWildcard(settings.host) ? 'localhost' : hostInUrl(settings.host)}:${port}`
  logger.info({ port, host: settings.host, transport: transport.name, why }, 'listening')
  return {
    port,
    url,
    getServerStats: stats,
    stopListening: () => app.stopListening(),
    close: (reason = 'the server is stopping') => {
      closing ??= stop(reason)
      return closing
    },
  }
}

/** The options of `createServer` that are not settings. */
const ownOptions: { readonly [N in Exclude<keyof ServerOptions, keyof GivenSettings>]-?: true } = {
  engine: true,
  sharesPort: true,
  hooks: true,
  hookTimeoutMs: true,
  logger: true,
  now: true,
}

/** Rejects misspelt options. @throws ConfigError */
function requireKnown(options: ServerOptions): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(settingsTable, name) || Object.hasOwn(ownOptions, name)) continue
    const known = [...Object.keys(ownOptions), ...Object.keys(settingsTable)].join(', ')
    throw new ConfigError(`unknown option: ${name}; known options: ${known}`)
  }
}

/** Rejects what a given engine would not apply. @throws ConfigError */
function requireForServer(options: ServerOptions): void {
  if (!options.engine) return
  const names = ['hooks', 'hookTimeoutMs', ...settingsOfEngine] as const
  const found = names.filter((name) => options[name] !== undefined)
  if (found.length > 0)
    throw new ConfigError(`${found.join(', ')} cannot be combined with engine: pass them to createEngine`)
}

interface ChosenEngine {
  readonly engine: ServedEngine
  /** Closes the engine if the server created it. */
  readonly closeEngine: (withinMs?: number) => Promise<void>
}

async function chooseEngine(
  { engine: given, hooks, hookTimeoutMs }: ServerOptions,
  settings: Settings,
  shared: Pick<EngineOptions, 'logger' | 'now'>,
): Promise<ChosenEngine> {
  if (given) return { engine: given, closeEngine: async () => {} }
  const engine = await createEngine({ ...engineSettings(settings), hooks, hookTimeoutMs, ...shared })
  return { engine, closeEngine: (withinMs) => engine.close(withinMs) }
}

async function chooseTransport({ transport }: Settings): Promise<LoadedTransport> {
  try {
    return await loadTransport(transport)
  } catch (error) {
    throw new ConfigError(`TRANSPORT is ${transport}, but ${(error as Error).message}`)
  }
}

async function listen(app: App, { host, port }: Settings, isShared: boolean): Promise<number> {
  try {
    return await app.listen(host, port, isShared)
  } catch {
    throw cannotListen(host, port)
  }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
