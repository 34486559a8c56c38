/**
 * Group reads: the reads of one group, which the storage of its partition answers alone.
 */
import type { File, Message } from '../../protocol/records.ts'
import type { LoadedGroup, LoggedEvent, MessagePage, PostNumber } from './stored-group.ts'

/** The arguments and the result of each read, by its name. */
export interface GroupReads {
  group: { readonly args: { readonly groupId: string }; readonly result: LoadedGroup }
  /** The newest seq of each of the groups; 0 for a group that does not exist. */
  newest: {
    readonly args: { readonly groupIds: readonly string[] }
    readonly result: readonly number[]
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
  /** The members of the group who have blocked the user. PRV-1 */
  blockers: {
    readonly args: { readonly userId: string; readonly groupId: string }
    readonly result: readonly string[]
  }
}
