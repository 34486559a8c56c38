/**
 * Message cache: the state of one user on this device, to open without a network.
 *
 * One cache holds one user; it is emptied when they sign out and when another user signs in. Two kinds of data:
 * - what the server has too: profile, groups, messages. May be forgotten at any time (quota, eviction, bounds);
 *   it is read again from the server. Messages are stored with the ranges of seqs in which all are known.
 * - what only this device has: outbox, drafts, uploads. Shared at once with the other tabs of the browser,
 *   removed only by the store.
 * Writes are collected and written at most every 50 ms and at `pagehide`; the last value of a row wins. No method throws or
 * rejects because of the storage: without one, the cache is in memory.
 */
import type { GroupListing, Limits, Message } from '../../../protocol/records.ts'
import type { RequestName } from '../../../protocol/requests.ts'
import type { DraftMode, Failure, NoticeItem } from '../types.ts'

/** The user of the cache; one row. */
export interface CachedProfile {
  readonly userId: string
  readonly name: string
  readonly picture?: string | undefined
  readonly limits: Limits | null
}

/** A group of the user. All events up to `lastSeq` were handled: a new connection resumes from there. */
export interface CachedGroup extends GroupListing {
  readonly groupId: string
  readonly lastSeq: number
  readonly lastActivityAt: number
  /** Up to where each other member has received and read. */
  readonly marks?: readonly ReceiptMark[] | undefined
}
export type ReceiptMark = readonly [userId: string, deliveredSeq: number, readSeq: number]

/** A message or a notice of a group's log. */
export type CachedItem = CachedMessage | CachedNotice
export interface CachedMessage {
  readonly groupId: string
  readonly seq: number
  readonly message: Message
  readonly deliveredBy?: number | undefined
  readonly readBy?: number | undefined
}
export interface CachedNotice {
  readonly groupId: string
  readonly seq: number
  readonly notice: NoticeItem
}

/** Items ascending: all that the log has from `from` to `to`. */
export interface CachedPage {
  readonly from: number
  readonly to: number
  readonly items: readonly CachedItem[]
}

/**
 * A change of the user without a final answer, sent in `order`. After a reload each may have been sent before:
 * it is repeated when its group has caught up (IDM-1).
 */
export interface OutboxEntry {
  /** Unique; the `tempId` of a message. */
  readonly key: string
  readonly groupId: string
  /** The time of writing, or one more than the highest known if that is not above it. */
  readonly order: number
  readonly createdAt: number
  readonly request: RequestName
  readonly fields: unknown
  /** Refused by the server; waits for `retry` or `discard`. */
  readonly failure?: Failure | undefined
  /** The newest seq of the group that was known when it was written: a message that was sent is above it. */
  readonly afterSeq?: number | undefined
  /** The upload that it waits for. */
  readonly uploadId?: string | undefined
}

export interface Draft {
  readonly groupId: string
  readonly text: string
  readonly mode?: DraftMode | undefined
  /** The newest wins between tabs. */
  readonly at: number
}

/** An upload that is not finished. */
export interface CachedUpload {
  readonly uploadId: string
  readonly groupId: string
  readonly fileName: string
  readonly mimeType: string
  readonly blob: Blob
  readonly width?: number | undefined
  readonly height?: number | undefined
  readonly isPaused?: boolean | undefined
  /** The server's id of the upload, once it is known. */
  readonly remoteId?: string | undefined
  /** How much the server had when the row was stored. */
  readonly sent?: number | undefined
}

/** The rows of each table. */
export interface Tables {
  readonly profile: CachedProfile
  readonly groups: CachedGroup
  readonly outbox: OutboxEntry
  readonly drafts: Draft
  readonly uploads: CachedUpload
}
export type Table = keyof Tables
/** The tables that only this device has. */
export type SharedTable = 'outbox' | 'drafts' | 'uploads'

/** The field that identifies a row. */
export const keyPaths = {
  profile: 'userId',
  groups: 'groupId',
  outbox: 'key',
  drafts: 'groupId',
  uploads: 'uploadId',
} as const satisfies Record<Table, string>

/** Everything except the messages; `outbox` by `order`. */
export interface CachedState {
  readonly profile: CachedProfile | null
  readonly groups: readonly CachedGroup[]
  readonly outbox: readonly OutboxEntry[]
  readonly drafts: readonly Draft[]
  readonly uploads: readonly CachedUpload[]
}

/** Another tab changed a row of a shared table; `row` is undefined if it was removed. */
export type SharedChange = {
  readonly [T in SharedTable]: {
    readonly table: T
    readonly key: string
    readonly row: Tables[T] | undefined
  }
}[SharedTable]

export interface MessageCache {
  /** The state of `userId`, or of the last user. If it is another user's, that is wiped first, in all tabs. */
  open(userId?: string): Promise<CachedState>

  put<T extends Table>(table: T, row: Tables[T]): void
  /** Removing a group removes its items too. */
  remove(table: Table, key: string): void

  /**
   * Stores items of one group. With `range`, these are all items in it (inclusive): the page joins the
   * ranges that it touches. Without, they replace items that are known already, for instance after an edit.
   */
  putItems(groupId: string, items: readonly CachedItem[], range?: readonly [from: number, to: number]): void
  /** Changes an item if it is stored; together with the other changes, so that a crash separates none of them. */
  changeItem(groupId: string, seq: number, change: (item: CachedItem) => CachedItem): void
  /** Removes all items of a group: what the server has of it may have changed (CUP-1, GAP-1). */
  forget(groupId: string): void

  /** The newest items up to `upTo`, at most `limit`; null if that seq is in no known range. */
  older(groupId: string, upTo: number, limit: number): Promise<CachedPage | null>
  /** The first items from `from` on, at most `limit`; null if that seq is in no known range. */
  newer(groupId: string, from: number, limit: number): Promise<CachedPage | null>

  /** The tab that leads also writes what other tabs change: they may crash before they do. */
  lead(isLeading: boolean): void
  /** Writes now what is collected. Resolves with whether it outlives the page; else it is held in memory. */
  flush(): Promise<boolean>
  /** Removes everything of the user, in all tabs. */
  wipe(): Promise<void>
  close(): Promise<void>

  /** Changes of the shared tables by other tabs, in their order. */
  onShared(listener: (change: SharedChange) => void): () => void
  /** Another tab wiped the cache: everything on show belongs to a user who signed out. */
  onWiped(listener: () => void): () => void
}
