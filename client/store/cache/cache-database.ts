/**
 * Cache database: where a message cache stores its rows. Two implementations: IndexedDB, and memory.
 */
import type { CachedItem, CachedPage, CachedState, Table, Tables } from './message-cache.ts'
import type { SeqRange } from './seq-ranges.ts'

/** A new value of a row; undefined removes it. */
export interface RowChange {
  readonly table: Table
  readonly key: string
  readonly row: Tables[Table] | undefined
}

/** A change of a group's items: `putItems` or `changeItem`. */
export type ItemsChange = { readonly groupId: string } & (
  | { readonly items: readonly CachedItem[]; readonly range: SeqRange | undefined }
  | { readonly seq: number; readonly change: (item: CachedItem) => CachedItem }
)

/** Changes that are written together or not at all: first `forgotten`, then `items` in their order. */
export interface Batch {
  /** The user of the cache. The batch is refused if the database belongs to another user or was wiped. */
  readonly userId: string | undefined
  /** Read when the database is open, which may have added rows. */
  readonly rows: ReadonlyMap<string, RowChange>
  /** Groups that lose all their items. */
  readonly forgotten: Iterable<string>
  readonly items: readonly ItemsChange[]
}

export interface CacheDatabase {
  /** Null if nothing outlives the page: the cache has everything in its own copy. */
  load(): Promise<CachedState | null>
  /** Resolves with false if the database was wiped: the batch belongs to a user who signed out. */
  write(batch: Batch): Promise<boolean>
  /** Starts to write rows without waiting for anything: the page may end in this turn of the event loop. */
  writeLast(rows: Iterable<RowChange>): Promise<void>
  /** See `older` and `newer` of the message cache. */
  page(groupId: string, seq: number, limit: number, direction: 'older' | 'newer'): Promise<CachedPage | null>
  /** Forgets items of the least recently active groups until `max` are left. Resolves with how many are left. */
  trim(max: (count: number) => number): Promise<number>
  clear(): Promise<void>
  /** Closes the connection; the next call opens it again. */
  close(): void
}

/** The page of these items, which are those next to `seq` in its range, ascending, at most `limit`. */
export function pageOf(
  items: readonly CachedItem[],
  seq: number,
  [from, to]: SeqRange,
  limit: number,
  direction: 'older' | 'newer',
): CachedPage {
  const isWhole = items.length < limit
  return direction === 'older'
    ? { items, from: isWhole ? from : (items[0]?.seq ?? from), to: seq }
    : { items, from: seq, to: isWhole ? to : (items.at(-1)?.seq ?? to) }
}
