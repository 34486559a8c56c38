/**
 * Receipts: who got and who read which message (SPEC 5).
 *
 * A receipt takes no seq: what a member has given is one small row, written anew with each request
 * that adds to it, and `ok` waits for that. Posts in memory are known; of older ones the log tells
 * who sent them and which posts lie next to them, so that joins, edits and the reader's own posts
 * do not break a range. Senders and the reader's other devices hear of it soon after, together
 * (`ReceiptNews`); in large groups the senders do not.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { parseMessageId, toMessageId } from '../../../protocol/ids.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { PostNumber } from '../../storage/log.ts'
import type { Caller } from '../caller.ts'
import {
  answer,
  answerCommitted,
  append,
  type Effect,
  type Effects,
  read,
  sendUser,
  wakeGroup,
} from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { withMessage } from './known-messages.ts'
import { isLarge } from './large.ts'
import { give, newReceipts, type ReceiptKind, receiptsEntry } from './member-receipts.ts'
import { callerAsMember } from './permissions.ts'
import { type NothingBetween, timeOf } from './ranges.ts'
import { TOLD_AFTER_MS } from './receipt-news.ts'

/** As much of a post as a receipt for it needs. */
type Post = Pick<Message, 'seq' | 'senderId'>

export function messageDelivered(
  group: GroupState,
  by: Caller,
  { messageIds }: RequestFields<'message_delivered'>,
  now: number,
): Effects {
  return receive(group, by, 'delivered', messageIds, now)
}

export function messageRead(
  group: GroupState,
  by: Caller,
  { messageIds, groupId }: RequestFields<'message_read'>,
  now: number,
): Effects {
  callerAsMember(group, by)
  if (groupId !== group.groupId) {
    throw new ChatError('bad_request', 'the messages are of another group', { field: 'groupId' })
  }
  return receive(group, by, 'read', messageIds, now)
}

export function getReceipts(
  group: GroupState,
  by: Caller,
  { messageId }: RequestFields<'get_receipts'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message) => {
    const delivered = timesOf(group, message, 'delivered')
    const read = timesOf(group, message, 'read')
    return [
      answer(by, 'receipts', {
        messageId,
        delivered: isLarge(group) ? [] : delivered.slice(0, limits.listedUsers),
        read: isLarge(group) ? [] : read.slice(0, limits.listedUsers),
        deliveredCount: delivered.length,
        readCount: read.length,
      }),
    ]
  })
}

/** Tells all that was not told yet. */
export function tellReceipts(group: GroupState): Effects {
  const { groupId } = group
  const effects: Effect[] = []
  for (const { kind, toUserId, userId, session, seqs, at } of group.receiptNews.takeAll()) {
    if (!group.members.has(toUserId)) continue
    const but = toUserId === userId ? session : undefined
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
          : sendUser(toUserId, 'message_read', { messageIds, groupId, readBy: userId, timestamp: at }, but),
      )
    }
  }
  return effects
}

/** Looks up what memory does not know of the posts, then goes on. */
function receive(
  group: GroupState,
  by: Caller,
  kind: ReceiptKind,
  messageIds: readonly string[],
  now: number,
): Effects {
  const { joinedSeq } = callerAsMember(group, by)
  const seqs = seqsOf(group, messageIds)
  const { groupId, recent } = group
  const { floor } = recent
  const posts: Post[] = []
  const older: number[] = []
  for (const seq of seqs) {
    if (seq <= joinedSeq || givenAt(group, by.userId, kind, seq) !== undefined) continue
    if (seq < floor) older.push(seq)
    else {
      const event = recent.find(seq)
      if (event && 'message' in event) posts.push(event.message)
    }
  }
  const newest = seqs.at(-1) ?? 0
  if (older.length === 0) {
    return take(group, by, kind, newest, posts, between(group, by.userId, floor, []), now)
  }
  return [
    read({ read: 'posts', groupId, userId: by.userId, seqs: older }, by, (found, later) =>
      take(group, by, kind, newest, [...found, ...posts], between(group, by.userId, floor, found), later),
    ),
  ]
}

