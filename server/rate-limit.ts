/**
 * Rate limit: one token bucket per user and budget, over all devices of the user (LIM-1).
 *
 * `events` holds `perMinute` tokens. Reads, ephemeral requests and file chunks have separate budgets, so
 * that reading does not consume the tokens for sending. `connect` is charged once per connection,
 * `connect_address` once per upgrade and address. All buckets refill continuously.
 * A request costs one token unless its caller passes a cost. A request that costs more than the capacity
 * passes when the bucket is full and leaves a debt, so every request is possible eventually. Costs that
 * are known only afterwards, such as the events replayed by a `resume`, are charged then (INP-2).
 * Bounded: `sweep` deletes users whose buckets are full. Above `maxUsers` the oldest entry is deleted,
 * which gives that user at most one full bucket.
 */
import type { Budget, RequestSpec } from '../protocol/requests.ts'

/** The budget that a request or a connection is charged to. */
export type ChargedTo = Budget | 'connect' | 'connect_address'

export type Verdict =
  | { readonly pass: true }
  | {
      readonly pass: false
      readonly retryAfterMs: number
    }

export interface RateLimiterOptions {
  /** Events per minute and user; 0 means no limit. */
  readonly perMinute: number
  readonly maxUsers: number
  /** Milliseconds. */
  readonly now: () => number
}

/** Tokens as of `atMs`, in the order of `budgets`; undefined means a full bucket. */
interface Buckets {
  readonly tokens: (number | undefined)[]
  atMs: number
}

/** The cost of a request of this size, in tokens of its budget (INP-2). */
export function costOf({ cost = 1, bytesPerToken }: RequestSpec, bytes: number): number {
  return bytesPerToken === undefined ? cost : cost + Math.floor(bytes / bytesPerToken)
}

const MINUTE_MS = 60_000
/** The minimum of the connections per minute and user, independent of the limit of events. */
const MIN_CONNECTS = 100
/** An address may be shared by many users: a company, a mobile network, a proxy. */
const CONNECTS_PER_ADDRESS = 100
const budgets = ['events', 'reads', 'ephemeral', 'upload', 'connect', 'connect_address'] as const
const pass: Verdict = { pass: true }

export class RateLimiter {
  readonly perMinute: number
  readonly #capacities: readonly number[]
  readonly #maxUsers: number
  readonly #now: () => number
  readonly #buckets = new Map<string, Buckets>()

  constructor({ perMinute, maxUsers, now }: RateLimiterOptions) {
    this.perMinute = perMinute
    this.#maxUsers = maxUsers
    this.#now = now
    const connects = Math.max(perMinute, MIN_CONNECTS)
    const capacities: Record<ChargedTo, number> = {
      events: perMinute,
      reads: 5 * perMinute,
      ephemeral: 10 * perMinute,
      upload: 60 * perMinute,
      connect: connects,
      connect_address: CONNECTS_PER_ADDRESS * connects,
    }
    this.#capacities = budgets.map((budget) => capacities[budget])
  }

  /** Users and addresses with a bucket that is not full, for the metrics. */
  get users(): number {
    return this.#buckets.size
  }

  /** Takes `cost` tokens of the user (or address), or returns the time until they are available. */
  take(userId: string, budget: ChargedTo, cost = 1): Verdict {
    if (this.perMinute === 0) return pass
    const now = this.#now()
    const buckets = this.#bucketsOf(userId, now)
    this.#refill(buckets, now)
    const at = budgets.indexOf(budget)
    const capacity = this.#capacities[at] as number
    const tokens = buckets.tokens[at] ?? capacity
    const needed = Math.min(cost, capacity)
    if (tokens >= needed) {
      buckets.tokens[at] = tokens - cost
      return pass
    }
    return { pass: false, retryAfterMs: Math.max(1, Math.ceil(((needed - tokens) * MINUTE_MS) / capacity)) }
  }

  /** Takes `cost` tokens unconditionally; a deficit is a debt. */
  charge(userId: string, budget: ChargedTo, cost: number): void {
    if (this.perMinute === 0) return
    const now = this.#now()
    const buckets = this.#bucketsOf(userId, now)
    this.#refill(buckets, now)
    const at = budgets.indexOf(budget)
    buckets.tokens[at] = (buckets.tokens[at] ?? (this.#capacities[at] as number)) - cost
  }

  /** Deletes the users whose buckets are full; called about every ten seconds. */
  sweep(): void {
    const now = this.#now()
    for (const [userId, buckets] of this.#buckets) {
      this.#refill(buckets, now)
      if (buckets.tokens.every((tokens) => tokens === undefined)) this.#buckets.delete(userId)
    }
  }

  #bucketsOf(userId: string, now: number): Buckets {
    const known = this.#buckets.get(userId)
    if (known) return known
    if (this.#buckets.size >= this.#maxUsers) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    const buckets: Buckets = { tokens: budgets.map(() => undefined), atMs: now }
    this.#buckets.set(userId, buckets)
    return buckets
  }

  #refill(buckets: Buckets, now: number): void {
    // A clock that was set back refills nothing.
    const minutes = Math.max(0, now - buckets.atMs) / MINUTE_MS
    for (let at = 0; at < budgets.length; at++) {
      const tokens = buckets.tokens[at]
      const capacity = this.#capacities[at] as number
      if (tokens === undefined) continue
      const refilled = tokens + minutes * capacity
      buckets.tokens[at] = refilled >= capacity ? undefined : refilled
    }
    buckets.atMs = now
  }
}
