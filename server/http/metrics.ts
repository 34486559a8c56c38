/**
 * `GET /metrics` and `GET /api/stats`: statistics, for operators only.
 *
 * With `METRICS_TOKEN` every request must send it. Without it only requests from this machine are
 * answered: the socket's address and the requested host are loopback (the host check stops a page whose
 * DNS name points here), and no proxy header is present. A proxy on this machine that adds no header
 * cannot be distinguished: set the token, or do not expose the two paths.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { ChatError } from '../../protocol/errors.ts'
import type { AddressGuard } from '../address-guard.ts'
import { prometheusText, prometheusType } from '../metrics/prometheus.ts'
import type { FrontStats, ServerStats } from '../metrics/server-stats.ts'
import { bearerToken } from '../upgrade.ts'
import { isLocal } from './local-call.ts'
import { json } from './reply.ts'
import type { HttpCall, Route } from './router.ts'

export interface MetricsOptions {
  readonly stats: () => Promise<ServerStats>
  /** The same by front. */
  readonly statsByFront: () => Promise<readonly FrontStats[]>
  /** The operator's Bearer token; undefined admits only requests from this machine. */
  readonly metricsToken: string | undefined
  readonly guard: AddressGuard
}

/** The two routes. */
export function metricsRoutes(options: MetricsOptions): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/api/stats',
      handle: async (call) => {
        admit(call, options)
        return json(200, await options.stats())
      },
    },
    {
      method: 'GET',
      pattern: '/metrics',
      handle: async (call) => {
        admit(call, options)
        const headers = { 'Content-Type': prometheusType, 'Cache-Control': 'no-store' }
        return { status: 200, headers, body: await prometheusText(await options.statsByFront()) }
      },
    },
  ]
}

/** @throws ChatError `unauthenticated`, or `rate_limited` after too many failures of the address */
function admit(call: HttpCall, { metricsToken, guard }: MetricsOptions): void {
  if (metricsToken === undefined) {
    if (isLocal(call)) return
    throw new ChatError(
      'unauthenticated',
      'without METRICS_TOKEN only requests from this machine are allowed',
    )
  }
  const blockedMs = guard.blockedForMs(call.address)
  if (blockedMs > 0)
    throw new ChatError('rate_limited', 'too many failed attempts from this address', {
      retryAfterMs: blockedMs,
    })
  if (isSame(bearerToken(call.authorization), metricsToken)) return
  guard.failed(call.address)
  throw new ChatError('unauthenticated', 'Authorization must contain METRICS_TOKEN as a Bearer token')
}

/** Compares in constant time. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
