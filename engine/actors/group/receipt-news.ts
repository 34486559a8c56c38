/**
 * Receipt news: receipts that nobody has heard of yet.
 *
 * They are told together, 50 ms after the first (SPEC 5): for each reader one event to each sender,
 * and what was read one more to the reader's other devices. Bounded: with `MAX_SEQS` numbers it is
 * full, and all is told at once.
 */
import { limits } from '../../../protocol/limits.ts'

export const TOLD_AFTER_MS = 50
const MAX_SEQS = 20_000

export type ReceiptKind = 'delivered' | 'read'

/** Receipts that one session gave. */
export interface Receipts {
  readonly kind: ReceiptKind
  readonly userId: string
  readonly session: number
  /** For the reader's other devices. */
  readonly seqs: readonly number[]
  /** For those who sent them. */
  readonly bySender: ReadonlyMap<string, readonly number[]>
  /** Milliseconds since 1970. */
  readonly at: number
}

interface Gathered extends Receipts {
  readonly seqs: number[]
  readonly bySender: Map<string, number[]>
  at: number
}

export class ReceiptNews {
  readonly #gathered: { readonly [K in ReceiptKind]: Map<number, Gathered> } = {
    delivered: new Map(),
    read: new Map(),
  }
  #seqs = 0

  get empty(): boolean {
    return this.#seqs === 0
  }

  /** Whether it is time to tell, whatever the clock says. */
  get full(): boolean {
    return this.#seqs >= MAX_SEQS
  }

  add({ kind, userId, session, seqs, bySender, at }: Receipts): void {
    let gathered = this.#gathered[kind].get(session)
    if (!gathered) {
      gathered = { kind, userId, session, seqs: [], bySender: new Map(), at }
      this.#gathered[kind].set(session, gathered)
    }
    gathered.at = at
    gathered.seqs.push(...seqs)
    this.#seqs += seqs.length
    for (const [sender, theirs] of bySender) {
      this.#seqs += theirs.length
      const known = gathered.bySender.get(sender)
      if (known) known.push(...theirs)
      else gathered.bySender.set(sender, [...theirs])
    }
  }

  /** Takes all of it out: deliveries before readings. */
  takeAll(): readonly Receipts[] {
    const all = [...this.#gathered.delivered.values(), ...this.#gathered.read.values()]
    this.#gathered.delivered.clear()
    this.#gathered.read.clear()
    this.#seqs = 0
    return all
  }
}

/** As many numbers at a time as one event may name. */
export function* eventsOf(seqs: readonly number[]): Generator<readonly number[]> {
  for (let from = 0; from < seqs.length; from += limits.receiptMessages) {
    yield seqs.slice(from, from + limits.receiptMessages)
  }
}
