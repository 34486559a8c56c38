/**
 * Unread mark: marks messages as unread again (UNR-1).
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, append, type Effects, sendUser } from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { receiptsEntry } from './member-receipts.ts'
import { callerMay } from './permissions.ts'
import { tellReceipts } from './receipt-reports.ts'

/** The caller's unread count starts at `seq` again, on all devices; receipts for others do not change. */
export function markUnread(
  group: GroupState,
  by: Caller,
  { groupId, seq }: RequestFields<'mark_unread'>,
  now: number,
): Effects {
  const { joinedSeq } = callerMay(group, by, 'mark_unread', now)
  if (seq > group.lastSeq) throw new ChatError('not_found', 'no such message', { field: 'seq' })
  const receipts = group.receipts.get(by.userId)
  // Messages that were not read need not be marked.
  if (!receipts || receipts.readSeq <= Math.max(seq - 1, joinedSeq)) return [answerCommitted(by, 'ok', {})]
  // The storage counts the messages in between.
  if (group.lastSeq - seq > limits.markUnread) {
    throw new ChatError('limit_reached', `seq must be at most ${limits.markUnread} below the newest`, {
      field: 'seq',
    })
  }
  receipts.readSeq = Math.max(seq - 1, 0)
  return [
    append(receiptsEntry(groupId, by.userId, receipts)),
    // Earlier reads are reported first.
    ...tellReceipts(group),
    sendUser(by.userId, 'marked_unread', { groupId, seq, timestamp: now }, by.session),
    answerCommitted(by, 'ok', {}),
  ]
}
