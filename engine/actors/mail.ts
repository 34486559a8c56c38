/**
 * Mail: messages between actors. It travels between shards through the hub, in the same stream as the
 * frames for sessions. Therefore, what an actor sent to a session before it wrote mail has reached the
 * connection before the reader of the mail acts on it.
 */

import type { File } from '../../protocol/records.ts'
import type { StoredGroup } from '../stored/stored-group.ts'
import type { Profile, Standing } from '../stored/stored-user.ts'
import type { GroupAlarm, UserAlarm } from './alarm.ts'
import type { Caller } from './caller.ts'
import type { ContinuedTopic } from './continuing.ts'

/** To a group's actor. */
export type GroupMail =
  /** From the creator's actor; the answer goes directly to the caller. */
  | {
      readonly type: 'create'
      readonly by: Caller
      readonly group: StoredGroup
      readonly members: readonly string[]
    }
  /**
   * A session starts to receive the group: first the events after `from`, then everything live, each
   * once. Ignored unless the user is still the member that joined with `joinedSeq`.
   */
  | {
      readonly type: 'attach'
      readonly session: number
      readonly userId: string
      readonly joinedSeq: number
      readonly from: number
    }
  /** Missed events with `from < seq <= to` for a session, sent in pieces (CUP-1). */
  | {
      readonly type: 'replay'
      readonly session: number
      readonly userId: string
      readonly from: number
      readonly to: number
      readonly counted: boolean
    }
  /**
   * A front has received the group's events up to `from`: it receives those since then, and the topic
   * continues there.
   */
  | { readonly type: 'continue'; readonly front: number; readonly from: number; readonly counted?: true }
  /** A session of the user is subscribed, and its user's actor knows of no membership. */
  | { readonly type: 'check_member'; readonly userId: string }
  /** From the uploader's actor: the bytes of a file are stored. The answer goes directly to the caller. */
  | { readonly type: 'add_file'; readonly by: Caller; readonly file: File; readonly again: boolean }
  /** An alarm that the actor requested. */
  | { readonly type: 'alarm'; readonly what: GroupAlarm }
  /** A member's new name and picture (IDN-2). */
  | {
      readonly type: 'renamed'
      readonly userId: string
      readonly name: string
      readonly picture: string
    }
  /** The last session of a user that the group watches has disconnected. */
  | { readonly type: 'user_disconnected'; readonly userId: string }
  /** One of two users has blocked the other: `from` no longer sees the typing of `typist`. PRV-1 */
  | { readonly type: 'hide_typing'; readonly typist: string; readonly from: string }
  /** From a member's actor to their direct chat: they have blocked the other member (`on`) or unblocked them. */
  | { readonly type: 'block'; readonly userId: string; readonly on: boolean }

/** To a user's actor. */
export type UserMail =
  | {
      readonly type: 'open'
      readonly session: number
      readonly sessionId: string
      /** The name in the token; empty if it has none. */
      readonly name: string
      readonly picture: string
      /** It continues a session of a front whose link was interrupted. */
      readonly earlier?: EarlierSession | undefined
    }
  /** The other user blocks this user (`on`) or has unblocked them. PRV-1 */
  | { readonly type: 'barred'; readonly by: string; readonly on: boolean }
  /** The other user no longer blocks this user. */
  | { readonly type: 'visible'; readonly to: string }
  /** Another token of the user has this name and picture. */
  | { readonly type: 'profile'; readonly name: string; readonly picture: string }
  | { readonly type: 'closed'; readonly session: number }
  | {
      readonly type: 'joined'
      readonly groupId: string
      readonly joinedSeq: number
      /** The name and picture that the group shows for the user. */
      readonly shown?: Profile | undefined
      /** The group receives no presence. */
      readonly large?: boolean | undefined
      /** The other user of this direct chat receives no presence until it is accepted. PRV-2 */
      readonly approached?: true | undefined
    }
  /** The user has accepted a direct chat in which they were approached. */
  | { readonly type: 'accepted'; readonly groupId: string }
  /** The group has become large or is no longer large; sent to the members who are connected. */
  | { readonly type: 'group_size'; readonly groupId: string; readonly large: boolean }
  | { readonly type: 'left'; readonly groupId: string; readonly seq: number }
  /** A `replay` has ended; `complete` is null if the user is not a member. */
  | {
      readonly type: 'replayed'
      readonly session: number
      readonly groupId: string
      readonly lastSeq: number
      readonly complete: boolean | null
    }
  /** An alarm that the actor requested. */
  | { readonly type: 'alarm'; readonly what: UserAlarm }

/** What an interrupted session has received: positions of groups, as seqs. */
export interface EarlierSession {
  /** The topics that it is subscribed to, and the newest seq that was published there. */
  readonly subscribed: readonly ContinuedTopic[]
  /** Where the live events of each group began, as far as it is known. */
  readonly baselines: readonly ContinuedTopic[]
  /** The newest missed event of groups that it was sent. */
  readonly missed: readonly ContinuedTopic[]
  /** It was away too long for this engine: others may have seen its user go offline. */
  readonly wasGivenUp: boolean
}

/** A front receives what it has missed of a group: see `continue` of `GroupMail`. */
export type ContinueTopic = Extract<GroupMail, { type: 'continue' }>

/** A session begins to receive a group's events: see `attach` of `GroupMail`. */
export type Attach = Extract<GroupMail, { type: 'attach' }>

/**
 * `attach` to many groups of one shard. The session has seen everything that was committed when the
 * user's actor began to read the groups' positions, at `readAtMs` of the steady clock (`Attaching`).
 */
export interface AttachAll {
  readonly session: number
  readonly userId: string
  readonly readAtMs: number
  readonly groups: readonly Standing[]
}

/** Mail with its address, as it travels. */
export type Mail =
  | { readonly to: 'group'; readonly id: string; readonly mail: GroupMail }
  | {
      readonly to: 'user'
      readonly id: string
      readonly mail: UserMail
      /** Storage contains the same information: an actor that is not loaded does not need the mail. */
      readonly ifLoaded?: true | undefined
    }

/** To groups of one shard. */
export interface MailToGroups {
  readonly to: 'groups'
  readonly mail: AttachAll
}
