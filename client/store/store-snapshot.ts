/**
 * Store snapshot: the first state of a store, for pages that are rendered on a server.
 */
import type { Answer } from '../../protocol/methods.ts'
import type { GroupListing } from '../../protocol/records.ts'

/** The state at the time when a page was rendered on a server, from the methods of a `Session`. */
export interface StoreSnapshot {
  readonly userId: string
  readonly name?: string | undefined
  /** From `getGroups`. */
  readonly groups: readonly GroupListing[]
  /** The answers to `getHistory` without a place, of groups that are shown at once. */
  readonly histories?: readonly Answer<'get_history'>[] | undefined
}