/** `posts` ascend; `newest` is the newest number that was named, be it a post or not. */
function take(
  group: GroupState,
  by: Caller,
  kind: ReceiptKind,
  newest: number,
  posts: readonly Post[],
  nothingBetween: NothingBetween,
  now: number,
): Effects {
  const { groupId, receiptNews } = group
  const { userId, session } = by
  const { joinedSeq } = callerAsMember(group, by)
  const owed = posts.filter(
    ({ seq, senderId }) =>
      senderId !== userId && seq > joinedSeq && givenAt(group, userId, kind, seq) === undefined,
  )
  const receipts = group.receipts.get(userId) ?? newReceipts()
  const markMoves = kind === 'read' && newest > receipts.readSeq
  if (owed.length === 0 && !markMoves) return [answerCommitted(by, 'ok', {})]
  const seqs = owed.map(({ seq }) => seq)
  give(receipts, kind, seqs, now, nothingBetween)
  if (markMoves) receipts.readSeq = newest
  group.receipts.set(userId, receipts)

  const effects: Effect[] = [append(receiptsEntry(groupId, userId, receipts)), answerCommitted(by, 'ok', {})]
  if (receiptNews.empty) effects.push(wakeGroup(groupId, 'receipts', TOLD_AFTER_MS))
  // SPEC 5: large groups get no per-user receipts.
  const tellsSenders = !isLarge(group)
  for (const { seq, senderId } of owed) {
    if (tellsSenders) receiptNews.add(kind, senderId, userId, session, seq, now)
    if (kind === 'read') receiptNews.add(kind, userId, userId, session, seq, now)
  }
  // The mark may move over one's own post, or what is none.
  if (markMoves && seqs.at(-1) !== newest) receiptNews.add(kind, userId, userId, session, newest, now)
  if (receiptNews.full) effects.push(...tellReceipts(group))
  return effects
}

/** The numbers of the messages named, ascending, each once. @throws ChatError */
function seqsOf(group: GroupState, messageIds: readonly string[]): readonly number[] {
  const seqs: number[] = []
  for (const messageId of messageIds) {
    const { groupId, seq } = parseMessageId(messageId)
    if (groupId !== group.groupId) {
      throw new ChatError('bad_request', 'messages of more than one group', { field: 'messageIds' })
    }
    if (seq > group.lastSeq) throw new ChatError('not_found', 'no such message', { field: 'messageIds' })
    seqs.push(seq)
  }
  return seqs.length === 1 ? seqs : [...new Set(seqs)].sort((a, b) => a - b)
}

/**
 * Knows of two numbers whether a post by somebody else lies between: below `floor` by what the log
 * said of `posts` while the memory began there, above it by the memory.
 */
function between(
  group: GroupState,
  userId: string,
  floor: number,
  posts: readonly PostNumber[],
): NothingBetween {
  const neighbours = posts.length > 0 ? new Map(posts.map((post) => [post.seq, post])) : null
  return (a, b) => {
    if (a + 1 === b) return true
    if (a + 1 < floor) {
      const previous = neighbours?.get(b)?.previous
      const next = neighbours?.get(a)?.next
      const clearDown = previous !== undefined && (previous ?? 0) <= a
      const clearUp = next !== undefined && (next ?? floor) >= Math.min(b, floor)
      if (!clearDown && !clearUp) return false
    }
    if (b <= floor) return true
    const { recent } = group
    const after = Math.max(a, floor - 1)
    if (after + 1 < recent.floor) return false
    return recent
      .range(after, b - 1, Number.POSITIVE_INFINITY)
      .every((event) => !('message' in event) || event.message.senderId === userId)
  }
}

/** Who gave the receipt and when, the earliest first; of those who were members when it was sent. */
function timesOf(group: GroupState, message: Message, kind: ReceiptKind): [userId: string, at: number][] {
  const times: [string, number][] = []
  for (const { userId, joinedSeq } of group.members.values()) {
    if (userId === message.senderId || joinedSeq >= message.seq) continue
    const at = givenAt(group, userId, kind, message.seq)
    // A range has the time of its first receipt, which may have been before this message.
    if (at !== undefined) times.push([userId, Math.max(at, message.createdAt)])
  }
  return times.sort(([, a], [, b]) => a - b)
}

/** When a member gave the receipt for a number; undefined where they have not. */
function givenAt(group: GroupState, userId: string, kind: ReceiptKind, seq: number): number | undefined {
  const receipts = group.receipts.get(userId)
  return receipts && timeOf(receipts[kind], seq)
}
