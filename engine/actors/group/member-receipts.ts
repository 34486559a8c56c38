/**
 * Member receipts: what one member of a group has got and read, as their group's actor keeps it.
 *
 * What was read has been delivered, too. For what came before they joined, and for their own posts,
 * a member owes none. Receipts outlive the membership (RCP-1): who left is counted for what they
 * had got and read, of the newest `limits.membersPerGroup` who left. Who never says that something
 * was delivered has the same ranges for both, and they are stored once.
 */
import { limits } from '../../../protocol/limits.ts'
import type { LogEntry } from '../../stored/log-entry.ts'
import type { StoredReceipts } from '../../stored/stored-group.ts'
import { addAll, addReceipts, type NothingBetween, packRanges, type Range, unpackRanges } from './ranges.ts'

export type ReceiptKind = 'delivered' | 'read'

export interface MemberReceipts {
  readonly delivered: Range[]
  /** The very same as `delivered` until that has more. */
  read: Range[]
  /** The read mark, from which unread counts: the newest number read, or below what was marked unread. */
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

/** What was read up to a number: all that has no receipt yet of what came after `joinedSeq`. */
export function readUpTo(receipts: MemberReceipts, joinedSeq: number, upTo: number, at: number): void {
  const { delivered, read } = receipts
  addAll(delivered, joinedSeq + 1, upTo, at)
  if (read !== delivered) addAll(read, joinedSeq + 1, upTo, at)
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

/** The member has left: their receipts stay, of so many who left, and their read mark goes. */
export function receiptsOfFormer(
  { receipts, members }: { receipts: Map<string, MemberReceipts>; members: ReadonlyMap<string, unknown> },
  userId: string,
): void {
  const left = receipts.get(userId)
  if (!left) return
  // To the end, so that the map has those who left in the order of leaving.
  receipts.delete(userId)
  receipts.set(userId, { ...left, readSeq: 0 })
  if (receipts.size <= members.size + limits.membersPerGroup) return
  for (const oldest of receipts.keys()) {
    if (members.has(oldest)) continue
    receipts.delete(oldest)
    return
  }
}
