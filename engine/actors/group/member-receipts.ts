/**
 * Member receipts: which messages of a group were delivered to a member and read by them.
 *
 * What was read counts as delivered. A member needs no receipts for posts from before they joined, or for
 * their own. Receipts outlive the membership (RCP-1): those of the newest `limits.membersPerGroup` former
 * members are stored. A member who never reports deliveries has the same ranges for both kinds, which
 * are stored once.
 */
import { limits } from '../../../protocol/limits.ts'
import type { LogEntry } from '../../stored/log-entry.ts'
import type { StoredReceipts } from '../../stored/stored-group.ts'
import { addAll, addReceipts, type NothingBetween, packRanges, type Range, unpackRanges } from './ranges.ts'

export type ReceiptKind = 'delivered' | 'read'

export interface MemberReceipts {
  readonly delivered: Range[]
  /** The same object as `delivered` until that has more. */
  read: Range[]
  /** The read mark, from which unread messages count: the newest read number, or below what was marked unread. */
  readSeq: number
}

export function newReceipts(): MemberReceipts {
  const ranges: Range[] = []
  return { delivered: ranges, read: ranges, readSeq: 0 }
}

/** By user id, as read from the log. */
export function loadedReceipts(stored: readonly StoredReceipts[]): Map<string, MemberReceipts> {
  return new Map(stored.map((receipts) => [receipts.userId, unpacked(receipts)]))
}

function unpacked({ delivered, read, readSeq }: StoredReceipts): MemberReceipts {
  const ranges = unpackRanges(delivered)
  const same = delivered && read && Buffer.compare(delivered, read) === 0
  return { delivered: ranges, read: same ? ranges : unpackRanges(read), readSeq }
}

/** Marks everything after `joinedSeq` up to a number as read, if it has no receipt yet. */
export function readUpTo(receipts: MemberReceipts, joinedSeq: number, upTo: number, at: number): void {
  const { delivered, read } = receipts
  addAll(delivered, joinedSeq + 1, upTo, at)
  if (read !== delivered) addAll(read, joinedSeq + 1, upTo, at)
}

/** Adds receipts of this kind for ascending numbers that have none yet. */
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

/** The log entry with all receipts of a member. */
export function receiptsEntry(groupId: string, userId: string, receipts: MemberReceipts): LogEntry {
  const { readSeq } = receipts
  const delivered = packRanges(receipts.delivered)
  const read = receipts.read === receipts.delivered ? delivered : packRanges(receipts.read)
  return { type: 'receipts', groupId, userId, delivered, read, readSeq }
}

/** The member has left: their receipts are retained, up to the limit of former members, without their read mark. */
export function receiptsOfFormer(
  { receipts, members }: { receipts: Map<string, MemberReceipts>; members: ReadonlyMap<string, unknown> },
  userId: string,
): void {
  const left = receipts.get(userId)
  if (!left) return
  // Moved to the end, so that former members are in the order of leaving.
  receipts.delete(userId)
  receipts.set(userId, { ...left, readSeq: 0 })
  if (receipts.size <= members.size + limits.membersPerGroup) return
  for (const oldest of receipts.keys()) {
    if (members.has(oldest)) continue
    receipts.delete(oldest)
    return
  }
}
