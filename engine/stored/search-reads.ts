/**
 * Search reads: the reads that the search service answers, from an index that follows the log.
 */
import type { SearchHit } from '../../protocol/records.ts'
import type { Term } from '../text/query.ts'
import type { SearchPlace } from './search-cursor.ts'
import type { NamePlace, UsersPage } from './stored-user.ts'

/** The arguments and the result of each read, by its name. */
export interface SearchReads {
  /** Messages of the user's groups with all the terms, newest first; null if they are not in the group. */
  search: {
    readonly args: {
      readonly userId: string
      readonly terms: readonly Term[]
      readonly groupId?: string | undefined
      readonly senderId?: string | undefined
      /** Times, exclusive. */
      readonly before?: number | undefined
      readonly after?: number | undefined
      readonly limit?: number | undefined
      /** Only what comes after this place. */
      readonly from?: SearchPlace | undefined
    }
    /** `next` if there may be more: the last position that was searched. */
    readonly result: { readonly hits: readonly SearchHit[]; readonly next?: SearchPlace | undefined } | null
  }
  /**
   * Users who share a group with the user, by the beginnings of their names' words, or by id, with the sort
   * keys by which answers of several nodes can be merged.
   */
  users: {
    readonly args: {
      readonly userId: string
      readonly query: string
      readonly limit: number
      /** Where the page before it ended. */
      readonly cursor?: NamePlace | undefined
    }
    readonly result: UsersPage
  }
}
