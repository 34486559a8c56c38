/**
 * Member receipts: what one member of a group has got and read, as their group's actor keeps it.
 *
 * What was read has been delivered, too. They begin with the membership and end with it: for what
 * came before, and for their own posts, a member owes none.
 */
import type { LogEntry, StoredReceipts } from '../../storage/log.ts'
import {
  type NothingBetween,
  noRanges,
  packRanges,
  type Ranges,
  unpackRanges,
  withReceipts,
} from './ranges.ts'

export type ReceiptKind = 'delivered' | 'read'

export interface MemberReceipts {
  readonly delivered: Ranges
  readonly read: Ranges
  /** The newest number that they said they have read: unread counts from there. 0 for none. */
  readonly readSeq: number
}

export const noReceipts: MemberReceipts = { delivered: noRanges, read: noRanges, readSeq: 0 }

/** By user id, from what the log gave. */
export function loadedReceipts(stored: readonly StoredReceipts[]): Map<string, MemberReceipts> {
  return new Map(stored.map((receipts) => [receipts.userId, unpacked(receipts)]))
}

function unpacked({ delivered, read, readSeq }: StoredReceipts): MemberReceipts {
  const ranges = unpackRanges(delivered)
  const same = delivered && read && Buffer.compare(delivered, read) === 0
  return { delivered: ranges, read: same ? ranges : unpackRanges(read), readSeq }
}

/** What is so from `at` on, with receipts for posts that this kind has none for yet; ascending. */
export function withMore(
  before: MemberReceipts,
  kind: ReceiptKind,
  seqs: readonly number[],
  at: number,
  nothingBetween: NothingBetween,
): Pick<MemberReceipts, ReceiptKind> {
  const delivered = withReceipts(before.delivered, seqs, at, nothingBetween)
  if (kind === 'delivered') return { delivered, read: before.read }
  // Who never says that something was delivered has the same ranges twice.
  if (before.read === before.delivered) return { delivered, read: delivered }
  return { delivered, read: withReceipts(before.read, seqs, at, nothingBetween) }
}

/** The log entry for all that a member has given receipts for. */
export function receiptsEntry(groupId: string, userId: string, receipts: MemberReceipts): LogEntry {
  const { readSeq } = receipts
  const delivered = packRanges(receipts.delivered)
  const read = receipts.read === receipts.delivered ? delivered : packRanges(receipts.read)
  return { type: 'receipts', groupId, userId, delivered, read, readSeq }
}
