/**
 * Presence: what every actor may know of any user, on any shard.
 *
 * The user's actor decides the status that others see and notifies all shards. Each shard counts the
 * connections itself. Code that shows presence to a client must check that the client shares a group
 * with the user.
 */
import type { Status } from '../stored/stored-user.ts'

export interface Presence {
  /** Whether the user has a session now, even if they are invisible. */
  readonly connected: boolean
  /** The status that others see: `offline` if the user is invisible; during the grace period still online. */
  readonly status: Status
  /** Whether they have reached the limit of groups; only known for connected users. */
  readonly isFull?: boolean | undefined
}

/** The presence of a user, also of a user that is not known. */
export type PresenceOf = (userId: string) => Presence
