/**
 * Group rules: what an operator sets for all groups.
 */

/**
 * The result when a user opens a direct chat with a user who shares no group with them: it is delivered
 * immediately, waits until the other accepts it, or is refused. With `closed` only the service opens
 * direct chats.
 */
export type ContactPolicy = 'open' | 'request' | 'shared' | 'closed'

/** What an operator has set for all groups. */
export interface GroupRules {
  /** How long a message may be edited; 0 for ever. */
  readonly editWindowMs: number
  /** The policy for new direct chats. PRV-2 */
  readonly contactPolicy: ContactPolicy
  /** How many groups a user may be in; 0 is no limit. */
  readonly maxGroupsPerUser: number
}
