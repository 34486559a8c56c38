/**
 * Views: everything that is read from storage except the log itself.
 *
 * All reads are made on behalf of a user. If reads of many users wait, the users are served in turn
 * (INP-2); a read that belongs to no user, such as the loading of a group, uses the id that is read
 * instead. A read rejects if storage failed or too many reads are open.
 */
import type { GroupRead, ReadQuery, Reads, SearchRead, UserRead } from '../stored/reads.ts'

export interface Views {
  /** Reads of one group. */
  ofGroup<N extends GroupRead>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
  /** Reads of one user over all groups. */
  ofUser<N extends UserRead>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
}

/** The search service, whose index follows the log. */
export interface SearchReader {
  search<N extends SearchRead>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
}
