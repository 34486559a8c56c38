/**
 * Reads: every read that an actor can make, with its arguments and its result.
 *
 * A read sees at least everything that was committed before it. Reads are grouped by the service that
 * answers them: the log, the views of one group, the views of one user over all groups, or search.
 */
import type { GroupReads } from './group-reads.ts'
import type { SearchReads } from './search-reads.ts'
import type { UserReads } from './user-reads.ts'

export interface Reads extends GroupReads, UserReads, SearchReads {}

export type ReadName = keyof Reads

export type LogRead = 'events'
export type GroupRead = Exclude<keyof GroupReads, LogRead>
export type UserRead = keyof UserReads
export type SearchRead = keyof SearchReads
/** The reads that the reader of the database answers. */
export type StoredRead = Exclude<ReadName, SearchRead>

/** A read with its arguments. */
export type ReadQuery<N extends ReadName = ReadName> = {
  [K in N]: { readonly read: K } & Reads[K]['args']
}[N]

/** The service that answers each read. */
export const readServices = {
  events: 'log',
  group: 'group',
  newest: 'group',
  messages: 'group',
  message: 'group',
  pins: 'group',
  file: 'group',
  count: 'group',
  posts: 'group',
  senders: 'group',
  blockers: 'group',
  user: 'user',
  summaries: 'user',
  listings: 'user',
  invitations: 'user',
  contacts: 'user',
  barred: 'user',
  blocked: 'user',
  hidden: 'user',
  direct: 'user',
  storedBytes: 'user',
  profiles: 'user',
  newcomers: 'user',
  search: 'search',
  users: 'search',
} as const satisfies { readonly [N in LogRead]: 'log' } & { readonly [N in GroupRead]: 'group' } & {
  readonly [N in UserRead]: 'user'
} & { readonly [N in SearchRead]: 'search' }
