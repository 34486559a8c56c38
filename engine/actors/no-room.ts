/**
 * No room: the error for a user who has reached the limit of groups (`maxGroupsPerUser`).
 */
import { ChatError } from '../../protocol/errors.ts'

/** `field` names the user who has no room, if that is not the caller. */
export function noRoom(maxGroups: number, field?: string): ChatError {
  return new ChatError('limit_reached', `a user must be in at most ${maxGroups} groups`, { field })
}
