/**
 * Ranked groups: pages through a user's groups while their order changes (PAG-1).
 *
 * The order is by activity, the newest first. A group that becomes active during paging moves to the
 * front, before the cursor. Therefore, after the last page of the descending order there are pages in
 * ascending order: the groups that were active since the first page, the least recently active first.
 * A group that becomes active again during these pages is listed again.
 */
import type { ActivityKey, ListingCursor } from '../../stored/stored-user.ts'
import type { RankedRow } from './read-statements.ts'

/** The groups that are not listed yet, in the order in which they are listed. `ranked` is by activity. */
export function remainingAfter(
  ranked: readonly RankedRow[],
  cursor: ListingCursor | undefined,
): readonly RankedRow[] {
  if (cursor === undefined) return ranked
  const { way, activeAt, groupId } = cursor
  if (way === 'down') {
    return ranked.filter(([, id, at]) => at < activeAt || (at === activeAt && id > groupId))
  }
  return ranked.filter(([, id, at]) => at > activeAt || (at === activeAt && id < groupId)).reverse()
}

/** The sort keys of the first `listed` groups. */
export function keysOf(remaining: readonly RankedRow[], listed: number): readonly ActivityKey[] {
  return remaining.slice(0, listed).map(([, groupId, activeAt]) => [activeAt, groupId])
}

/** The cursor of the next page, after `listed` of `remaining`; undefined if everything is listed. */
export function nextCursor(
  ranked: readonly RankedRow[],
  remaining: readonly RankedRow[],
  listed: number,
  cursor: ListingCursor | undefined,
): ListingCursor | undefined {
  const newest = ranked[0]
  const last = remaining[listed - 1]
  if (newest === undefined) return undefined
  if (listed < remaining.length && last !== undefined) {
    const [, groupId, activeAt] = last
    if (cursor?.way === 'up') return { way: 'up', activeAt, groupId }
    return { way: 'down', activeAt, groupId, since: cursor?.since ?? newest[2] }
  }
  // The descending order ends. No id is below the empty one: only groups newer than `since` are left.
  if (cursor?.way !== 'down' || newest[2] <= cursor.since) return undefined
  return { way: 'up', activeAt: cursor.since, groupId: '' }
}
