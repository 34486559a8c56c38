/**
 * Meters: the counters of the sockets: connections, requests, errors, times.
 *
 * Written on the hot path: a count is one addition, a time two reads of the clock, without allocation. The
 * names that are counted (error codes, refusals, reasons) come from the tables of the protocol and the
 * front end, so clients cannot make the maps grow.
 */
import type { CloseReason } from '../../protocol/close-codes.ts'
import { BusiestGroups } from './busiest-groups.ts'
import { Latency, type LatencyStats } from './latency.ts'
import { type Rate, RateMeter } from './rates.ts'

/** Why an upgrade was refused. */
export type UpgradeRefusal =
  | 'full'
  | 'stopping'
  | 'origin'
  | 'attempts'
  | 'connects'
  | 'newcomers'
  | 'version'
  | 'subprotocol'
  | 'failed'

/** A counter since the start, and how fast it grows. */
export interface Counted {
  readonly total: number
  readonly perSecond: Rate
}

/** The values of the meters. */
export interface MeterStats {
  readonly opened: number
  readonly refused: Readonly<Record<UpgradeRefusal, number>>
  /** Connections that this server closed, by reason (table of close codes). */
  readonly ended: Readonly<Record<string, number>>
  readonly requests: Counted
  /** Messages fanned out to members. */
  readonly messages: Counted
  /** Frames written to sockets. */
  readonly deliveries: Counted
  readonly errors: Counted & { readonly byCode: Readonly<Record<string, number>> }
  readonly latency: LatencyStats
}

const NO_REFUSALS: Readonly<Record<UpgradeRefusal, number>> = {
  full: 0,
  stopping: 0,
  origin: 0,
  attempts: 0,
  connects: 0,
  newcomers: 0,
  version: 0,
  subprotocol: 0,
  failed: 0,
}

export class Meters {
  opened = 0
  requests = 0
  messages = 0
  deliveries = 0
  readonly latency: Latency
  readonly #refused = { ...NO_REFUSALS }
  readonly #ended = new Map<string, number>()
  readonly #errors = new Map<string, number>()
  readonly #rates: Readonly<Record<'requests' | 'messages' | 'deliveries' | 'errors', RateMeter>>
  #errorsTotal = 0
  #busiest: BusiestGroups | null = null

  /** `nowMs` is a time of the clock that `sample` is called with. */
  constructor(nowMs: number) {
    this.latency = new Latency(nowMs)
    const rate = () => new RateMeter(nowMs)
    this.#rates = { requests: rate(), messages: rate(), deliveries: rate(), errors: rate() }
  }

  /** A message is published to the members of its group. */
  published(topic: string): void {
    this.messages += 1
    this.#busiest?.count(topic)
  }

  /** Counts messages by group, from the first call until nobody has called for some seconds. */
  busiestGroups(nowMs: number): BusiestGroups {
    this.#busiest ??= new BusiestGroups(nowMs)
    this.#busiest.wanted(nowMs)
    return this.#busiest
  }

  /** Whether messages are being counted by group. */
  get countsGroups(): boolean {
    return this.#busiest !== null
  }

  /** An upgrade was refused. */
  refused(why: UpgradeRefusal): void {
    this.#refused[why] += 1
  }

  /** This server closes a connection. */
  ended(reason: CloseReason): void {
    this.#ended.set(reason, (this.#ended.get(reason) ?? 0) + 1)
  }

  /** A request was answered with an error of that code. */
  error(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1)
    this.#errorsTotal += 1
  }

  /** Samples the counters; called about once a second. */
  sample(nowMs: number): void {
    const { requests, messages, deliveries, errors } = this.#rates
    requests.sample(nowMs, this.requests)
    messages.sample(nowMs, this.messages)
    deliveries.sample(nowMs, this.deliveries)
    errors.sample(nowMs, this.#errorsTotal)
    this.latency.rotate(nowMs)
    if (this.#busiest?.isUnwanted(nowMs)) this.#busiest = null
  }

  stats(): MeterStats {
    const rates = this.#rates
    return {
      opened: this.opened,
      refused: { ...this.#refused },
      ended: Object.fromEntries(this.#ended),
      requests: { total: this.requests, perSecond: rates.requests.rate() },
      messages: { total: this.messages, perSecond: rates.messages.rate() },
      deliveries: { total: this.deliveries, perSecond: rates.deliveries.rate() },
      errors: {
        total: this.#errorsTotal,
        perSecond: rates.errors.rate(),
        byCode: Object.fromEntries(this.#errors),
      },
      latency: this.latency.stats(),
    }
  }
}
