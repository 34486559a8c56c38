/**
 * Reading place: where the reader left a group, so that the group is shown there again while the page is open.
 *
 * One place for each group whose state the store holds; none if the reader was at the end.
 */
import type { GroupHandle } from '../../../client/store/types.ts'
import type { ListPlace } from './anchored-list.tsx'
import type { Row } from './rows.ts'

export interface ReadingPlace extends ListPlace {
  /** A message at the place, to load it again. */
  readonly seq: number
}

const places = new WeakMap<GroupHandle, ReadingPlace>()

export function readingPlaceIn(handle: GroupHandle): ReadingPlace | null {
  return places.get(handle) ?? null
}

/** Stores where the reader leaves the rows of a group; null for their end. */
export function leaveAt(handle: GroupHandle, rows: readonly Row[], place: ListPlace | null): void {
  const seqs = rows.map((row) => ('item' in row && row.item.kind !== 'hole' ? row.item.seq : undefined))
  // The group was left before it was loaded.
  if (seqs.every((seq) => seq === undefined)) return
  const at = place ? rows.findIndex(({ key }) => key === place.key) : -1
  const isNumber = (seq: number | undefined) => seq !== undefined
  const seq = at < 0 ? undefined : (seqs.slice(at).find(isNumber) ?? seqs.slice(0, at).findLast(isNumber))
  if (place && seq !== undefined) places.set(handle, { ...place, seq })
  else places.delete(handle)
}
