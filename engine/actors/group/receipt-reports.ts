/**
 * Receipt reports: notifies senders, and the reader's other devices, of the receipts of the last moments,
 * together (`ReceiptNews`).
 */
import { toMessageId } from '../../../protocol/ids.ts'
import { limits } from '../../../protocol/limits.ts'
import { type Effect, type Effects, sendUser } from '../effects.ts'
import type { GroupState } from './group-state.ts'

/** Sends all receipts that were not reported yet. */
export function tellReceipts(group: GroupState): Effects {
  const { groupId } = group
  const effects: Effect[] = []
  for (const { kind, toUserId, userId, session, seqs, at, upTo } of group.receiptNews.takeAll()) {
    if (!group.members.has(toUserId)) continue
    const exceptSession = toUserId === userId ? session : undefined
    for (let from = 0; from < seqs.length; from += limits.receiptMessages) {
      const part = seqs.slice(from, from + limits.receiptMessages)
      const messageIds = part.map((seq) => toMessageId(groupId, seq))
      effects.push(
        kind === 'delivered'
          ? sendUser(toUserId, 'message_delivered', {
              messageIds,
              groupId,
              deliveredTo: userId,
              timestamp: at,
            })
          : sendUser(
              toUserId,
              'message_read',
              { messageIds, groupId, readBy: userId, timestamp: at, upTo },
              exceptSession,
            ),
      )
    }
  }
  return effects
}
