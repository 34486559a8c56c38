/**
 * The refusal for a group that does not exist. A private group is refused with the very same one
 * to those who are not in it, so that nobody can probe for it. // IDN-7
 */
import { ChatError } from '../../protocol/errors.ts'

export function noSuchGroup(): ChatError {
  return new ChatError('not_found', undefined, { field: 'groupId' })
}
