/**
 * Reads: every read that an actor can make, with its arguments and its result.
 *
 * A read sees at least everything that was committed before it. Reads are grouped by what has to be
 * asked: the storage of one group, the storage of all groups of one user, or search.
 */
import type { GroupReads } from './group-reads.ts'
import type { SearchReads } from './search-reads.ts'
import type { UserReads } from './user-reads.ts'

export interface Reads extends GroupReads, UserReads, SearchReads {}

export type ReadName = keyof Reads

/** The reads that search answers; storage answers the others. */
export type SearchRead = keyof SearchReads
export type StoredRead = Exclude<ReadName, SearchRead>

/** A read with its arguments. */
export type ReadQuery<N extends ReadName = ReadName> = {
  [K in N]: { readonly read: K } & Reads[K]['args']
}[N]

/** Whether search answers the read. */
export function isSearch(query: { readonly read: ReadName }): query is ReadQuery<SearchRead> {
  return query.read === 'search' || query.read === 'users'
}
