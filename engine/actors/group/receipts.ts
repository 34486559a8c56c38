/**
 * Receipts: which members received and read which messages (RCP-1).
 *
 * A receipt has no seq: a member's receipts are one small row, written again with each request that
 * adds to it, and `ok` waits for that. Posts in memory are known; for older ones the log reports who
 * sent them and which posts are next to them, so that joins, edits and the reader's own posts do not
 * break a range. Senders and the reader's other devices are notified soon after, together
 * (`ReceiptNews`); in large groups the senders are not.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { PostNumber } from '../../stored/stored-group.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, append, type Effect, type Effects, read, wakeGroup } from '../effects.ts'
import { isApproached } from './contact.ts'
import type { GroupState, MemberState } from './group-state.ts'
import { isLarge } from './large.ts'
import {
  give,
  type MemberReceipts,
  newReceipts,
  type ReceiptKind,
  readUpTo,
  receiptsEntry,
} from './member-receipts.ts'
import { callerAsMember } from './permissions.ts'
import { firstWithout, type NothingBetween, timeOf } from './ranges.ts'
import { REPORT_AFTER_MS } from './receipt-news.ts'
import { tellReceipts } from './receipt-reports.ts'

/** For `upTo`, at most this many older posts, the newest ones, are reported to their senders. */
const MAX_OLD_REPORTED = 1_000

/** The part of a post that a receipt for it needs. */
type Post = Pick<Message, 'seq' | 'senderId'>

export function messageDelivered(
  group: GroupState,
  by: Caller,
  { messageIds }: RequestFields<'message_delivered'>,
  now: number,
): Effects {
  return receive(group, by, 'delivered', messageIds, callerAsMember(group, by), now)
}

export function messageRead(
  group: GroupState,
  by: Caller,
  { messageIds, groupId, upTo }: RequestFields<'message_read'>,
  now: number,
): Effects {
  const member = callerAsMember(group, by)
  if (groupId !== group.groupId) {
    throw new ChatError('bad_request', 'the messages are of another group', { field: 'groupId' })
  }
  if (upTo !== undefined) return receiveUpTo(group, by, messageIds, upTo, member, now)
  if (messageIds.length === 0) {
    throw new ChatError('bad_request', 'messageIds must contain at least one id, or upTo be given', {
      field: 'messageIds',
    })
  }
  return receive(group, by, 'read', messageIds, member, now)
}

/** Reads the posts that are not in memory, then continues. */
function receive(
  group: GroupState,
  by: Caller,
  kind: ReceiptKind,
  messageIds: readonly string[],
  { joinedSeq }: MemberState,
  now: number,
): Effects {
  const seqs = seqsOf(group, messageIds)
  const { groupId, recent } = group
  const { floor } = recent
  const receipts = group.receipts.get(by.userId)
  const posts: Post[] = []
  const older: number[] = []
  for (const seq of seqs) {
    if (seq <= joinedSeq || isGiven(receipts, kind, seq)) continue
    if (seq < floor) older.push(seq)
    else {
      const event = recent.find(seq)
      if (event && 'message' in event) posts.push(event.message)
    }
  }
  const newest = seqs.at(-1) ?? 0
  if (older.length === 0) {
    return addGiven(group, by, kind, newest, posts, between(group, by.userId, floor, []), now)
  }
  return [
    read({ read: 'posts', groupId, userId: by.userId, seqs: older }, by, (found, later) =>
      addGiven(group, by, kind, newest, [...found, ...posts], between(group, by.userId, floor, found), later),
    ),
  ]
}

/** Looks up what memory does not know: the messages named above `upTo`, and the senders of the rest. */
function receiveUpTo(
  group: GroupState,
  by: Caller,
  messageIds: readonly string[],
  upTo: number,
  { joinedSeq }: MemberState,
  now: number,
): Effects {
  if (upTo > group.lastSeq) throw new ChatError('not_found', 'no such message', { field: 'upTo' })
  const { groupId, recent } = group
  const { userId } = by
  const { floor } = recent
  const named = seqsOf(group, messageIds).filter((seq) => seq > upTo)
  const newest = named.at(-1) ?? upTo
  const first = firstWithout(group.receipts.get(userId)?.read ?? [], joinedSeq + 1)
  const above = new Set(named)
  const posts = recent
    .range(Math.max(first, floor) - 1, newest, Number.POSITIVE_INFINITY)
    .flatMap((event): Post[] => ('message' in event ? [event.message] : []))
    .filter(({ seq }) => seq <= upTo || above.has(seq))
  const withNamed = (found: readonly PostNumber[], at: number): Effects => {
    const all = [...found, ...posts]
    const nothingBetween = between(group, userId, floor, found)
    if (first > upTo || first >= floor)
      return addGiven(group, by, 'read', newest, all, nothingBetween, at, upTo)
    const query = {
      groupId,
      userId,
      after: first - 1,
      upTo: Math.min(upTo, floor - 1),
      limit: MAX_OLD_REPORTED,
    }
    return [
      read({ read: 'senders', ...query }, by, (older, later) =>
        addGiven(group, by, 'read', newest, [...older, ...all], nothingBetween, later, upTo),
      ),
    ]
  }
  const old = named.filter((seq) => seq < floor)
  return old.length === 0
    ? withNamed([], now)
    : [read({ read: 'posts', groupId, userId, seqs: old }, by, withNamed)]
}

