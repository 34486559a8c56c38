/**
 * Ranked groups: how a user's groups are paged while their order changes (PAG-1).
 *
 * The order is by activity, the newest first. A group that becomes active moves to the front, behind
 * the back of whoever pages. So the way down ends with a way up: those that have been active since the
 * first page, the least recently active first. On that way a group that moves again is met again.
 */
import type { ListingCursor } from '../../stored/stored-user.ts'
import type { RankedRow } from './read-statements.ts'

/** Of the groups, the most recently active first, those that are still to be listed, in that order. */
export function behindCursor(
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

/** Where the next page begins, after `listed` of `remaining`; undefined where all is listed. */
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
  // The end of the way down. No id is below the empty one: only what is newer than `since` is left.
  if (cursor?.way !== 'down' || newest[2] <= cursor.since) return undefined
  return { way: 'up', activeAt: cursor.since, groupId: '' }
}
