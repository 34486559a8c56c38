/**
 * Mail: what actors tell each other. It travels between shards by way of the hub, in the same
 * stream as the frames for sessions, so that what an actor sent a session before it wrote mail
 * has reached the connection before the mail's reader acts on it.
 */

import type { File } from '../../protocol/records.ts'
import type { GroupAlarm, UserAlarm } from '../shards/alarms.ts'
import type { Profile, Standing, StoredGroup } from '../storage/log.ts'
import type { Caller } from './caller.ts'

/** To a group's actor. */
export type GroupMail =
  /** From the creator's actor; the answer goes straight to the caller. */
  | {
      readonly type: 'create'
      readonly by: Caller
      readonly group: StoredGroup
      readonly members: readonly string[]
    }
  /**
   * A session begins to hear the group: first what came after `from`, then everything live, each
   * once. Void unless the user is still the member that joined with `joinedSeq`.
   */
  | {
      readonly type: 'attach'
      readonly session: number
      readonly userId: string
      readonly joinedSeq: number
      readonly from: number
    }
  /** Missed events with `from < seq <= to` for a session, a piece at a time (CUP-1). */
  | {
      readonly type: 'replay'
      readonly session: number
      readonly userId: string
      readonly from: number
      readonly to: number
      readonly counted: boolean
    }
  /** From the uploader's actor: the bytes of a file are kept. The answer goes straight to the caller. */
  | { readonly type: 'add_file'; readonly by: Caller; readonly file: File; readonly again: boolean }
  /** What the actor asked to be woken for. */
  | { readonly type: 'alarm'; readonly what: GroupAlarm }
  /** A member has this name and picture from now on (IDN-2). */
  | {
      readonly type: 'renamed'
      readonly userId: string
      readonly name: string
      readonly picture: string
    }
  /** The last session of a user whom the group watches has gone. */
  | { readonly type: 'gone'; readonly userId: string }
  /** Of two users one has blocked the other: `from` is not to see the typing of `typist` any more. PRV-1 */
  | { readonly type: 'hide_typing'; readonly typist: string; readonly from: string }
  /** From a member's actor to their direct chat: they have blocked the other, or no longer. */
  | { readonly type: 'block'; readonly userId: string; readonly on: boolean }

/** To a user's actor. */
export type UserMail =
  | {
      readonly type: 'open'
      readonly session: number
      readonly sessionId: string
      /** What the token says; empty where it says nothing. */
      readonly name: string
      readonly picture: string
    }
  /** The other one blocks the user (`on`), or does no more. PRV-1 */
  | { readonly type: 'barred'; readonly by: string; readonly on: boolean }
  /** There is no block between the two any more, on the other one's side. */
  | { readonly type: 'visible'; readonly to: string }
  /** Another token of the user says this of them. */
  | { readonly type: 'profile'; readonly name: string; readonly picture: string }
  | { readonly type: 'closed'; readonly session: number }
  | {
      readonly type: 'joined'
      readonly groupId: string
      readonly joinedSeq: number
      /** What the group shows of the user. */
      readonly shown?: Profile | undefined
      /** The group gets no presence. */
      readonly large?: boolean | undefined
      /** The other one of this direct chat gets no presence until it is accepted. PRV-2 */
      readonly approached?: true | undefined
    }
  /** The user has accepted a direct chat in which they were approached. */
  | { readonly type: 'accepted'; readonly groupId: string }
  /** The group has become large, or is so no longer; told to the members who are connected. */
  | { readonly type: 'group_size'; readonly groupId: string; readonly large: boolean }
  | { readonly type: 'left'; readonly groupId: string }
  /** A `replay` has ended; `complete` is null where the user is not a member. */
  | {
      readonly type: 'replayed'
      readonly session: number
      readonly groupId: string
      readonly lastSeq: number
      readonly complete: boolean | null
    }
  /** What the actor asked to be woken for. */
  | { readonly type: 'alarm'; readonly what: UserAlarm }

/** A session begins to receive a group's events: see `attach` of `GroupMail`. */
export type Attach = Extract<GroupMail, { type: 'attach' }>

/**
 * `attach` to many groups of one shard, of which the session has seen all that was committed when the
 * user's actor began to read where they stand, at `readAtMs` of the steady clock (`Attaching`).
 */
export interface AttachAll {
  readonly session: number
  readonly userId: string
  readonly readAtMs: number
  readonly groups: readonly Standing[]
}

/** An envelope to one actor, as it travels. */
export type Mail =
  | { readonly to: 'group'; readonly id: string; readonly mail: GroupMail }
  | {
      readonly to: 'user'
      readonly id: string
      readonly mail: UserMail
      /** Storage knows what the mail says: an actor that is not loaded does not need it. */
      readonly ifLoaded?: true | undefined
    }

/** To groups of one shard. */
export interface MailToGroups {
  readonly to: 'groups'
  readonly mail: AttachAll
}
