/**
 * Log entry: what an actor writes, and what storage makes rows of.
 */
import type { File, Message } from '../../protocol/records.ts'
import type { StoredGroup, StoredMember } from './stored-group.ts'
import type { Status } from './stored-user.ts'

/** An entry of the log. Messages and events have a seq; the other entries have none. */
export type LogEntry =
  | { readonly type: 'message'; readonly message: Message }
  /** Any durable event except a post, as the frame that clients receive. */
  | {
      readonly type: 'event'
      readonly groupId: string
      readonly seq: number
      readonly code: number
      readonly at: number
      readonly frame: Uint8Array
      /** The seq of the post that the event is about. */
      readonly target?: number | undefined
    }
  /** A new version of a post. */
  | { readonly type: 'change'; readonly message: Message }
  /** Creates a group, or changes its properties. */
  | { readonly type: 'group'; readonly group: StoredGroup }
  /** Adds a member or changes one. */
  | { readonly type: 'member'; readonly groupId: string; readonly member: StoredMember }
  | { readonly type: 'member_left'; readonly groupId: string; readonly userId: string }
  /** What remains of a membership that ended, until `former_member_back`. */
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
  /** All receipts of a member, as packed ranges of seqs (`packRanges`). */
  | {
      readonly type: 'receipts'
      readonly groupId: string
      readonly userId: string
      readonly delivered: Uint8Array
      readonly read: Uint8Array
      /** The seq above which posts count as unread; it decreases when messages are marked unread. */
      readonly readSeq: number
    }
  /** A file of a group is stored; messages may show it. */
  | {
      readonly type: 'file'
      readonly groupId: string
      readonly file: File
      readonly uploadedBy: string
      readonly at: number
    }
  /** The actor of a group whose entry was refused has been unloaded: what follows is from its successor. */
  | { readonly type: 'restart'; readonly groupId: string }
  /** A lease: numbers up to `ceiling` may be assigned from now on. */
  | { readonly type: 'lease'; readonly groupId: string; readonly ceiling: number }
  /** The user blocks the other, or unblocks them. PRV-1 */
  | { readonly type: 'block'; readonly userId: string; readonly otherId: string; readonly at: number }
  | { readonly type: 'unblock'; readonly userId: string; readonly otherId: string }
  | { readonly type: 'user'; readonly userId: string; readonly name: string; readonly picture: string }
  /** The status that a user chose, and when they were last seen, if that is known. */
  | {
      readonly type: 'presence'
      readonly userId: string
      readonly status: Status
      readonly lastSeenAt?: number | undefined
    }
