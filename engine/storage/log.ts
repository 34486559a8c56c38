/**
 * Log: everything an actor writes goes through this interface, and most of its reads.
 *
 * `append` queues an entry and returns its offset in this shard's stream; entries become durable in
 * order, and `committed` reports up to which offset. Offsets are assigned locally and synchronously;
 * reads are asynchronous. SQLite is one implementation.
 */

import type {
  File,
  GroupListing,
  GroupSummary,
  Invitation,
  Message,
  SearchHit,
  User,
} from '../../protocol/records.ts'
import type { FittedRows } from '../fit-rows.ts'
import type { Term } from '../search/query.ts'
import type { SearchPlace } from '../search/search-cursor.ts'

/** Newest durable events that a group's actor starts with. */
export const RECENT_EVENTS = 256
/** IDM-1: idempotency keys are stored for at least so many messages of a group. */
export const REMEMBERED_TEMP_IDS = 1_024

export type Status = User['status']
export type Role = 'admin' | 'moderator' | 'member'

/** What a shard writes. Messages and events have a seq; the other entries have none. */
export type LogEntry =
  | { readonly type: 'message'; readonly message: Message }
  /** Any durable event but a post, as the frame that goes to clients. */
  | {
      readonly type: 'event'
      readonly groupId: string
      readonly seq: number
      readonly code: number
      readonly at: number
      readonly frame: Uint8Array
      /** The seq of the post that it is about. */
      readonly target?: number | undefined
    }
  /** What became of a post: the message as it is from now on. */
  | { readonly type: 'change'; readonly message: Message }
  /** Makes a group, or changes what may change of it. */
  | { readonly type: 'group'; readonly group: StoredGroup }
  /** Adds a member or changes one. */
  | { readonly type: 'member'; readonly groupId: string; readonly member: StoredMember }
  | { readonly type: 'member_left'; readonly groupId: string; readonly userId: string }
  /** What outlives a membership that ended; `former_member_back` ends that. */
  | {
      readonly type: 'former_member'
      readonly groupId: string
      readonly userId: string
      readonly leftSeq: number
      readonly byChoice: boolean
      readonly mutedUntil: number
    }
  | { readonly type: 'former_member_back'; readonly groupId: string; readonly userId: string }
  | { readonly type: 'ban'; readonly groupId: string; readonly userId: string }
  | { readonly type: 'unban'; readonly groupId: string; readonly userId: string }
  | {
      readonly type: 'invite'
      readonly groupId: string
      readonly userId: string
      readonly by: string
      readonly at: number
    }
  | { readonly type: 'uninvite'; readonly groupId: string; readonly userId: string }
  /** What a member has got and read by now: all of it, as packed ranges of seqs (`packRanges`). */
  | {
      readonly type: 'receipts'
      readonly groupId: string
      readonly userId: string
      readonly delivered: Uint8Array
      readonly read: Uint8Array
      /** The mark from which unread counts; it goes back where messages are marked unread. */
      readonly readSeq: number
    }
  /** A file of a group is kept; messages may show it. */
  | {
      readonly type: 'file'
      readonly groupId: string
      readonly file: File
      readonly uploadedBy: string
      readonly at: number
    }
  /** The actor of a group whose entry was refused has been let go: what follows is of its next one. */
  | { readonly type: 'restart'; readonly groupId: string }
  /** Numbers up to `ceiling` may be spoken from now on (DESIGN: seq leases). */
  | { readonly type: 'lease'; readonly groupId: string; readonly ceiling: number }
  /** The user wants no contact with the other, or does again. PRV-1 */
  | { readonly type: 'block'; readonly userId: string; readonly otherId: string; readonly at: number }
  | { readonly type: 'unblock'; readonly userId: string; readonly otherId: string }
  | { readonly type: 'user'; readonly userId: string; readonly name: string; readonly picture: string }
  /** What a user chose to be seen as, and when they were last seen where that is known. */
  | {
      readonly type: 'presence'
      readonly userId: string
      readonly status: Status
      readonly lastSeenAt?: number | undefined
    }

/** A group as it was made. */
export interface StoredGroup {
  readonly groupId: string
  readonly kind: 'group' | 'direct'
  readonly visibility: 'private' | 'open'
  readonly createdBy: string
  readonly createdAt: number
  readonly name?: string | undefined
  readonly topic?: string | undefined
  readonly avatarUrl?: string | undefined
}

export interface StoredMember {
  readonly userId: string
  readonly role: Role
  /** The seq of the event that made them a member. */
  readonly joinedSeq: number
  readonly joinedAt: number
  /** May not post until then; 0 where they may. */
  readonly mutedUntil: number
  /** Wants no notifications until then; 0 where they do. */
  readonly quietUntil: number
  /** Has not accepted the direct chat that the other one has opened, nor sent anything there. PRV-2 */
  readonly approached?: boolean | undefined
}

/** What a user is shown as. */
export interface Profile {
  readonly name: string
  /** Empty where none is known. */
  readonly picture: string
}

