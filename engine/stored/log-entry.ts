/**
 * Log entry: what an actor writes, and what storage makes rows of.
 */
import type { File, Message } from '../../protocol/records.ts'
import type { StoredGroup, StoredMember } from './stored-group.ts'
import type { Status } from './stored-user.ts'

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
