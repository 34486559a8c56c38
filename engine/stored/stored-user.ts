/**
 * Stored user: what is stored of a user, what their actor starts from, and the pages that list users.
 */
import type { GroupSummary, User } from '../../protocol/records.ts'

export type Status = User['status']

/** The name and the picture of a user. */
export interface Profile {
  readonly name: string
  /** Empty if none is known. */
  readonly picture: string
}

/** A user with name and picture. */
export interface Person extends Profile {
  readonly userId: string
}

/** What a user's actor starts from. */
export interface LoadedUser {
  readonly name: string
  readonly picture: string
  /** The status that they chose; `offline` is invisible. */
  readonly status: Status
  readonly lastSeenAt?: number | undefined
  /** The user's groups: [groupId, joinedSeq]. */
  readonly groups: readonly (readonly [string, number])[]
  /** Those of the groups above 500 members. */
  readonly large: readonly string[]
  /** Those of the groups that are direct chats in which they are approached. PRV-2 */
  readonly approached: readonly string[]
  /** The users that they have blocked, and when. */
  readonly blocked: readonly (readonly [userId: string, at: number])[]
  /** Whether another user has blocked them. */
  readonly isBlocked: boolean
  /** If the read asked for them. */
  readonly summaries?: Summaries | undefined
}

/** A position among users found by name: the word that was found, and a key. */
export type NamePlace = readonly [word: string, key: number]

/** A page of users; `next` if there may be more. */
export interface UsersPage {
  readonly users: readonly User[]
  /** The sort key of each user: the word of the name that was found; the empty text for the user with that id. */
  readonly keys: readonly string[]
  readonly next?: NamePlace | undefined
}

/**
 * Sort key of a row in a list by activity, in descending order of time and then by id: the lists of several
 * nodes can be merged by it.
 */
export type ActivityKey = readonly [activeAt: number, groupId: string]

/**
 * Where a page of the user's groups begins (PAG-1): after the named group, in descending order of activity
 * (`down`) or in ascending order (`up`). Paging begins `down`. At its end, the groups that were active since
 * the first page (later than `since`, the newest activity at that time) are listed `up`, so that a group that
 * becomes active during paging is listed, too.
 */
export type ListingCursor =
  | { readonly way: 'down'; readonly activeAt: number; readonly groupId: string; readonly since: number }
  | { readonly way: 'up'; readonly activeAt: number; readonly groupId: string }

/**
 * A group of a user: the event that made the user a member, the newest event, and whether a lease is
 * above that: while the group is loaded, and after a crash.
 */
export type Standing = readonly [groupId: string, joinedSeq: number, lastSeq: number, inDoubt: 0 | 1]

/** The summaries of a user's groups for `connected`, and the positions of all groups. */
export interface Summaries {
  /** As many of the most recently active groups as fit into one answer. */
  readonly groups: readonly GroupSummary[]
  /** The sort key of each of them. */
  readonly keys: readonly ActivityKey[]
  /** In no particular order. */
  readonly standings: readonly Standing[]
  /** The user's groups above 500 members. */
  readonly large: readonly string[]
}