/** A user and what they are shown as. */
export interface Person extends Profile {
  readonly userId: string
}

/** The receipts of a member, as packed ranges of seqs. */
export interface StoredReceipts {
  readonly userId: string
  readonly delivered: Uint8Array | null
  readonly read: Uint8Array | null
  readonly readSeq: number
}

/** All that a group's actor starts from. */
export interface LoadedGroup {
  /** Null where there is none yet; its lease may exist all the same. */
  readonly group: StoredGroup | null
  readonly members: readonly (StoredMember & Profile)[]
  /** Of the members who have given any, and of those who have left since, the first who left first. */
  readonly receipts: readonly StoredReceipts[]
  readonly banned: readonly string[]
  readonly invited: readonly string[]
  /** Of a direct chat with one member: the other one, who has not accepted it. PRV-2 */
  readonly awaited: Person | null
  /** Of a direct chat: those of the two who have blocked the other. */
  readonly blockers: readonly string[]
  /** [userId, byChoice, mutedUntil], those who left first at the beginning. */
  readonly former: readonly (readonly [userId: string, byChoice: 0 | 1, mutedUntil: number])[]
  /** The seqs of the pinned posts, and of the events that pinned them; the latest pin last. */
  readonly pins: readonly (readonly [seq: number, pinSeq: number])[]
  /** The newest number in the log. */
  readonly lastSeq: number
  /** The ceiling committed before the last stop; above `lastSeq` only after a crash. */
  readonly ceiling: number
  /** The newest durable events, ascending. */
  readonly recent: readonly LoggedEvent[]
  /** Idempotency keys of the newest messages: [senderId, tempId, seq]. */
  readonly tempIds: readonly (readonly [string, string, number])[]
}

/** A durable event as the log gives it back. */
export type LoggedEvent =
  | { readonly seq: number; readonly message: Message }
  | {
      readonly seq: number
      readonly code: number
      readonly frame: Uint8Array
      /** The seq of the post that it is about. */
      readonly target?: number | undefined
    }

/** All that a user's actor starts from. */
export interface LoadedUser {
  readonly name: string
  readonly picture: string
  /** What they chose to be seen as; `offline` is invisible. */
  readonly status: Status
  readonly lastSeenAt?: number | undefined
  /** The user's groups: [groupId, joinedSeq]. */
  readonly groups: readonly (readonly [string, number])[]
  /** Those of the groups that are direct chats in which they are approached. PRV-2 */
  readonly approached: readonly string[]
  /** Whom they have blocked, and when. */
  readonly blocked: readonly (readonly [userId: string, at: number])[]
  /** Whether somebody has blocked them. */
  readonly isBlocked: boolean
  /** Where they were asked for. */
  readonly summaries?: Summaries | undefined
}

/**
 * Where a post stands among those that a user owes receipts for. `previous` and `next` are the posts by
 * others next to it, or nearer ones: beyond many posts of the user nobody looks. Null where there is none.
 */
export interface PostNumber {
  readonly seq: number
  readonly senderId: string
  readonly previous: number | null
  readonly next: number | null
}

/** A user's place among those found by their names: the word that was found, and a key. */
export type NamePlace = readonly [word: string, key: number]

/** A page of users; `next` where there may be more. */
export interface UsersPage {
  readonly users: readonly User[]
  readonly next?: NamePlace | undefined
}

/**
 * Where a page of the user's groups begins (PAG-1): below the group named, the most recently active
 * first, or above it, the least recently active first. The first page begins `down`. When it has come
 * to the end, those that have been active since the first page, when `since` was the newest activity,
 * are listed `up`: so a group that moves while it is paged for is listed all the same.
 */
export type ListingCursor =
  | { readonly way: 'down'; readonly activeAt: number; readonly groupId: string; readonly since: number }
  | { readonly way: 'up'; readonly activeAt: number; readonly groupId: string }

/** A page of a group's messages and of the gaps among them, ascending. */
export interface MessagePage {
  readonly messages: readonly Message[]
  readonly gaps: readonly { readonly seq: number; readonly from: number; readonly to: number }[]
}

/**
 * A group of a user: the event that made the user a member, the newest event, and whether a lease is
 * above that: while the group is loaded, and after a crash.
 */
export type Standing = readonly [groupId: string, joinedSeq: number, lastSeq: number, inDoubt: 0 | 1]

/** What `connected` says of a user's groups, and where all of them stand. */
export interface Summaries {
  /** As many of the most recently active groups as fit into one answer. */
  readonly groups: readonly GroupSummary[]
  readonly standings: readonly Standing[]
  /** The user's groups above 500 members. */
  readonly large: readonly string[]
}

