/**
 * Rate limit: one token bucket per user and budget, over all devices of the user (SPEC 5).
 *
 * `events` has `perMinute` tokens; `ephemeral` (pings, typing, receipts, signals) and `upload` (the
 * chunks of files) have multiples of their own. All refill evenly. Who goes on past the limit is told so: after `perMinute` refusals within a
 * minute the verdict says `ignored`, and the caller ends the connection.
 * Bounded: a user who owes nothing is forgotten in `sweep`, and over `maxUsers` the one who has
 * been known longest is, which lends at worst one full bucket.
 */
/** How many times `perMinute` each budget holds. */
const shares = { events: 1, ephemeral: 10, upload: 60 } as const

export type Budget = keyof typeof shares

export type Verdict =
  | { readonly pass: true }
  | { readonly pass: false; readonly retryAfterMs: number; readonly ignored: boolean }

export interface RateLimiterOptions {
  /** Events a minute and user; 0 is no limit. */
  readonly perMinute: number
  readonly maxUsers: number
  /** Milliseconds. */
  readonly now: () => number
}

/** Tokens as of `atMs`; refusals since `refusingSinceMs`. */
interface Bucket {
  readonly tokens: Record<Budget, number>
  atMs: number
  refusals: number
  refusingSinceMs: number
}

const MINUTE_MS = 60_000
const budgets = Object.keys(shares) as Budget[]
const pass: Verdict = { pass: true }

export class RateLimiter {
  readonly #perMinute: number
  readonly #maxUsers: number
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  constructor(options: RateLimiterOptions) {
    this.#perMinute = options.perMinute
    this.#maxUsers = options.maxUsers
    this.#now = options.now
  }

  /** Users who owe something, for the metrics. */
  get users(): number {
    return this.#buckets.size
  }

  /** Takes one token of the user's, or says when there will be one. */
  take(userId: string, budget: Budget): Verdict {
    if (this.#perMinute === 0) return pass
    const now = this.#now()
    const bucket = this.#bucketOf(userId, now)
    this.#refill(bucket, now)
    if (bucket.tokens[budget] >= 1) {
      bucket.tokens[budget] -= 1
      return pass
    }
    if (now - bucket.refusingSinceMs >= MINUTE_MS) {
      bucket.refusingSinceMs = now
      bucket.refusals = 0
    }
    bucket.refusals++
    const perMs = this.#capacity(budget) / MINUTE_MS
    return {
      pass: false,
      retryAfterMs: Math.max(1, Math.ceil((1 - bucket.tokens[budget]) / perMs)),
      ignored: bucket.refusals > this.#perMinute,
    }
  }

  /** Forgets the users whose buckets are full again; called now and then. */
  sweep(): void {
    const now = this.#now()
    for (const [userId, bucket] of this.#buckets) {
      if (now - bucket.refusingSinceMs < MINUTE_MS) continue
      this.#refill(bucket, now)
      const owes = budgets.some((budget) => bucket.tokens[budget] < this.#capacity(budget))
      if (!owes) this.#buckets.delete(userId)
    }
  }

  #capacity(budget: Budget): number {
    return this.#perMinute * shares[budget]
  }

  #bucketOf(userId: string, now: number): Bucket {
    const known = this.#buckets.get(userId)
    if (known) return known
    if (this.#buckets.size >= this.#maxUsers) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    const bucket: Bucket = {
      tokens: {
        events: this.#capacity('events'),
        ephemeral: this.#capacity('ephemeral'),
        upload: this.#capacity('upload'),
      },
      atMs: now,
      refusals: 0,
      refusingSinceMs: Number.NEGATIVE_INFINITY,
    }
    this.#buckets.set(userId, bucket)
    return bucket
  }

  #refill(bucket: Bucket, now: number): void {
    // A clock that was set back adds nothing.
    const minutes = Math.max(0, now - bucket.atMs) / MINUTE_MS
    for (const budget of budgets) {
      const capacity = this.#capacity(budget)
      bucket.tokens[budget] = Math.min(capacity, bucket.tokens[budget] + minutes * capacity)
    }
    bucket.atMs = now
  }
}
