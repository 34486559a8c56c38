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
import { type MemberReceipts, noReceipts, receiptsEntry } from './member-receipts.ts'
import { callerAsMember } from './permissions.ts'
import { type NothingBetween, type Ranges, timeOf, withReceipts } from './ranges.ts'
import { eventsOf, type ReceiptKind, TOLD_AFTER_MS } from './receipt-news.ts'

/** What is known of the posts that a receipt names. */
interface Known {
  /** Who sent each; a number that is not here is no post. */
  readonly senders: ReadonlyMap<number, string>
  readonly nothingBetween: NothingBetween
}

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
  for (const { kind, userId, session, seqs, bySender, at } of group.receiptNews.takeAll()) {
    const event = (part: readonly number[]) => ({
      messageIds: part.map((seq) => toMessageId(groupId, seq)),
      groupId,
      timestamp: at,
    })
    for (const [sender, theirs] of bySender) {
      if (!group.members.has(sender)) continue
      for (const part of eventsOf(theirs)) {
        effects.push(
          kind === 'delivered'
            ? sendUser(sender, 'message_delivered', { ...event(part), deliveredTo: userId })
            : sendUser(sender, 'message_read', { ...event(part), readBy: userId }),
        )
      }
    }
    if (kind === 'delivered') continue
    for (const part of eventsOf(seqs)) {
      effects.push(sendUser(userId, 'message_read', { ...event(part), readBy: userId }, session))
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
  const given = receiptsOf(group, by.userId)[kind]
  const { groupId, recent } = group
  const { floor } = recent
  const senders = new Map<number, string>()
  const older: number[] = []
  for (const seq of seqs) {
    if (seq <= joinedSeq || timeOf(given, seq) !== undefined) continue
    if (seq < floor) older.push(seq)
    else {
      const event = recent.find(seq)
      if (event && 'message' in event) senders.set(seq, event.message.senderId)
    }
  }
  const known = (posts: readonly PostNumber[]): Known => {
    for (const { seq, senderId } of posts) senders.set(seq, senderId)
    return { senders, nothingBetween: between(group, by.userId, floor, posts) }
  }
  if (older.length === 0) return give(group, by, kind, seqs, known([]), now)
  return [
    read({ read: 'posts', groupId, userId: by.userId, seqs: older }, by, (posts, later) =>
      give(group, by, kind, seqs, known(posts), later),
    ),
  ]
}

function give(
  group: GroupState,
  by: Caller,
  kind: ReceiptKind,
  seqs: readonly number[],
  { senders, nothingBetween }: Known,
  now: number,
): Effects {
  const { groupId, receiptNews } = group
  const { userId, session } = by
  const { joinedSeq } = callerAsMember(group, by)
  const before = receiptsOf(group, userId)
  const bySender = new Map<string, number[]>()
  const fresh: number[] = []
  for (const seq of seqs) {
    const sender = senders.get(seq)
    if (sender === undefined || sender === userId || seq <= joinedSeq) continue
    if (timeOf(before[kind], seq) !== undefined) continue
    fresh.push(seq)
    const theirs = bySender.get(sender)
    if (theirs) theirs.push(seq)
    else bySender.set(sender, [seq])
  }
  const newest = kind === 'read' ? (seqs.at(-1) ?? 0) : 0
  const after: MemberReceipts = {
    delivered: withReceipts(before.delivered, fresh, now, nothingBetween),
    read: kind === 'read' ? withReceipts(before.read, fresh, now, nothingBetween) : before.read,
    readSeq: Math.max(before.readSeq, newest),
  }
  const moved = after.readSeq > before.readSeq
  if (fresh.length === 0 && !moved) return [answerCommitted(by, 'ok', {})]
  group.receipts.set(userId, after)

  const effects: Effect[] = [append(receiptsEntry(groupId, userId, after)), answerCommitted(by, 'ok', {})]
  if (receiptNews.empty) effects.push(wakeGroup(groupId, 'receipts', now + TOLD_AFTER_MS))
  receiptNews.add({
    kind,
    userId,
    session,
    // Also where only the mark has moved, over a post of their own.
    seqs: kind === 'delivered' ? [] : moved && fresh.at(-1) !== newest ? [...fresh, newest] : fresh,
    bySender: isLarge(group) ? new Map() : bySender,
    at: now,
  })
  if (receiptNews.full) effects.push(...tellReceipts(group))
  return effects
}

/** The numbers of the messages named, ascending, each once. @throws ChatError */
function seqsOf(group: GroupState, messageIds: readonly string[]): readonly number[] {
  const seqs = new Set<number>()
  for (const messageId of messageIds) {
    const { groupId, seq } = parseMessageId(messageId)
    if (groupId !== group.groupId) {
      throw new ChatError('bad_request', 'messages of more than one group', { field: 'messageIds' })
    }
    if (seq > group.lastSeq) throw new ChatError('not_found', 'no such message', { field: 'messageIds' })
    seqs.add(seq)
  }
  return [...seqs].sort((a, b) => a - b)
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
  const neighbours = new Map(posts.map((post) => [post.seq, post]))
  return (a, b) => {
    if (a + 1 === b) return true
    if (a + 1 < floor) {
      const previous = neighbours.get(b)?.previous
      const next = neighbours.get(a)?.next
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
    const ranges: Ranges = receiptsOf(group, userId)[kind]
    const at = timeOf(ranges, message.seq)
    // A range has the time of its first receipt, which may have been before this message.
    if (at !== undefined) times.push([userId, Math.max(at, message.createdAt)])
  }
  return times.sort(([, a], [, b]) => a - b)
}

function receiptsOf(group: GroupState, userId: string): MemberReceipts {
  return group.receipts.get(userId) ?? noReceipts
}
