/**
 * Unread counts: the messages of other users above the read mark, and those of them that mention the user (UNR-1).
 */
import type { Message } from '../../protocol/records.ts'
import type { CachedItem } from './cache/message-cache.ts'

interface Counts {
  unread: number
  mentions: number
}

/** Adds a message to the counts, or with -1 takes it from them, if `me` has not read it. */
export function countMessage(
  counts: Counts,
  { seq, senderId, deletedAt, recalledAt, mentions }: Message,
  me: string,
  readSeq = 0,
  by: 1 | -1 = 1,
): void {
  if (senderId === me || seq <= readSeq || (deletedAt ?? recalledAt) !== undefined) return
  counts.unread += by
  if (mentions?.includes(me)) counts.mentions += by
}

/** The counts of these items. */
export function countItems(items: readonly CachedItem[], me: string, readSeq: number): Counts {
  const counts = { unread: 0, mentions: 0 }
  for (const item of items) if ('message' in item) countMessage(counts, item.message, me, readSeq)
  return counts
}
