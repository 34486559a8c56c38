/**
 * User reads: the reads of one user over all their groups. Lists contain the sort keys of their rows, or
 * rows that contain them (invitations: time and group), so that answers of several nodes can be merged.
 */
import type { GroupListing, Invitation, User } from '../../protocol/records.ts'
import type { FittedRows } from '../base/fit-rows.ts'
import type { ActivityKey, ListingCursor, LoadedUser, Profile, Summaries } from './stored-user.ts'

/** The arguments and the result of each read, by its name. */
export interface UserReads {
  /** A user, with `summaries` of that many groups if it is given. */
  user: {
    readonly args: { readonly userId: string; readonly summaries?: number | undefined }
    readonly result: LoadedUser | null
  }
  summaries: {
    readonly args: { readonly userId: string; readonly limit: number }
    readonly result: Summaries
  }
  /** A page of the user's groups, and where the next one begins. */
  listings: {
    readonly args: {
      readonly userId: string
      readonly cursor?: ListingCursor | undefined
      readonly limit: number
    }
    readonly result: {
      readonly groups: readonly GroupListing[]
      /** The sort key of each group. */
      readonly keys: readonly ActivityKey[]
      readonly next?: ListingCursor | undefined
    }
  }
  /** A page of the user's invitations, newest first; `cursor` is [at, groupId] of the last one before it. */
  invitations: {
    readonly args: {
      readonly userId: string
      readonly cursor?: readonly [number, string] | undefined
      readonly limit: number
    }
    readonly result: FittedRows<Invitation>
  }
  /** The other users of the user’s direct chats, the most recently active first. */
  contacts: {
    readonly args: {
      readonly userId: string
      readonly cursor?: ListingCursor | undefined
      readonly limit: number
    }
    readonly result: {
      readonly users: readonly User[]
      /** The sort key of each direct chat. */
      readonly keys: readonly ActivityKey[]
      readonly next?: ListingCursor | undefined
    }
  }
  /** Those of `otherIds` who have blocked the user or are blocked by them. PRV-1 */
  barred: {
    readonly args: { readonly userId: string; readonly otherIds: readonly string[] }
    readonly result: readonly string[]
  }
  /** The users that the user has blocked. PRV-1 */
  blocked: { readonly args: { readonly userId: string }; readonly result: readonly string[] }
  /** Those of `otherIds` whose presence the user may not see: PRV-1, PRV-2. */
  hidden: {
    readonly args: { readonly userId: string; readonly otherIds: readonly string[] }
    readonly result: readonly string[]
  }
  /** The id of the direct chat of two users, whether it exists or not. */
  direct: {
    readonly args: { readonly userId: string; readonly otherId: string }
    readonly result: string
  }
  /** Bytes of the user's files, for the quota. */
  storedBytes: { readonly args: { readonly userId: string }; readonly result: number }
  /** The names of users in the order of `userIds`; the id if no name is known. */
  profiles: { readonly args: { readonly userIds: readonly string[] }; readonly result: readonly Profile[] }
  /**
   * Users who are about to enter a group: their names in the order of `userIds`, and those who have
   * blocked `userId` or are blocked by them. PRV-1
   */
  newcomers: {
    readonly args: {
      readonly userId: string
      readonly userIds: readonly string[]
      /** The other user of a direct chat that `userId` opens. */
      readonly directWith?: string | undefined
    }
    readonly result: {
      readonly profiles: readonly Profile[]
      readonly barred: readonly string[]
      /** Whether a direct chat is opened by two users who share no group. PRV-2 */
      readonly strangers: boolean
      /** How many groups each of them is in, and how many invitations they have. */
      readonly groupCounts: readonly number[]
      readonly invitationCounts: readonly number[]
    }
  }
}
