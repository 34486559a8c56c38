/**
 * `tertulia/server`: the sockets and the HTTP API in front of an engine.
 */
export { ConfigError, type GivenSettings, type Settings, settingsFromEnv } from './config.ts'
export { type ServeFrontsOptions, serveFronts } from './fronts/serve-fronts.ts'
export type { FrontLink, FrontListener } from './link/front-listener.ts'
export type { ServerStats } from './metrics/server-stats.ts'
export type { EngineProcess, ServedEngine, ServedStats } from './served-engine.ts'
export { createServer, type Server, type ServerOptions } from './server.ts'
