/**
 * The HTTP routes on a free port, over a scripted engine.
 */
import type { Engine } from '../../engine/engine.ts'
import type { Identity } from '../../engine/hub/gateway.ts'
import type { RequestName } from '../../protocol/requests.ts'
import { AddressGuard } from '../../server/address-guard.ts'
import { createAuthenticator } from '../../server/auth.ts'
import { apiRoutes } from '../../server/http/api.ts'
import { healthRoutes } from '../../server/http/health.ts'
import { addRoutes, type Router } from '../../server/http/router.ts'
import { originRule } from '../../server/origins.ts'
import { RateLimiter } from '../../server/rate-limit.ts'
import { RefusalLog } from '../../server/refusal-log.ts'
import { transport } from '../support/transports.ts'
import { SECRET, START_MS } from './front-end-harness.ts'

/** A request as the engine received it. */
export interface EngineCall {
  readonly identity: Identity
  readonly name: RequestName
  readonly fields: unknown
}

export interface HttpHarness {
  readonly url: string
  readonly router: Router
  readonly calls: EngineCall[]
  readonly logged: string[]
  /** The engine's answer; it may throw. */
  reply: (call: EngineCall) => unknown
  health: ReturnType<Engine['health']>
  accepting: boolean
  close(): void
}

export async function startHttp(
  options: { rateLimit?: number; corsOrigins?: string[] } = {},
): Promise<HttpHarness> {
  const now = () => START_MS
  const logged: string[] = []
  const log = (_: object, message: string) => void logged.push(message)
  const logger = { info: log, warn: log, error: log }
  const app = transport.createApp()
  const calls: EngineCall[] = []
  const harness = { calls, logged, reply: (): unknown => ({}), health: { ready: true }, accepting: true }
  const engine = {
    health: () => harness.health,
    request: async (identity: Identity, name: RequestName, fields: unknown) => {
      const call = { identity, name, fields }
      calls.push(call)
      return (harness as unknown as HttpHarness).reply(call)
    },
  } as unknown as Engine
  const shared = {
    authenticate: createAuthenticator({ key: { kind: 'secret', secret: SECRET }, logger, now }),
    guard: new AddressGuard({ perMinute: 3, maxAddresses: 10, now }),
    limiter: new RateLimiter({ perMinute: options.rateLimit ?? 0, maxUsers: 10, now }),
    originAllowed: originRule(options.corsOrigins ?? []),
    trustProxy: false,
    refusals: new RefusalLog({ logger, now }),
    logger,
  }
  const accepting = () => harness.accepting
  const routes = [...healthRoutes(engine, accepting), ...apiRoutes({ ...shared, engine, accepting })]
  const router = addRoutes(app, routes, shared)
  const port = await app.listen('127.0.0.1', 0)
  return Object.assign(harness as unknown as HttpHarness, {
    url: `http://127.0.0.1:${port}`,
    router,
    close() {
      app.close()
    },
  })
}
