/**
 * Receipt news: receipts that nobody has heard of yet.
 *
 * They are sent together, 50 ms after the first (RCP-1): for each reader one event to each sender,
 * and what was read one more to the reader's other devices. What one user is told comes together,
 * so that it can leave in one write. Bounded: with `MAX_SEQS` numbers it is full, and all is told
 * at once.
 */
import type { ReceiptKind } from './member-receipts.ts'

export const TOLD_AFTER_MS = 50
const MAX_SEQS = 20_000

/** What one user is told of the receipts that another gave, or they themselves with another device. */
export interface ReceiptsToTell {
  readonly kind: ReceiptKind
  readonly toUserId: string
  /** Whose receipts they are. */
  readonly userId: string
  readonly session: number
  readonly seqs: readonly number[]
  /** When the newest was given, milliseconds since 1970. */
  readonly at: number
  /** All up to this number was read, where that was said. */
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

  /** Whether it is time to tell, whatever the clock says. */
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

  /** Takes all of it out, by who is told. */
  takeAll(): readonly ReceiptsToTell[] {
    const all = [...this.#gathered.values()]
    this.#gathered.clear()
    this.#count = 0
    if (all.length === 1) return all
    // Delivered before read; otherwise as they came.
    return all.sort((a, b) => compare(a.toUserId, b.toUserId) || compare(a.kind, b.kind))
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
