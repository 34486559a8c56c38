/**
 * Search cursor: a position in the order of hits, from which the next page continues.
 *
 * Hits are ordered by the millisecond under which the index has them, then by group and seq, newest
 * first. That is a total order, and the same after the index was built again: many messages of one
 * millisecond are listed once each, whatever the size of the pages. // PAG-1
 */
import { ChatError } from '../../protocol/errors.ts'

/** A place in the order of hits. */
export type SearchPlace = readonly [ms: number, groupId: string, seq: number]

/** The cursor that clients receive. */
export function toSearchCursor([ms, groupId, seq]: SearchPlace): string {
  return `${ms}:${groupId}:${seq}`
}

/** @throws ChatError `bad_request` */
export function parseSearchCursor(cursor: string): SearchPlace {
  const [, ms, groupId, seq] = /^(\d{1,15}):([A-Za-z0-9_-]{1,64}):(\d{1,15})$/.exec(cursor) ?? []
  if (groupId === undefined) {
    throw new ChatError('bad_request', 'cursor must be the cursor of an earlier page', { field: 'cursor' })
  }
  return [Number(ms), groupId, Number(seq)]
}

/** Compares positions in the order of hits: negative if `a` comes first. */
export function comparePlaces([msA, groupA, seqA]: SearchPlace, [msB, groupB, seqB]: SearchPlace): number {
  if (msA !== msB) return msB - msA
  if (groupA !== groupB) return groupA < groupB ? 1 : -1
  return seqB - seqA
}
