/**
 * Refusal log: refused connections and requests, for the operator, without a line per attempt.
 *
 * The first refusal of an address and kind is logged at once, at `info`. Further refusals within the
 * minute are counted, and the count is logged at its end. A line never contains a token, only the reason
 * that the client received.
 * Bounded: `maxEntries` pairs of address and kind; refusals above that are counted in one sum.
 */
import type { EngineLogger } from '../engine/base/engine-logger.ts'
import type { CloseReason } from '../protocol/close-codes.ts'

/** What was refused: an upgrade or HTTP request, one request of a socket, or a connection. */
export type RefusalKind = 'origin' | 'upgrade' | 'token' | 'rate_limited' | CloseReason

export interface RefusalLogOptions {
  readonly logger: EngineLogger
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  readonly maxEntries?: number
}

export interface Refused {
  readonly kind: RefusalKind
  readonly address: string
  /** The user of the connection or request, if known. */
  readonly userId?: string | undefined
  readonly why: string
}

interface Entry {
  refused: Refused
  count: number
  sinceMs: number
}

const MINUTE_MS = 60_000
const MAX_ENTRIES = 1_000
const MAX_WHY_CHARS = 300

export class RefusalLog {
  readonly #logger: EngineLogger
  readonly #now: () => number
  readonly #maxEntries: number
  readonly #entries = new Map<string, Entry>()
  #others = 0

  constructor({ logger, now, maxEntries = MAX_ENTRIES }: RefusalLogOptions) {
    this.#logger = logger
    this.#now = now
    this.#maxEntries = maxEntries
  }

  /** Logs or counts one refusal. */
  note(refused: Refused): void {
    const key = `${refused.kind} ${refused.address}`
    const entry = this.#entries.get(key)
    if (entry) {
      entry.count++
      entry.refused = refused
    } else if (this.#entries.size < this.#maxEntries) {
      this.#entries.set(key, { refused, count: 0, sinceMs: this.#now() })
      this.#log(refused, 1)
    } else this.#others++
  }

  /** Logs the counts of completed minutes; called about every ten seconds. */
  sweep(): void {
    const now = this.#now()
    for (const [key, entry] of this.#entries) {
      if (now - entry.sinceMs < MINUTE_MS) continue
      if (entry.count === 0) this.#entries.delete(key)
      else {
        this.#log(entry.refused, entry.count)
        entry.count = 0
        entry.sinceMs = now
      }
    }
    if (this.#others > 0) this.#logger.info({ count: this.#others }, 'refused, further addresses')
    this.#others = 0
  }

  #log({ kind, address, userId, why }: Refused, count: number): void {
    const fields = { kind, address, ...(userId && { userId }), why: why.slice(0, MAX_WHY_CHARS), count }
    this.#logger.info(fields, 'refused')
  }
}
