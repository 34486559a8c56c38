/**
 * Member receipts: what one member of a group has got and read, as their group's actor keeps it.
 *
 * What was read has been delivered, too. They begin with the membership and end with it: for what
 * came before, and for their own posts, a member owes none.
 */
import type { LogEntry, StoredReceipts } from '../../storage/log.ts'
import { noRanges, packRanges, type Ranges, unpackRanges } from './ranges.ts'

export interface MemberReceipts {
  readonly delivered: Ranges
  readonly read: Ranges
  /** The newest number that they said they have read: unread counts from there. 0 for none. */
  readonly readSeq: number
}

export const noReceipts: MemberReceipts = { delivered: noRanges, read: noRanges, readSeq: 0 }

/** By user id, from what the log gave. */
export function loadedReceipts(stored: readonly StoredReceipts[]): Map<string, MemberReceipts> {
  return new Map(
    stored.map(({ userId, delivered, read, readSeq }) => [
      userId,
      { delivered: unpackRanges(delivered), read: unpackRanges(read), readSeq },
    ]),
  )
}

/** The log entry for all that a member has given receipts for. */
export function receiptsEntry(groupId: string, userId: string, receipts: MemberReceipts): LogEntry {
  return {
    type: 'receipts',
    groupId,
    userId,
    delivered: packRanges(receipts.delivered),
    read: packRanges(receipts.read),
    readSeq: receipts.readSeq,
  }
}
