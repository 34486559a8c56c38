/**
 * Store core: what the parts of a store share.
 */
import type { SendRequest } from '../../protocol/methods.ts'
import type { Message } from '../../protocol/records.ts'
import type { Clock } from '../clock.ts'
import type { MessageCache } from './cache/message-cache.ts'
import type { GroupState } from './group-state.ts'
import type { Outgoing } from './outgoing.ts'
import type { People } from './people.ts'
import type { NewFile } from './types.ts'

export interface StoreCore {
  readonly me: string
  readonly clock: Clock
  readonly cache: MessageCache
  readonly people: People
  readonly outgoing: Outgoing
  /** Sends a request, in a tab that follows by the leading tab. */
  readonly request: SendRequest
  /** There is a connection, so that a request is worth sending. */
  readonly isConnected: boolean
  /** All events up to now have arrived. */
  readonly isLive: boolean
  /** This tab has the connection, and stores what arrives. */
  readonly isLeader: boolean
  /** Reports names from the server. */
  learnMessages(messages: readonly Message[]): void
  /** Starts the upload of a file; returns the id of the upload. */
  upload(groupId: string, file: NewFile): string
  resumeUpload(uploadId: string): void
  abortUpload(uploadId: string): void
  /** A group in the list has changed. */
  groupChanged(): void
  /** The counts of a group must be read again from the server. */
  refreshGroups(): void
  /** The window of a group is on show, or is not any more. */
  windowUsed(group: GroupState, isUsed: boolean): void
  /** The user is no longer in the group. */
  removeGroup(groupId: string): void
  /** A message of another user has arrived. */
  delivered(messageId: string): void
}
