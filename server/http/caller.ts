/**
 * Caller: the user of an HTTP request. Tokens, address guard and rate limit are those of the sockets.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Budget } from '../../protocol/requests.ts'
import type { AddressGuard } from '../address-guard.ts'
import type { Authenticator } from '../auth.ts'
import { AuthError } from '../auth-error.ts'
import type { Verified } from '../claims.ts'
import type { RateLimiter } from '../rate-limit.ts'
import type { RefusalLog } from '../refusal-log.ts'
import { bearerToken } from '../upgrade.ts'
import type { HttpCall } from './router.ts'

/** The user of a request, and whether the operator's service sends it on behalf of the user. */
export type HttpCaller = Pick<Verified, 'identity' | 'isService' | 'isAdmin'>

export interface CallerOptions {
  readonly authenticate: Authenticator
  readonly guard: AddressGuard
  readonly limiter: RateLimiter
  readonly refusals: RefusalLog
}

/**
 * The caller of a request, which is charged `cost` tokens of its budget.
 * @throws ChatError `unauthenticated` or `rate_limited`.
 */
export async function callerOf(
  call: HttpCall,
  options: CallerOptions,
  budget: Budget = 'events',
  cost = 1,
): Promise<HttpCaller> {
  const { guard, limiter, refusals } = options
  const { address } = call
  const blockedMs = guard.blockedForMs(address)
  if (blockedMs > 0)
    throw new ChatError('rate_limited', 'too many failed attempts from this address', {
      retryAfterMs: blockedMs,
    })
  const caller = await verifiedCaller(bearerToken(call.authorization), address, options)
  const { userId } = caller.identity
  const verdict = limiter.take(userId, budget, cost)
  if (!verdict.pass) {
    const why = 'requests over the rate limit'
    refusals.note({ kind: 'rate_limited', address, userId, why })
    throw new ChatError('rate_limited', undefined, { retryAfterMs: verdict.retryAfterMs })
  }
  return caller
}

/**
 * The operator who sends a request: the one place that decides who may use the dashboard.
 * @throws ChatError also `forbidden`, for the token of another user.
 */
export async function adminOf(call: HttpCall, options: CallerOptions): Promise<HttpCaller> {
  const caller = await callerOf(call, options, 'reads')
  if (!caller.isAdmin) throw new ChatError('forbidden', 'only a token of an operator may do this')
  return caller
}

async function verifiedCaller(
  token: string,
  address: string,
  { authenticate, guard, refusals }: CallerOptions,
): Promise<HttpCaller> {
  if (token === '') throw new ChatError('unauthenticated', 'Authorization must contain a Bearer token')
  try {
    return await authenticate(token)
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    if (error.fault === 'client') guard.failed(address)
    refusals.note({ kind: 'token', address, why: error.message })
    throw error.toChatError()
  }
}
