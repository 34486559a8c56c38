/**
 * Receipt news: receipts that were not reported yet.
 *
 * They are sent together, 50 ms after the first (RCP-1): for each reader one event to each sender,
 * and for read receipts one more to the reader's other devices. The events for one user come together,
 * so that they can leave in one write. Bounded: with `MAX_SEQS` numbers it is full, and everything is
 * sent immediately.
 */
import type { ReceiptKind } from './member-receipts.ts'

export const REPORT_AFTER_MS = 50
const MAX_SEQS = 20_000

/** The report to one user about receipts of another user, or of another of their own devices. */
export interface ReceiptsToTell {
  readonly kind: ReceiptKind
  readonly toUserId: string
  /** The user who gave the receipts. */
  readonly userId: string
  readonly session: number
  readonly seqs: readonly number[]
  /** When the newest was given, milliseconds since 1970. */
  readonly at: number
  /** Everything up to this number was read, if the request had `upTo`. */
  readonly upTo: number | undefined
}

interface Gathered extends ReceiptsToTell {
  readonly seqs: number[]
  at: number
  upTo: number | undefined
}

export class ReceiptNews {
  readonly #gathered = new Map<string, Gathered>()
  #count = 0

  get empty(): boolean {
    return this.#count === 0
  }

  /** Whether it must be sent now, before its time. */
  get full(): boolean {
    return this.#count >= MAX_SEQS
  }

  add(
    kind: ReceiptKind,
    toUserId: string,
    userId: string,
    session: number,
    seq: number,
    at: number,
    upTo?: number,
  ): void {
    this.#count += 1
    const key = `${kind}${session}:${toUserId}`
    const gathered = this.#gathered.get(key)
    if (!gathered) {
      this.#gathered.set(key, { kind, toUserId, userId, session, seqs: [seq], at, upTo })
      return
    }
    gathered.seqs.push(seq)
    gathered.at = at
    if (upTo !== undefined) gathered.upTo = Math.max(upTo, gathered.upTo ?? 0)
  }

  /** Removes and returns all reports, by receiver. */
  takeAll(): readonly ReceiptsToTell[] {
    const all = [...this.#gathered.values()]
    this.#gathered.clear()
    this.#count = 0
    if (all.length === 1) return all
    // Delivered before read; otherwise in the order of arrival.
    return all.sort((a, b) => compare(a.toUserId, b.toUserId) || compare(a.kind, b.kind))
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
