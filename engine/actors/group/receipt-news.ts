/**
 * Receipt news: receipts that were not reported yet.
 *
 * They are sent together, 50 ms after the first (RCP-1): for each reader one event to each sender,
 * and for read receipts one more to the reader's other devices. The events for one user come together,
 * so that they can leave in one write. Until then each receipt is one small object: every garbage
 * collection copies what waits, and its pause delays all messages of the shard.
 * Bounded: with `MAX_SEQS` numbers it is full, and everything is sent immediately.
 */
import type { ReceiptKind } from './member-receipts.ts'

export const REPORT_AFTER_MS = 50
const MAX_SEQS = 20_000

/** A receipt for one number. */
export interface GivenReceipt {
  readonly kind: ReceiptKind
  /** The user who gave the receipt. */
  readonly userId: string
  readonly session: number
  readonly seq: number
  /** The sender to notify, or null. */
  readonly senderId: string | null
  /** Whether the user's other devices are notified. */
  readonly toOwn: boolean
  /** When it was given, milliseconds since 1970. */
  readonly at: number
  readonly upTo: number | undefined
}

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
  /** Everything up to this number was read, if a request had `upTo`. */
  readonly upTo: number | undefined
}

interface Addressed {
  readonly toUserId: string
  readonly receipt: GivenReceipt
}

export class ReceiptNews {
  readonly #receipts: GivenReceipt[] = []
  /** Numbers to send. */
  #count = 0

  get empty(): boolean {
    return this.#count === 0
  }

  /** Whether it must be sent now, before its time. */
  get full(): boolean {
    return this.#count >= MAX_SEQS
  }

  /** Adds a receipt that somebody is notified of. */
  add(receipt: GivenReceipt): void {
    this.#count += (receipt.senderId === null ? 0 : 1) + (receipt.toOwn ? 1 : 0)
    this.#receipts.push(receipt)
  }

  /** Removes and returns all reports, by receiver. */
  takeAll(): readonly ReceiptsToTell[] {
    const addressed: Addressed[] = []
    for (const receipt of this.#receipts) {
      if (receipt.senderId !== null) addressed.push({ toUserId: receipt.senderId, receipt })
      if (receipt.toOwn) addressed.push({ toUserId: receipt.userId, receipt })
    }
    // Emptied, not replaced: an old list, also one that nothing refers to, keeps what was added to it alive.
    this.#receipts.length = 0
    this.#count = 0
    // Delivered before read. The receipts of one report are next to each other, in the order of arrival.
    addressed.sort(compare)
    const reports: ReceiptsToTell[] = []
    for (let from = 0; from < addressed.length; ) {
      const first = addressed[from] as Addressed
      let to = from + 1
      while (to < addressed.length && compare(first, addressed[to] as Addressed) === 0) to += 1
      reports.push(reportOf(addressed.slice(from, to)))
      from = to
    }
    return reports
  }
}

/** One report of receipts of one kind from one session to one user. */
function reportOf(addressed: readonly Addressed[]): ReceiptsToTell {
  const { toUserId, receipt } = addressed.at(-1) as Addressed
  const { kind, userId, session, at } = receipt
  let upTo: number | undefined
  for (const { receipt } of addressed)
    if (receipt.upTo !== undefined) upTo = Math.max(receipt.upTo, upTo ?? 0)
  const seqs = addressed.map(({ receipt }) => receipt.seq)
  return { kind, toUserId, userId, session, seqs, at, upTo }
}

function compare(a: Addressed, b: Addressed): number {
  return (
    compareText(a.toUserId, b.toUserId) ||
    compareText(a.receipt.kind, b.receipt.kind) ||
    a.receipt.session - b.receipt.session
  )
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
