/**
 * Stored group: what is stored of a group, and what its actor starts from.
 */
import type { Message } from '../../protocol/records.ts'
import type { Person, Profile } from './stored-user.ts'

/** How many of the newest durable events a group's actor starts with. */
export const RECENT_EVENTS = 256

/** IDM-1: idempotency keys are stored for at least this number of messages per group. */
export const REMEMBERED_TEMP_IDS = 1_024

/** IDN-3: ids of direct chats begin with this prefix, and no other ids do. */
export const DIRECT_PREFIX = 'd_'

export type Role = 'admin' | 'moderator' | 'member'

/** A group with its current properties. */
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
  /** May not post until then; 0 if they may. */
  readonly mutedUntil: number
  /** Receives no notifications until then; 0 if they do. */
  readonly quietUntil: number
  /** Has neither accepted the direct chat that the other opened nor sent anything there. PRV-2 */
  readonly approached?: boolean | undefined
}

/** The receipts of a member, as packed ranges of seqs. */
export interface StoredReceipts {
  readonly userId: string
  readonly delivered: Uint8Array | null
  readonly read: Uint8Array | null
  readonly readSeq: number
}

/** What a group's actor starts from. */
export interface LoadedGroup {
  /** Null if it does not exist yet; its lease may exist nevertheless. */
  readonly group: StoredGroup | null
  readonly members: readonly (StoredMember & Profile)[]
  /** Of members who have given any, and of former members, in the order of leaving. */
  readonly receipts: readonly StoredReceipts[]
  readonly banned: readonly string[]
  readonly invited: readonly string[]
  /** Of a direct chat with one member: the other one, who has not accepted it. PRV-2 */
  readonly awaited: Person | null
  /** Of a direct chat: those of the two who have blocked the other. */
  readonly blockers: readonly string[]
  /** [userId, byChoice, mutedUntil], in the order of leaving. */
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

/** A durable event as it is read from the log. */
export type LoggedEvent =
  | { readonly seq: number; readonly message: Message }
  | {
      readonly seq: number
      readonly code: number
      readonly frame: Uint8Array
      /** The seq of the post that the event is about. */
      readonly target?: number | undefined
    }

/**
 * The position of a post among those that a user gives receipts for. `previous` and `next` are the posts
 * by others next to it, or nearer posts if many posts of the user lie between. Null if there are none.
 */
export interface PostNumber {
  readonly seq: number
  readonly senderId: string
  readonly previous: number | null
  readonly next: number | null
}

/** A page of a group's messages and of the gaps among them, ascending. */
export interface MessagePage {
  readonly messages: readonly Message[]
  readonly gaps: readonly { readonly seq: number; readonly from: number; readonly to: number }[]
}
