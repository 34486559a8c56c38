/**
 * Receipt lists: who received and who read one message (RCP-1).
 */
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { fitRows } from '../../base/fit-rows.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects } from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { withMessage } from './known-messages.ts'
import { isLarge } from './large.ts'
import type { ReceiptKind } from './member-receipts.ts'
import { timeOf } from './ranges.ts'

export function getReceipts(
  group: GroupState,
  by: Caller,
  { messageId }: RequestFields<'get_receipts'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message) => {
    const delivered = timesOf(group, message, 'delivered')
    const read = timesOf(group, message, 'read')
    const listed = isLarge(group) ? 0 : limits.listedUsers
    // SLW-1
    return [
      answer(by, 'receipts', {
        messageId,
        delivered: fitRows(delivered, listed, 2).rows,
        read: fitRows(read, listed, 2).rows,
        deliveredCount: delivered.length,
        readCount: read.length,
      }),
    ]
  })
}

/** The users who gave the receipt, and when, the earliest first; also former members. */
function timesOf(group: GroupState, message: Message, kind: ReceiptKind): [userId: string, at: number][] {
  const times: [string, number][] = []
  for (const [userId, receipts] of group.receipts) {
    if (userId === message.senderId) continue
    const at = timeOf(receipts[kind], message.seq)
    // A range has the time of its first receipt, which may be older than this message.
    if (at !== undefined) times.push([userId, Math.max(at, message.createdAt)])
  }
  return times.sort(([, a], [, b]) => a - b)
}
