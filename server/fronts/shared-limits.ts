/**
 * Shared limits: the limits of users over all fronts, in the process of the engine (LIM-1, LIM-2).
 *
 * Each front has limits of its own, so that a flood ends there; a user with connections to several fronts could
 * use them several times. Here the requests and sessions of all fronts are counted together. Of too many
 * sessions, the one that has made no request for longest is closed. The budgets start full with the engine.
 */
import type { CloseReason } from '../../protocol/close-codes.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import type { MethodRequest } from '../../protocol/methods.ts'
import { type RequestSpec, requests } from '../../protocol/requests.ts'
import type { SessionLimits } from '../link/session-limits.ts'
import { type ChargedTo, costOf, RateLimiter } from '../rate-limit.ts'
import { type UserSession, UserSessions } from '../user-sessions.ts'

export interface SharedLimitsOptions {
  /** `RATE_LIMIT`. */
  readonly rateLimit: number
  /** `MAX_SESSIONS_PER_USER`. */
  readonly maxSessionsPerUser: number
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
}

interface LimitedSession extends UserSession {
  lastReceivedAtMs: number
  readonly close: (reason: CloseReason) => void
}

/** Users with a budget that is not full. */
const MAX_USERS = 1_000_000

export class SharedLimits implements SessionLimits<LimitedSession> {
  readonly #limiter: RateLimiter
  readonly #sessions: UserSessions<LimitedSession>
  readonly #now: () => number

  constructor({ rateLimit, maxSessionsPerUser, now }: SharedLimitsOptions) {
    this.#limiter = new RateLimiter({ perMinute: rateLimit, maxUsers: MAX_USERS, now })
    this.#sessions = new UserSessions(maxSessionsPerUser)
    this.#now = now
  }

  opened(userId: string, close: (reason: CloseReason) => void, isContinued: boolean): LimitedSession {
    const session = { userId, lastReceivedAtMs: this.#now(), close }
    if (isContinued) this.#sessions.addAllowed(session)
    else this.#sessions.add(session)?.close('too_many_sessions')
    return session
  }

  closed(session: LimitedSession): void {
    this.#sessions.remove(session)
  }

  received(session: LimitedSession, { row }: FrameView, bytes: number): void {
    session.lastReceivedAtMs = this.#now()
    this.#charge(session.userId, row?.budget ?? 'events', row ? costOf(row, bytes) : 1)
  }

  requested(userId: string, name: MethodRequest): void {
    const row: RequestSpec = requests[name]
    this.#charge(userId, row.budget ?? 'events', costOf(row, 0))
  }

  /** Deletes the users whose budgets are full; called about every ten seconds. */
  sweep(): void {
    this.#limiter.sweep()
  }

  /** @throws ChatError `rate_limited` */
  #charge(userId: string, budget: ChargedTo, cost: number): void {
    const verdict = this.#limiter.take(userId, budget, cost)
    if (verdict.pass) return
    throw new ChatError('rate_limited', undefined, { retryAfterMs: verdict.retryAfterMs })
  }
}