/** What can be read, and what it gives. Every read sees at least all that was committed before it. */
export interface Reads {
  group: { readonly args: { readonly groupId: string }; readonly result: LoadedGroup }
  /** A user, with `summaries` of so many groups where that is given. */
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
      readonly next?: ListingCursor | undefined
    }
  }
  /** Messages with `after < seq < before`: the first `limit` of them, or with `newest` the last. */
  messages: {
    readonly args: {
      readonly groupId: string
      readonly after: number
      readonly before: number
      readonly limit: number
      readonly newest: boolean
    }
    readonly result: MessagePage
  }
  message: {
    readonly args: { readonly groupId: string; readonly seq: number }
    readonly result: Message | null
  }
  /** The pinned messages of a group. */
  pins: { readonly args: { readonly groupId: string }; readonly result: readonly Message[] }
  /** A file by its id, unless it was removed; `shown` where a message shows it. */
  file: {
    readonly args: { readonly fileId: string }
    readonly result: { readonly file: File; readonly uploadedBy: string; readonly shown: boolean } | null
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
  /** Durable events with `after < seq <= upTo`, the first `limit` of them. */
  events: {
    readonly args: {
      readonly groupId: string
      readonly after: number
      readonly upTo: number
      readonly limit: number
    }
    readonly result: readonly LoggedEvent[]
  }
  /** How many durable events there are with `after < seq <= upTo`, counted up to `cap`. */
  count: {
    readonly args: {
      readonly groupId: string
      readonly after: number
      readonly upTo: number
      readonly cap: number
    }
    readonly result: number
  }
  /**
   * Those of `seqs` that are posts by others than `userId`: who sent them, and which posts by others
   * are next to each.
   */
  posts: {
    readonly args: { readonly groupId: string; readonly userId: string; readonly seqs: readonly number[] }
    readonly result: readonly PostNumber[]
  }
  /** The posts by others than `userId` with `after < seq <= upTo`, the newest `limit` of them, ascending. */
  senders: {
    readonly args: {
      readonly groupId: string
      readonly userId: string
      readonly after: number
      readonly upTo: number
      readonly limit: number
    }
    readonly result: readonly { readonly seq: number; readonly senderId: string }[]
  }
  /** Messages of the user's groups with all the terms, newest first; null where they are not in the group. */
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
    /** `next` where there may be more: the last place that was looked at. */
    readonly result: { readonly hits: readonly SearchHit[]; readonly next?: SearchPlace | undefined } | null
  }
  /** Users who share a group with the user, by the beginnings of their names' words, or by id. */
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
  /** The people of the user's direct chats, the latest talk first. */
  contacts: {
    readonly args: {
      readonly userId: string
      readonly cursor?: ListingCursor | undefined
      readonly limit: number
    }
    readonly result: { readonly users: readonly User[]; readonly next?: ListingCursor | undefined }
  }
  /** Those of `otherIds` who have blocked the user, or whom the user has blocked. PRV-1 */
  barred: {
    readonly args: { readonly userId: string; readonly otherIds: readonly string[] }
    readonly result: readonly string[]
  }
  /** The users that the user has blocked. PRV-1 */
  blocked: { readonly args: { readonly userId: string }; readonly result: readonly string[] }
  /** The members of the group who have blocked the user. PRV-1 */
  blockers: {
    readonly args: { readonly userId: string; readonly groupId: string }
    readonly result: readonly string[]
  }
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
  /** What users are called, in the order asked for: by their id where no name is known. */
  profiles: { readonly args: { readonly userIds: readonly string[] }; readonly result: readonly Profile[] }
  /**
   * Whom somebody wants to bring into a group: what they are called in the order asked for,
   * and those with whom `userId` has no contact. PRV-1
   */
  newcomers: {
    readonly args: {
      readonly userId: string
      readonly userIds: readonly string[]
      /** With whom `userId` opens a direct chat. */
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

export type ReadName = keyof Reads

/** The reads that search answers; the others go to the reader. */
export type SearchRead = 'search' | 'users'
export type StoredRead = Exclude<ReadName, SearchRead>

/** Any read with its arguments. */
export type ReadQuery<N extends ReadName = ReadName> = {
  [K in N]: { readonly read: K } & Reads[K]['args']
}[N]

/** Whether search answers it. */
export function isSearch(query: { readonly read: ReadName }): query is ReadQuery<SearchRead> {
  return query.read === 'search' || query.read === 'users'
}

/** What the log tells its shard. */
export interface LogListener {
  /** Everything up to `offset` is as durable as configured. */
  committed(offset: number): void
  /** A commit failed; what is not committed stays queued and is tried again. */
  failing(reason: string): void
  /**
   * An entry could not be applied. All entries of its owner (`ownerOf`) from offset `from` on are
   * left out, for a group up to the `restart` that answers this. Comes before they count as committed.
   */
  refused(owner: string, from: number, reason: string): void
}

export interface Log {
  /** Queues an entry and returns its offset, 1 for the first. Leaves with the turn. */
  append(entry: LogEntry): number
  /**
   * Reads on behalf of a user. If reads of many users wait, the users are served in turn (INP-2); a read
   * that belongs to no user, such as the loading of a group, uses the id that is read instead.
   * Rejects if the reader failed or its queue is full.
   */
  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']>
}
