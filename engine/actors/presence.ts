/**
 * Presence: what every actor may know of any user, wherever the user's own actor lives.
 *
 * The user's actor decides how its user is seen and tells all shards; whether there are
 * connections each shard counts itself. Whoever shows presence to a client sees to it that the
 * client shares a group with the user.
 */
import type { Status } from '../storage/log.ts'

export interface Presence {
  /** Whether the user has a session at present, also where they do not want it to be seen. */
  readonly connected: boolean
  /** As others see them: `offline` where they are invisible, and still online in the time of grace. */
  readonly status: Status
  /** Whether they may be in no further group; only known of those who are connected. */
  readonly isFull?: boolean | undefined
}

/** The presence of a user; of one that is not known too. */
export type PresenceOf = (userId: string) => Presence
