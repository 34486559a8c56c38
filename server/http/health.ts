/**
 * Health: `/healthz` reports that the process is alive, `/readyz` that it accepts requests.
 */
import type { ServedEngine } from '../served-engine.ts'
import { json } from './reply.ts'
import type { Route } from './router.ts'

/** The routes for supervisors and load balancers; they require no token. */
export function healthRoutes(
  engine: Pick<ServedEngine, 'health'>,
  accepting: () => boolean,
): readonly Route[] {
  return [
    { method: 'GET', pattern: '/healthz', handle: () => json(200, { status: 'alive' }) },
    {
      method: 'GET',
      pattern: '/readyz',
      handle: () => {
        const health = engine.health()
        if (health.ready && accepting()) return json(200, { status: 'ready', warning: health.warning })
        return json(503, {
          status: 'not ready',
          reason: health.ready ? 'the server is stopping' : health.reason,
        })
      },
    },
  ]
}
