/**
 * The error for a group that does not exist. A private group answers users who are not in it with the
 * same error, so that nobody can probe for it. // IDN-7
 */
import { ChatError } from '../../protocol/errors.ts'

export function noSuchGroup(): ChatError {
  return new ChatError('not_found', undefined, { field: 'groupId' })
}
