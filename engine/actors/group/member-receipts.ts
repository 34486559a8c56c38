/**
 * Member receipts: what one member of a group has got and read, as their group's actor keeps it.
 *
 * What was read has been delivered, too. They begin with the membership and end with it: for what
 * came before, and for their own posts, a member owes none. Who never says that something was
 * delivered has the same ranges for both, and they are kept once.
 */
import type { LogEntry, StoredReceipts } from '../../storage/log.ts'
import { addReceipts, type NothingBetween, packRanges, type Range, unpackRanges } from './ranges.ts'

export type ReceiptKind = 'delivered' | 'read'

export interface MemberReceipts {
  readonly delivered: Range[]
  /** The very same as `delivered` until that has more. */
  read: Range[]
  /** The newest number that they said they have read: unread counts from there. 0 for none. */
  readSeq: number
}

export function newReceipts(): MemberReceipts {
  const ranges: Range[] = []
  return { delivered: ranges, read: ranges, readSeq: 0 }
}

/** By user id, from what the log gave. */
export function loadedReceipts(stored: readonly StoredReceipts[]): Map<string, MemberReceipts> {
  return new Map(stored.map((receipts) => [receipts.userId, unpacked(receipts)]))
}

function unpacked({ delivered, read, readSeq }: StoredReceipts): MemberReceipts {
  const ranges = unpackRanges(delivered)
  const same = delivered && read && Buffer.compare(delivered, read) === 0
  return { delivered: ranges, read: same ? ranges : unpackRanges(read), readSeq }
}

/** Adds receipts of this kind for numbers that have none yet; they ascend. */
export function give(
  receipts: MemberReceipts,
  kind: ReceiptKind,
  seqs: readonly number[],
  at: number,
  nothingBetween: NothingBetween,
): void {
  const { delivered, read } = receipts
  if (kind === 'delivered' && read === delivered && seqs.length > 0) {
    receipts.read = delivered.map((range) => ({ ...range }))
  }
  addReceipts(delivered, seqs, at, nothingBetween)
  if (kind === 'read' && read !== delivered) addReceipts(read, seqs, at, nothingBetween)
}

/** The log entry for all that a member has given receipts for. */
export function receiptsEntry(groupId: string, userId: string, receipts: MemberReceipts): LogEntry {
  const { readSeq } = receipts
  const delivered = packRanges(receipts.delivered)
  const read = receipts.read === receipts.delivered ? delivered : packRanges(receipts.read)
  return { type: 'receipts', groupId, userId, delivered, read, readSeq }
}
