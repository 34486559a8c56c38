/**
 * Upgrade gate: decides about a WebSocket handshake before its token is verified.
 *
 * Checks in this order: room on the server, origin, address guard, connection rate, version,
 * subprotocol, and room for sockets without a token. A refusal has a status, a reason and
 * `Retry-After` if a retry can succeed; it is counted and logged by its kind.
 */
import type { ErrorCode } from '../protocol/errors.ts'
import type { AddressGuard } from './address-guard.ts'
import type { ServerLogger } from './logger.ts'
import type { Meters, UpgradeRefusal } from './metrics/meters.ts'
import type { NewcomerRefusal, Newcomers } from './newcomers.ts'
import { type OriginRule, originRefusal } from './origins.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { RefusalLog } from './refusal-log.ts'
import type { ResponseHead } from './transport/transport.ts'
import type { UpgradeRequest } from './upgrade.ts'
import { wires } from './wire.ts'

export interface UpgradeGateOptions {
  readonly guard: AddressGuard
  readonly limiter: RateLimiter
  readonly originAllowed: OriginRule
  readonly maxConnections: number
  readonly newcomers: Newcomers
  readonly meters: Meters
  readonly refusals: RefusalLog
  readonly logger: ServerLogger
}

/** A refused handshake, as the transport answers it. */
export interface RefusedUpgrade {
  readonly refuse: ResponseHead
  readonly body: Uint8Array
}

interface Refusal {
  readonly status: number
  readonly why: string
  readonly kind: UpgradeRefusal
  readonly headers?: readonly (readonly [string, string])[]
}

const RETRY_AFTER_SECONDS = 5
const WEBSOCKET_VERSION = '13'
const codeOfRefusal: Readonly<Record<UpgradeRefusal, ErrorCode>> = {
  full: 'overloaded',
  stopping: 'shutting_down',
  origin: 'forbidden',
  attempts: 'rate_limited',
  connects: 'rate_limited',
  newcomers: 'rate_limited',
  version: 'bad_request',
  subprotocol: 'bad_request',
  failed: 'internal',
}

export class UpgradeGate {
  readonly #options: UpgradeGateOptions
  #stopping = false

  constructor(options: UpgradeGateOptions) {
    this.#options = options
  }

  /** Refuses every handshake from now on. */
  stop(): void {
    this.#stopping = true
  }

  /**
   * Checks a handshake while this many connections exist, of a client that uses at most `newcomerBytes` before
   * it is authenticated. Returns the refusal, or null if it is allowed.
   */
  check(
    asked: UpgradeRequest,
    address: string,
    connections: number,
    newcomerBytes: number,
  ): RefusedUpgrade | null {
    const refusal = this.#refusalOf(asked, address, connections)
    if (refusal) return this.#refused(refusal, asked.origin, address)
    const full = asked.token === null ? this.#options.newcomers.makeRoom(address, newcomerBytes) : null
    return full && this.withoutRoom(address, full)
  }

  /** The refusal of a handshake for which there is no room. */
  withoutRoom(address: string, full: NewcomerRefusal): RefusedUpgrade {
    const why = 'too many sockets without a token; send the token with the upgrade, or retry'
    const status = full === 'address' ? 429 : 503
    return this.#refused({ status, why, kind: 'newcomers', headers: retryAfter(1) }, '', address)
  }

  /** The refusal of a handshake that caused an internal error. */
  failed(): RefusedUpgrade {
    return this.#refuse({ status: 500, why: 'internal', kind: 'failed' })
  }

  #refused(refusal: Refusal, origin: string, address: string): RefusedUpgrade {
    const { refusals, logger } = this.#options
    const { kind, why } = refusal
    refusals.note({ kind: kind === 'origin' ? 'origin' : 'upgrade', address, why })
    logger.debug?.({ address, origin, why }, 'upgrade refused')
    return this.#refuse(refusal)
  }

  #refuse({ status, why, kind, headers = [] }: Refusal): RefusedUpgrade {
    this.#options.meters.refused(kind)
    const body = Buffer.from(JSON.stringify({ error: { code: codeOfRefusal[kind], message: why } }))
    return { refuse: { status, headers: [...headers, ['Content-Type', 'application/json']] }, body }
  }

  #refusalOf(asked: UpgradeRequest, address: string, connections: number): Refusal | null {
    const { guard, limiter, originAllowed, maxConnections } = this.#options
    if (this.#stopping) {
      return {
        status: 503,
        why: 'the server is stopping',
        kind: 'stopping',
        headers: retryAfter(RETRY_AFTER_SECONDS),
      }
    }
    if (connections >= maxConnections) {
      return {
        status: 503,
        why: 'the server is full',
        kind: 'full',
        headers: retryAfter(RETRY_AFTER_SECONDS),
      }
    }
    if (!originAllowed(asked.origin, asked.host)) {
      return { status: 403, why: originRefusal(asked.origin), kind: 'origin' }
    }
    const blockedMs = guard.blockedForMs(address)
    if (blockedMs > 0) {
      const why = 'too many failed attempts from this address'
      return { status: 429, why, kind: 'attempts', headers: retryAfter(blockedMs / 1_000) }
    }
    const connects = limiter.take(address, 'connect_address')
    if (!connects.pass) {
      const why = 'too many connections from this address'
      return { status: 429, why, kind: 'connects', headers: retryAfter(connects.retryAfterMs / 1_000) }
    }
    // RFC 6455 4.4
    if (asked.version !== WEBSOCKET_VERSION) {
      const headers = [['Sec-WebSocket-Version', WEBSOCKET_VERSION]] as const
      return { status: 426, why: 'this server supports WebSocket version 13', kind: 'version', headers }
    }
    if (asked.foreign) {
      const why = `unknown subprotocol: this server supports ${wires.map(({ subprotocol }) => subprotocol).join(' and ')}`
      return { status: 400, why, kind: 'subprotocol' }
    }
    return null
  }
}

function retryAfter(seconds: number): readonly (readonly [string, string])[] {
  return [['Retry-After', String(Math.ceil(seconds))]]
}
