/**
 * No room: the refusal of one group more than a user may be in (`maxGroupsPerUser`).
 */
import { ChatError } from '../../protocol/errors.ts'

/** `field` names who has no room, where that is not the caller. */
export function noRoom(maxGroups: number, field?: string): ChatError {
  return new ChatError('limit_reached', `a user must be in at most ${maxGroups} groups`, { field })
}