/**
 * `posts` ascend. `newest` is the newest number in the request, of a post or not. With `upTo`, everything
 * up to it is read, also posts that are too old to be in `posts`.
 */
function addGiven(
  group: GroupState,
  by: Caller,
  kind: ReceiptKind,
  newest: number,
  posts: readonly Post[],
  nothingBetween: NothingBetween,
  now: number,
  upTo?: number,
): Effects {
  const { groupId, receiptNews } = group
  const { userId, session } = by
  const { joinedSeq } = callerAsMember(group, by)
  // PRV-1, PRV-2: only the user's own mark moves, no receipt is given.
  const hidden = group.blockers.size > 0 || isApproached(group, userId)
  const known = group.receipts.get(userId)
  const owed = posts.filter(
    ({ seq, senderId }) => !hidden && senderId !== userId && seq > joinedSeq && !isGiven(known, kind, seq),
  )
  const receipts = known ?? newReceipts()
  const markMoves = kind === 'read' && newest > receipts.readSeq
  if (owed.length === 0 && !markMoves) return [answerCommitted(by, 'ok', {})]
  const seqs = owed.map(({ seq }) => seq)
  if (upTo !== undefined && !hidden) readUpTo(receipts, joinedSeq, upTo, now)
  give(receipts, kind, seqs, now, nothingBetween)
  if (markMoves) receipts.readSeq = newest
  if (!known) group.receipts.set(userId, receipts)

  const effects: Effect[] = [append(receiptsEntry(groupId, userId, receipts)), answerCommitted(by, 'ok', {})]
  if (receiptNews.empty) effects.push(wakeGroup(groupId, 'receipts', REPORT_AFTER_MS))
  // PRS-2: large groups get no per-user receipts.
  const notifySenders = !isLarge(group)
  for (const { seq, senderId } of owed) {
    // `upTo` reports to the user's other devices what was read below it.
    const toOwn = kind === 'read' && seq > (upTo ?? 0)
    if (!notifySenders && !toOwn) continue
    const notified = notifySenders ? senderId : null
    receiptNews.add({ kind, userId, session, seq, senderId: notified, toOwn, at: now, upTo })
  }
  // The mark may move over the user's own post, or over a number that is not a post.
  if (upTo !== undefined || (markMoves && seqs.at(-1) !== newest)) {
    receiptNews.add({ kind, userId, session, seq: newest, senderId: null, toOwn: true, at: now, upTo })
  }
  if (receiptNews.full) effects.push(...tellReceipts(group))
  return effects
}

/** The numbers of the given messages, ascending, each once. @throws ChatError */
function seqsOf(group: GroupState, messageIds: readonly string[]): readonly number[] {
  const seqs = messageIds.map((messageId) => {
    const { groupId, seq } = parseMessageId(messageId)
    if (groupId !== group.groupId) {
      throw new ChatError('bad_request', 'messages of more than one group', { field: 'messageIds' })
    }
    if (seq > group.lastSeq) throw new ChatError('not_found', 'no such message', { field: 'messageIds' })
    return seq
  })
  return seqs.length === 1 ? seqs : [...new Set(seqs)].sort((a, b) => a - b)
}

/**
 * Returns a check that no post of another user is between two numbers: below `floor` by `posts` from the
 * log, which were read while memory began there, above it by memory. False if it is not known.
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

/** Whether the member has given the receipt for a number. */
function isGiven(receipts: MemberReceipts | undefined, kind: ReceiptKind, seq: number): boolean {
  return receipts !== undefined && timeOf(receipts[kind], seq) !== undefined
}
